"""Tables that are kept while they are computed: what may be gone on with, and what may not."""

import pandas as pd
import pytest

from foveal.kept import KeptTable

BY = ["model", "image"]
SETTINGS = {"seed": 0, "layers": ("a", "b"), "scale": None}
FIRST = pd.DataFrame({"model": ["m", "m"], "image": ["1", "2"], "AUC": [0.1 + 0.2, 0.5], "n": [3, 4]})


@pytest.fixture(params=["kept.parquet", "kept.csv"])
def path(request, tmp_path):
    return tmp_path / "deep" / request.param


def as_it_was_written(path):
    return KeptTable(path, SETTINGS, BY).table.astype({"image": str})


def test_rows_are_there_again(path):
    KeptTable(path, SETTINGS, BY).add(FIRST)
    pd.testing.assert_frame_equal(as_it_was_written(path), FIRST)
    kept = KeptTable(path, SETTINGS, BY)
    kept.add(pd.DataFrame({"model": ["k"], "image": ["9"], "AUC": [0.7], "n": [5]}))
    assert as_it_was_written(path)["n"].tolist() == [3, 4, 5]
    assert kept.differs == []


def test_known_rows_get_new_values(tmp_path):
    kept = KeptTable(tmp_path / "kept.parquet", SETTINGS, BY)
    kept.add(FIRST)
    kept.add(pd.DataFrame({"model": ["m"], "image": ["2"], "NSS": [1.5], "AUC": [0.6]}))
    table = as_it_was_written(kept.path).set_index("image")
    assert table["AUC"].tolist() == [0.1 + 0.2, 0.6]
    assert table["NSS"].isna().tolist() == [True, False]


def test_names_that_look_like_numbers_stay_names(tmp_path):
    rows = pd.DataFrame({"model": ["1", "nan", "01"], "image": ["a", "b", "c"], "AUC": [0.5, float("nan"), 1.0]})
    KeptTable(tmp_path / "kept.csv", SETTINGS, BY, texts=["model"]).add(rows)
    table = KeptTable(tmp_path / "kept.csv", SETTINGS, BY, texts=["model"]).table
    pd.testing.assert_frame_equal(table, rows)


def test_rows_that_are_forgotten_leave_the_file_with_the_next(path):
    kept = KeptTable(path, SETTINGS, BY)
    kept.add(FIRST)
    kept.forget(kept.table["image"] == "1")
    assert len(as_it_was_written(path)) == 2
    kept.add(FIRST[:1].assign(image="3"))
    assert as_it_was_written(path)["image"].tolist() == ["2", "3"]


def test_rows_computed_from_something_else_are_not_taken(path):
    KeptTable(path, SETTINGS, BY).add(FIRST)
    other = KeptTable(path, SETTINGS | {"seed": 1}, BY)
    assert (other.differs, len(other.table)) == (["seed 0"], 0)
    assert len(as_it_was_written(path)) == 2  # nothing is replaced before there is something new
    other.add(FIRST[:1])
    again = KeptTable(path, SETTINGS | {"seed": 1}, BY)
    assert (again.differs, len(again.table)) == ([], 1)


@pytest.mark.parametrize("content", [b"", b"somebody's own table", b"\xff\xfe"])
def test_other_files_are_none_of_ours(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    kept = KeptTable(path, SETTINGS, BY)
    assert (len(kept.table), kept.differs[0]) == (0, "seed None")
    kept.add(FIRST)
    pd.testing.assert_frame_equal(as_it_was_written(path), FIRST)
