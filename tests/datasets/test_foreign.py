"""Files that would end the process that reads them end another one."""

import os
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from foveal.datasets import foreign
from foveal.datasets.foreign import (
    UnreadableFileError,
    hdf5_arrays,
    hdf5_headers,
    mat_array,
    mat_headers,
    mat_variables,
)


def test_variables_come_as_they_were_written(tmp_path):
    struct = {"name": "a photo", "numbers": np.arange(6.0).reshape(2, 3), "inner": {"flag": True}}
    cells = np.array([["ab", np.arange(3)], [1.5, np.zeros((0, 4))]], dtype=object)
    contents = {"struct": struct, "cells": cells, "sparse": scipy.sparse.eye(3), "complex": np.eye(2) * 1j, "one": 7}
    scipy.io.savemat(tmp_path / "x.mat", contents)
    read = mat_variables(tmp_path / "x.mat")
    assert read["struct"]["name"] == "a photo"
    assert read["struct"]["inner"] == {"flag": 1}
    np.testing.assert_array_equal(read["struct"]["numbers"], struct["numbers"])
    assert read["cells"].shape == (2, 2)
    assert read["cells"][0, 0] == "ab"
    assert read["cells"][0, 1].tolist() == [0, 1, 2]
    assert read["cells"][1, 0] == 1.5
    assert read["cells"][1, 1].size == 0
    np.testing.assert_array_equal(read["sparse"], np.eye(3))
    np.testing.assert_array_equal(read["complex"], np.eye(2) * 1j)
    assert read["one"] == 7
    assert list(mat_variables(tmp_path / "x.mat", ["one", "no"])) == ["one"]
    read["struct"]["numbers"][0, 0] = 5  # it is the caller's own


def test_matlab_has_a_shape_before_it_has_values(tmp_path):
    contents = {"map": np.eye(3), "sparse": scipy.sparse.eye(3), "text": "ab", "cell": np.array([1, "a"], dtype=object)}
    scipy.io.savemat(tmp_path / "5.mat", contents | {"struct": {"a": 1}, "flags": np.eye(2) > 0})
    assert mat_headers(tmp_path / "5.mat") == {
        "map": ((3, 3), "numbers"),
        "sparse": ((3, 3), "numbers"),
        "text": ((1,), "char"),
        "cell": ((1, 2), "cell"),
        "struct": ((1, 1), "struct"),
        "flags": ((2, 2), "numbers"),
    }
    np.testing.assert_array_equal(mat_array(tmp_path / "5.mat", "sparse"), np.eye(3))


def test_matlab_7_3(tmp_path):
    """Column by column, text as numbers, sparse arrays as groups."""
    values = np.arange(6.0).reshape(2, 3)
    with h5py.File(tmp_path / "x.mat", "w") as file:
        file["map"] = values.T
        file["text"] = np.frombuffer(b"abcd", np.uint8).astype(np.uint16)[:, None]
        file["text"].attrs["MATLAB_class"] = np.bytes_("char")
        file["empty"] = np.zeros(2, np.uint64)
        file["empty"].attrs["MATLAB_empty"] = 1
        group, columns = file.create_group("sparse"), scipy.sparse.csc_matrix(values)
        group.attrs["MATLAB_sparse"] = np.uint64(2)
        group["data"], group["ir"], group["jc"] = columns.data, columns.indices, columns.indptr
        file.create_group("struct")["field"] = 1.0
    headers = mat_headers(tmp_path / "x.mat")
    assert headers["map"] == headers["sparse"] == ((2, 3), "numbers")
    assert headers["text"].kind == "char"
    assert headers["empty"].kind == "empty"
    for name in ("map", "sparse"):
        np.testing.assert_array_equal(mat_array(tmp_path / "x.mat", name), values)


