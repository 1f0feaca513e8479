"""The program that reads MATLAB and HDF5 files of others, in a process of its own (see `foveal.datasets.foreign`).

One wrong byte can end a process inside SciPy or the HDF5 library. Here it ends this one. It starts once for many files,
so it imports little, and nothing of Foveal. Requests come as lines of JSON; an answer is the lengths of its two parts,
JSON, and the bytes of the arrays that the JSON points to.
"""

import json
import math
import os
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

MEMORY = 4 << 30  # bytes of this process: enough for 100 megapixels in float64, some copies and the libraries
LARGEST_ARRAY = 1 << 30  # bytes of a sparse array once it is dense, and of one chunk of an HDF5 file
ALIGNMENT = 16
NUMBERS = "buif"  # kinds of NumPy dtypes that a map may have
MATLAB_NUMBERS = {
    "double",
    "single",
    "logical",
    "sparse",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}

Header = dict[str, Any]


def mat_variables(path: str, names: list[str] | None) -> dict[str, Any]:
    """Variables of a MATLAB file up to version 7, singleton dimensions squeezed out."""
    import scipy.io

    contents = scipy.io.loadmat(path, squeeze_me=True, struct_as_record=False, variable_names=names)
    return {name: value for name, value in contents.items() if not name.startswith("__")}


def mat_headers(path: str) -> dict[str, Header]:
    """What the variables of a MATLAB file of any version are, before any of their values is read."""
    import h5py
    import scipy.io

    if h5py.is_hdf5(path):  # version 7.3; its arrays are stored column by column
        with h5py.File(path, "r") as file:
            headers = {name: _hdf5_header(file, name) for name in file}
        return {name: header | {"shape": header["shape"][::-1]} for name, header in headers.items() if header}
    return {
        name: _header(shape, "numbers" if kind in MATLAB_NUMBERS else kind)
        for name, shape, kind in scipy.io.whosmat(path)
    }


def mat_array(path: str, name: str) -> np.ndarray:
    """One array of numbers of a MATLAB file of any version; a sparse one is made dense."""
    import h5py
    import scipy.io
    import scipy.sparse

    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            if isinstance(file[name], h5py.Dataset):
                return np.asarray(file[name]).T
            n_columns, n_rows = _sparse_shape(file[name])
            columns: Any = tuple(file[name][part][()] for part in ("data", "ir", "jc"))
            values = scipy.sparse.csc_matrix(columns, (n_rows, n_columns))
    else:
        values = scipy.io.loadmat(path, variable_names=[name])[name]
    return _dense(values) if scipy.sparse.issparse(values) else np.asarray(values)


def mat_cells(path: str, name: str) -> np.ndarray:
    """The cells of a one-dimensional cell array of numbers of a MATLAB file of any version."""
    import h5py
    import scipy.io

    if not h5py.is_hdf5(path):
        cells = scipy.io.loadmat(path, variable_names=[name])[name].ravel()
        if cells.dtype != object:
            raise ValueError(f"{name} is no cell array")
        return cells
    with h5py.File(path, "r") as file:  # version 7.3: references to arrays, which lie in a group of their own
        references = file[name][()].ravel()
        if references.dtype != object:
            raise ValueError(f"{name} is no cell array")
        cells = np.empty(len(references), dtype=object)
        for number, reference in enumerate(references):
            item = file[reference]
            header = _hdf5_header(file, item.name)
            kind = header["kind"] if header else "a group"
            if kind not in ("numbers", "empty"):
                raise ValueError(f"cell {number + 1} of {name}: no array of numbers, but {kind}")
            cells[number] = np.asarray(item).T if kind == "numbers" else np.zeros((0, 0))
        return cells


def hdf5_headers(path: str) -> dict[str, Header]:
    """What the arrays and links of an HDF5 file are, before any of their values is read."""
    import h5py

    headers: dict[str, Header] = {}

    def keep(name: str, _: object) -> None:
        if header := _hdf5_header(file, name):
            headers[name] = header

    with h5py.File(path, "r") as file:
        file.visititems_links(keep)  # each group once, and no link is followed
    return headers


def hdf5_arrays(path: str, names: list[str]) -> dict[str, np.ndarray]:
    """Some arrays of numbers of an HDF5 file."""
    import h5py

    with h5py.File(path, "r") as file:
        for name in names:
            if (header := _hdf5_header(file, name)) is None or header["kind"] != "numbers":
                raise ValueError(f"{name}: no array of numbers, but {header['kind'] if header else 'a group'}")
        return {name: np.asarray(file[name]) for name in names}


