"""Files are whole or not there."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from toy import largest_file

from foveal import files
from foveal.benchmark.results import write_json, write_per_image
from foveal.datasets.catalogue import default_root
from foveal.errors import FovealError
from foveal.files import make_writable_folder, new_file, parse_toml, write_atomically
from foveal.models import load_model, save_model
from foveal.models.backbones.catalogue import weights_folder
from foveal.models.prediction import Prediction


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


WRITER = """
import sys, time
from pathlib import Path
from foveal.files import write_atomically
with write_atomically(Path({folder!r}) / "a.bin") as temporary:
    temporary.write_bytes(b"half")
    print(temporary, flush=True)
    sys.stdin.read()
"""


@contextmanager
def half_written(folder):
    """A process that is in the middle of writing a file; and its temporary file."""
    command = [sys.executable, "-c", WRITER.format(folder=str(folder))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        yield process, Path(process.stdout.readline().strip())


def test_what_killed_runs_left_is_removed_and_what_others_write_is_not(tmp_path, monkeypatch):
    with half_written(tmp_path) as (killed, left), half_written(tmp_path) as (running, of_another):
        killed.kill()
        killed.wait()
        assert left.is_file()
        of_another_machine = tmp_path / ".foveal-000000-1-abcdef.bin"
        not_ours = tmp_path / ".foveal.bin"
        for path in (of_another_machine, not_ours):
            path.write_bytes(b"")
        kept = {of_another.name, of_another_machine.name, not_ours.name}
        make_writable_folder(tmp_path)  # of a process that began before: it might be its own child's
        assert {path.name for path in tmp_path.iterdir()} == kept | {left.name}
        monkeypatch.setattr("foveal.files._STARTED", time.time() + 1)
        monkeypatch.setattr("foveal.files._cleared", set())
        make_writable_folder(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == kept
        _, _ = running.communicate("")
    assert (tmp_path / "a.bin").read_bytes() == b"half"


def test_a_number_of_a_process_that_is_ones_own_is_an_earlier_ones(tmp_path, monkeypatch):
    """In a container, every run has the same."""
    left = tmp_path / f".foveal-{files._PROCESS_SPACE}-{os.getpid()}-abcdef.bin"
    left.touch()
    monkeypatch.setattr("foveal.files._STARTED", time.time() + 1)
    with write_atomically(tmp_path / "a.bin") as temporary:
        temporary.touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_hdf5_on_a_full_disk_is_an_error_and_no_signal():
    with pytest.raises(OSError, match="No space left"), new_file(Path("/dev/full")) as raw, h5py.File(raw, "w") as file:
        file.create_dataset("a", data=np.random.default_rng(0).random((300, 300)))
    with pytest.raises(OSError, match="No space left"), new_file(Path("/dev/full")) as raw:
        torch.save({"a": torch.zeros(1000)}, raw)


def _to_hdf5(path, big):
    with write_atomically(path) as temporary, new_file(temporary) as raw, h5py.File(raw, "w") as file:
        for number in range(4):
            file.create_dataset(str(number), data=big)


WRITERS = {
    "a.hdf5": _to_hdf5,
    "a.safetensors": lambda path, big: save_model(load_model("image-signature"), path, {"a": "b" * big.nbytes}),
    "a.json": lambda path, big: write_json(pd.DataFrame({"a": big.ravel()}), path),
    "a.csv": lambda path, big: write_per_image(pd.DataFrame({"a": big.ravel()}), path),
    "a.parquet": lambda path, big: write_per_image(pd.DataFrame({"a": big.ravel()}), path),
    "a.density.npy": lambda path, big: Prediction(np.zeros((200, 200, 3), np.uint8), big, "m", "a").save(
        path.parent, ["density"]
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path, name):
    """No signal, no traceback of a library, no part of a file, no temporary file; and the old file as it was."""
    (tmp_path / name).write_bytes(b"old")
    big = np.random.default_rng(0).random((200, 200))
    refused = pytest.raises(FovealError, match=rf"{name}: cannot be written \(.*\); choose another place")
    with largest_file(100_000), refused as raised:
        WRITERS[name](tmp_path / name, big)
    assert len(str(raised.value).splitlines()) == 1
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"old")]


def test_a_name_that_is_no_unicode_is_one_line(tmp_path):
    with (
        pytest.raises(FovealError, match=r"cannot be written \(a name in it"),
        write_atomically(tmp_path / "a") as path,
    ):
        path.write_text("\udcff", encoding="utf-8")


@pytest.mark.parametrize("home", ["~/.cache/foveal", RuntimeError("no home"), KeyError("uid not found")])
def test_without_a_home_folder_it_is_said_which_variable_helps(monkeypatch, home):
    def user_cache_path(_):
        if isinstance(home, Exception):
            raise home
        return Path(home)

    monkeypatch.setattr("platformdirs.user_cache_path", user_cache_path)
    for variable, folder in (("FOVEAL_DATA", default_root), ("FOVEAL_WEIGHTS", weights_folder)):
        monkeypatch.delenv(variable, raising=False)
        with pytest.raises(FovealError, match=f"set {variable} or XDG_CACHE_HOME to a folder"):
            folder()


def test_a_key_of_endless_parts_is_refused_before_it_takes_memory():
    with pytest.raises(FovealError, match=r"a\.toml: not TOML \(40006 characters, of at most 20000\)"):
        parse_toml("a" + ".a" * 20_000 + " = 1\n", "a.toml", "not TOML")
