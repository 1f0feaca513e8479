"""Files are whole or not there."""

import signal
import subprocess
import sys
import textwrap

import pytest

from foveal.errors import FovealError
from foveal.files import make_writable_folder, write_atomically
from foveal.paths import check_name, safe_file_name


def test_the_file_appears_under_its_name_when_it_is_whole(tmp_path):
    with write_atomically(tmp_path / "new" / "a.txt") as temporary:
        temporary.write_text("whole")
        assert temporary.suffix == ".txt"
        assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_an_interruption_leaves_the_old_file(tmp_path, interruption):
    (tmp_path / "a.txt").write_text("old")

    def interrupted():
        with write_atomically(tmp_path / "a.txt") as temporary:
            temporary.write_text("ha")
            raise interruption

    with pytest.raises(interruption):
        interrupted()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_kill_leaves_nothing_under_the_final_name(tmp_path):
    script = textwrap.dedent(f"""
        import time
        from foveal.files import write_atomically
        with write_atomically({str(tmp_path / "a.bin")!r}) as temporary:
            with temporary.open("wb") as file:
                file.write(b"half")
                file.flush()
                print("half written", flush=True)
                time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half written\n"
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "a.bin").exists()


def test_what_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FovealError, match="cannot be written"), write_atomically(tmp_path / "file" / "a.txt") as path:
        path.write_text("never")
    with pytest.raises(FovealError, match="choose another folder"):
        make_writable_folder(tmp_path / "file" / "out")


def test_a_read_only_folder_is_one_clear_line(tmp_path, monkeypatch):
    def refused(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("tempfile.TemporaryFile", refused)  # root may write anywhere
    with pytest.raises(FovealError, match="Permission denied"):
        make_writable_folder(tmp_path)


def test_trouble_with_another_file_is_not_blamed_on_this_one(tmp_path):
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "copy.txt"):
        (tmp_path / "missing.txt").read_text()


def test_the_file_may_be_read_by_whom_the_user_lets(tmp_path):
    with write_atomically(tmp_path / "a.bin") as temporary:
        temporary.unlink()
        temporary.touch(0o600)
    (tmp_path / "b.bin").touch()
    assert (tmp_path / "a.bin").stat().st_mode == (tmp_path / "b.bin").stat().st_mode


def test_a_name_as_long_as_names_may_be(tmp_path):
    with write_atomically(tmp_path / ("n" * 251 + ".png")) as temporary:
        temporary.write_bytes(b"")


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