def test_nothing_outside_of_an_hdf5_file_is_read(tmp_path):
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["secret"] = np.eye(3)
    (tmp_path / "raw").write_bytes(bytes(72))
    with h5py.File(tmp_path / "maps.hdf5", "w") as file:
        file["a/own"] = np.eye(3)
        file["a/cycle"] = file["a"]
        file["soft"] = h5py.SoftLink("/a/own")
        file["link"] = h5py.ExternalLink("other.hdf5", "secret")
        file.create_dataset("external", (3, 3), "f8", external=[(str(tmp_path / "raw"), 0, 72)])
        layout = h5py.VirtualLayout((3, 3), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.hdf5"), "secret", (3, 3))
        file.create_virtual_dataset("virtual", layout)
        file["nothing"] = h5py.Empty("f8")
        file["text"] = "text"
        file["pairs"] = np.zeros((3, 3), dtype=[("x", "f4"), ("y", "f4")])
        file.create_dataset("chunk", (3, 3), "f8", chunks=(30000, 30000), maxshape=(None, None))
        file["half"] = np.eye(3, dtype=np.float16)
        file["flags"] = np.eye(3, dtype=bool)
        file["big"] = np.eye(3, dtype=">i4")
    kinds = {name: header.kind for name, header in hdf5_headers(tmp_path / "maps.hdf5").items()}
    good = {name for name, kind in kinds.items() if kind == "numbers"}
    assert good == {"a/own", "half", "flags", "big"}
    assert "not followed" in kinds["soft"]
    assert "not followed" in kinds["link"]
    assert "another file" in kinds["external"]
    assert "another file" in kinds["virtual"]
    assert kinds["nothing"] == "empty"
    assert "too large" in kinds["chunk"]
    for array in hdf5_arrays(tmp_path / "maps.hdf5", good).values():
        np.testing.assert_array_equal(array, np.eye(3))
    for name in ("soft", "link", "external", "virtual", "a"):
        with pytest.raises(UnreadableFileError, match="no array of numbers"):
            hdf5_arrays(tmp_path / "maps.hdf5", [name])


def test_what_is_too_large_is_one_line(tmp_path):
    scipy.io.savemat(tmp_path / "sparse.mat", {"x": scipy.sparse.coo_matrix(([1.0], ([0], [0])), (10**6, 10**6))})
    with pytest.raises(UnreadableFileError, match="too large"):
        mat_array(tmp_path / "sparse.mat", "x")
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.create_dataset("x", (100_000, 100_000), "f8", chunks=(100, 100), compression="gzip")
    assert hdf5_headers(tmp_path / "x.hdf5")["x"].shape == (100_000, 100_000)
    if sys.platform == "linux":
        with pytest.raises(UnreadableFileError, match=r"Unable to allocate|4 GiB"):
            hdf5_arrays(tmp_path / "x.hdf5", ["x"])


CRASH = "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIGTERM)"
HANG = "import time; time.sleep(60)"
ENDS = "import sys; sys.stdin.readline()"
GARBAGE = "import os, sys; sys.stdin.readline(); os.write(1, bytes(range(200)) * 99); sys.stdin.readline()"
FORGED = """
import json, os, struct, sys
sys.stdin.readline()
text = json.dumps({"value": {"dtype": "O", "shape": [2], "start": 0}}).encode()
os.write(1, struct.pack("<QQ", len(text), 16) + text + bytes(16))
sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (CRASH, "it ended the process that read it, SIGTERM"),
        (ENDS, "it ended the process that read it, exit status 0"),
        (HANG, r"it takes longer than 0\.3 s"),
        (GARBAGE, "its content has"),
        (FORGED, "OBJECT array"),
    ],
)
def test_whatever_happens_to_the_reader_is_one_line(tmp_path, monkeypatch, program, reason):
    (tmp_path / "program.py").write_text(program)
    (tmp_path / "file").touch()
    reader = foreign._Reader()
    with monkeypatch.context() as patch:
        patch.setattr(foreign, "READER", tmp_path / "program.py")
        patch.setattr(foreign, "SECONDS", 0.3 if program == HANG else 60)
        with pytest.raises(UnreadableFileError, match=reason):
            reader.ask(tmp_path / "file", "mat_variables")
    scipy.io.savemat(tmp_path / "x.mat", {"x": 1})
    assert reader.ask(tmp_path / "x.mat", "mat_variables", names=None) == {"x": 1}
    reader.stop()


def test_a_file_is_not_blamed_for_the_one_before_it(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"x": np.eye(3)})
    mat_headers(tmp_path / "x.mat")
    process = foreign._reader._process
    process.stdout.close()  # as if it ended with the next request
    with Path(os.devnull).open("rb") as process.stdout:
        np.testing.assert_array_equal(mat_array(tmp_path / "x.mat", "x"), np.eye(3))
    assert foreign._reader._process is not process


def test_one_process_reads_files_for_several_threads(tmp_path):
    for i in range(20):
        scipy.io.savemat(tmp_path / f"{i}.mat", {"x": np.full((30, 30), i)})
    mat_headers(tmp_path / "0.mat")
    process = foreign._reader._process
    wrong = []

    def read(i):
        if not (mat_array(tmp_path / f"{i}.mat", "x") == i).all():
            wrong.append(i)

    threads = [threading.Thread(target=read, args=[i]) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert foreign._reader._process is process


@pytest.mark.filterwarnings("ignore:.*fork")  # pytest may have threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_process_has_a_reader_of_its_own(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"x": np.eye(3)})
    mat_headers(tmp_path / "x.mat")
    pid = os.fork()
    if pid == 0:
        good = False
        try:
            good = foreign._reader._process is None and mat_array(tmp_path / "x.mat", "x").sum() == 3
        finally:
            foreign._reader.stop()
            os._exit(0 if good else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert mat_array(tmp_path / "x.mat", "x").sum() == 3


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        mat_headers(tmp_path / "x.mat")
    with pytest.raises(UnreadableFileError, match="no regular file"):
        mat_headers(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UnreadableFileError, match="Not a directory"):
        mat_headers(tmp_path / "file/x.mat")


@pytest.mark.shared
def test_one_wrong_byte_ends_the_reader_only(shared):
    for i in (1, 2, 3):
        with pytest.raises(UnreadableFileError):  # most often by a signal, but not always
            mat_variables(shared / f"faults/crash_{i}.mat")
    with pytest.raises(UnreadableFileError, match="Link visitation failed"):
        hdf5_headers(shared / "faults/damaged.hdf5")