def _header(shape: Sequence[int], kind: str) -> Header:
    """The shape of an array, and "numbers" or what else it holds."""
    return {"shape": np.array(shape, dtype=np.int64), "kind": kind}


def _hdf5_header(file: Any, name: str) -> Header | None:
    """Shape and kind of an array or a link; None of a group. Nothing outside of the file is looked at."""
    import h5py

    try:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            return _header([], "a link, which is not followed")
        item = file[name]
        if isinstance(item, h5py.Group) and "MATLAB_sparse" in item.attrs:
            return _header(_sparse_shape(item), "numbers")
        if not isinstance(item, h5py.Dataset):
            return None
        kind = "numbers"
        if item.shape is None or "MATLAB_empty" in item.attrs:
            kind = "empty"
        elif item.external or item.is_virtual:
            kind = "stored in another file, which is not read"
        elif item.attrs.get("MATLAB_class", b"") in (b"char", "char"):
            kind = "char"
        elif item.dtype.kind not in NUMBERS:
            kind = str(item.dtype)
        elif item.chunks and item.dtype.itemsize * math.prod(item.chunks) > LARGEST_ARRAY:
            kind = f"stored in chunks of {item.chunks}, which are too large"
        return _header(item.shape or [], kind)
    except Exception as error:  # the other arrays may be whole
        return _header([], f"damaged ({_first_line(error)})")


def _sparse_shape(group: Any) -> list[int]:
    """Columns and rows of a sparse array of MATLAB's version 7.3: in the order in which HDF5 has dense ones."""
    return [len(group["jc"]) - 1, int(group.attrs["MATLAB_sparse"])]


def _dense(values: Any) -> np.ndarray:
    if 8 * math.prod(values.shape) > LARGEST_ARRAY:
        raise ValueError(f"a sparse array of {values.shape} is too large")
    values.check_format()  # a wrong index would be written to somewhere else
    return values.toarray()


class Encoder:
    """Values as JSON, and the bytes of their arrays, to which the JSON points."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self.n_bytes = 0

    def encode(self, value: Any) -> Any:
        """JSON that stands for a value: text, a struct, cells, an array of numbers; null for what else MATLAB has."""
        if isinstance(value, str | bool | int | float):
            return value
        if isinstance(value, dict):
            return {"fields": {name: self.encode(item) for name, item in value.items()}}
        if hasattr(value, "_fieldnames"):  # SciPy's struct
            return {"fields": {name: self.encode(getattr(value, name)) for name in value._fieldnames}}
        if hasattr(value, "toarray"):  # SciPy's sparse array
            value = _dense(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
            return {"cells": [self.encode(item) for item in value.ravel().tolist()], "shape": value.shape}
        array = np.asarray(value)
        if array.dtype.kind not in NUMBERS + "c":
            return None
        self.arrays.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
        start = self.n_bytes
        self.n_bytes += array.nbytes + padding(array.nbytes)
        return {"dtype": array.dtype.str, "shape": array.shape, "start": start}


def padding(n_bytes: int) -> int:
    """Bytes after an array, so that the next one starts where any number may."""
    return -n_bytes % ALIGNMENT


def _limit_memory() -> None:
    """No file makes this process take all memory; Windows has no such limit, macOS does not keep to it."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limits = [limit for limit in (MEMORY, soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


READERS: dict[str, Callable[..., Any]] = {
    reader.__name__: reader for reader in (mat_variables, mat_headers, mat_array, mat_cells, hdf5_headers, hdf5_arrays)
}


def main() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    warnings.simplefilter("ignore")
    _limit_memory()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    for line in sys.stdin.buffer:
        encoder = Encoder()
        try:
            request = json.loads(line)
            answer = {"value": encoder.encode(READERS[request.pop("reader")](**request))}
        except MemoryError:
            encoder, answer = Encoder(), {"error": f"it takes more than {MEMORY >> 30} GiB of memory"}
        except Exception as error:  # whatever a damaged file makes a library say
            encoder, answer = Encoder(), {"error": _first_line(error)}
        text = json.dumps(answer).encode()
        answers.write(struct.pack("<QQ", len(text), encoder.n_bytes) + text)
        for array in encoder.arrays:
            answers.write(array.data)
            answers.write(bytes(padding(array.nbytes)))
        answers.flush()


if __name__ == "__main__":
    main()
