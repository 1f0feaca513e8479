"""Names that become part of a path, or do not."""

import pytest

from foveal.files import write_atomically
from foveal.paths import check_name, safe_file_name


@pytest.mark.parametrize(
    "name",
    ["../../x", "/x", "..", ".", "", "a/../..", "a\\b", "a\nb", "\x1b[31m", "\udcff", "n" * 5000, "é" * 200, " "],
)
def test_any_name_becomes_one_of_a_file_in_the_folder(tmp_path, name):
    path = tmp_path / "in" / f"{safe_file_name(name)}.parquet"
    with write_atomically(path) as temporary:
        temporary.touch()
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.parquet")] == [f"in/{path.name}"]
    assert path.name.isprintable()


def test_names_that_are_changed_stay_apart():
    names = ["x", "a/x", "b/x", "../x", "x ", "n" * 300, "n" * 301]
    assert len({safe_file_name(name) for name in names}) == len(names)
    assert safe_file_name("Größe-1.5_b") == "Größe-1.5_b"


@pytest.mark.parametrize("name", ["toy", "my study, 2", "Größe", "..a", "研究"])
def test_plain_names(name):
    assert check_name(name) == name
