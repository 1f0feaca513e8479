"""MATLAB and HDF5 files of others: read in a process of their own, which a damaged file may end instead of this one."""

import atexit
import json
import math
import os
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from foveal.errors import first_line

SECONDS = 120.0  # for one file; the largest of the published data sets takes a few
SECONDS_TO_END = 1.0
LARGEST_ANSWER = 4 << 30  # bytes
READER = Path(__file__).with_name("foreign_reader.py")


class UnreadableFileError(Exception):
    """Why a file cannot be read, in one line without its name."""


class _ReaderEndedError(UnreadableFileError):
    """The file, or one before it, ended the process that reads."""


class Header(NamedTuple):
    """What an array of a file is, before its values are read: its shape, and "numbers" or what else it holds."""

    shape: tuple[int, ...]
    kind: str


def mat_variables(path: Path, names: list[str] | None = None) -> dict[str, Any]:
    """The named variables of a MATLAB file that are in it, all of them by default, singleton dimensions squeezed out.

    A struct is a dict of its fields, a cell array a NumPy array of objects.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    UnreadableFileError
        If it cannot be read.
    """
    return _reader.ask(path, "mat_variables", names=names)


def mat_headers(path: Path) -> dict[str, Header]:
    """What the variables of a MATLAB file of any version are (raises like `mat_variables`)."""
    return _headers(_reader.ask(path, "mat_headers"))


def mat_array(path: Path, name: str) -> np.ndarray:
    """An array of numbers of a MATLAB file of any version; a sparse one is made dense (raises like `mat_variables`)."""
    return _reader.ask(path, "mat_array", name=name)


def mat_cells(path: Path, name: str) -> np.ndarray:
    """The cells of a one-dimensional cell array of numbers of a MATLAB file of any version, which keep their shapes.

    Raises like `mat_variables`.
    """
    return _reader.ask(path, "mat_cells", name=name)


def hdf5_headers(path: Path) -> dict[str, Header]:
    """What the arrays and the links of an HDF5 file are, by their full names (raises like `mat_variables`)."""
    return _headers(_reader.ask(path, "hdf5_headers"))


def hdf5_arrays(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Some arrays of numbers of an HDF5 file (raises like `mat_variables`)."""
    return _reader.ask(path, "hdf5_arrays", names=list(names))


def _headers(answer: dict[str, Any]) -> dict[str, Header]:
    return {name: Header(tuple(header["shape"].tolist()), header["kind"]) for name, header in answer.items()}


class _Reader:
    """The process that reads: started when first needed, kept for the next file, started again where a file ended it.

    It is trusted with nothing but to say what is in a file: its answers are JSON, and the bytes of numbers.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin without a process, and leave one that runs to whom it belongs."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, path: Path, reader: str, **details: Any) -> Any:
        """What one of the functions of `foreign_reader` says of a file."""
        try:
            is_regular = stat.S_ISREG(path.stat().st_mode)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise UnreadableFileError(first_line(error)) from error
        if not is_regular:  # a pipe would keep it waiting
            raise UnreadableFileError("no regular file")
        request = json.dumps({"reader": reader, "path": os.fspath(path.absolute()), **details})
        with self._lock:
            is_new = self._process is None
            try:
                answer, value = self._answer(request.encode() + b"\n")
            except _ReaderEndedError:
                if is_new:
                    raise
                answer, value = self._answer(request.encode() + b"\n")  # an earlier file may have damaged the process
        if "error" in answer:
            raise UnreadableFileError(answer["error"])
        return value

    def stop(self) -> None:
        """End the process; the next file starts another one."""
        with self._lock:
            self._end()

    def _answer(self, request: bytes) -> tuple[dict[str, Any], Any]:
        """The answer to a request, and the value in it; whatever goes wrong, no process is left in the middle of it."""
        began = time.monotonic()
        try:
            answer, content = self._exchange(request)
            (value,) = _decode([answer.get("value")], content)
        except BaseException as error:
            overdue = time.monotonic() - began >= SECONDS
            ending = self._ending() if isinstance(error, EOFError | BrokenPipeError) else ""
            self._end()
            if not isinstance(error, Exception):
                raise
            if overdue:
                raise UnreadableFileError(f"it takes longer than {SECONDS:g} s") from error
            if ending:
                raise _ReaderEndedError(f"damaged: it ended the process that read it, {ending}") from error
            raise UnreadableFileError(first_line(error)) from error
        if time.monotonic() - began >= SECONDS:  # it was ended just after it had answered
            self._end()
        return answer, value

    def _exchange(self, request: bytes) -> tuple[dict[str, Any], np.ndarray]:
        """Send a request; the answer's JSON, and the bytes of its arrays."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = _start()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        overdue = threading.Timer(SECONDS, process.kill)
        overdue.daemon = True
        overdue.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            n_text, n_bytes = struct.unpack("<QQ", _received(process.stdout, 16).tobytes())
            text = _received(process.stdout, n_text).tobytes()
            return json.loads(text), _received(process.stdout, n_bytes)
        finally:
            overdue.cancel()
            overdue.join()

    def _ending(self) -> str:
        """How the process ended that says nothing more."""
        code = None
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(SECONDS_TO_END) if self._process else None
        return next((known.name for known in signal.Signals if code == -known), f"exit status {code}")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what was not sent yet cannot be sent any more
                assert pipe is not None
                pipe.close()
        process.wait()


def _start() -> subprocess.Popen[bytes]:
    # -P: the folder of the program does not hide modules. One thread: others would count as memory.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-P", os.fspath(READER)]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, env=os.environ | threads)


def _received(stream: IO[bytes], n_bytes: int) -> np.ndarray:
    if n_bytes > LARGEST_ANSWER:
        raise ValueError(f"its content has {n_bytes} bytes")
    content = np.empty(n_bytes, dtype=np.uint8)
    if stream.readinto(content.data) < n_bytes:  # type: ignore[attr-defined]
        raise EOFError
    return content


def _decode(values: Iterable[Any], content: np.ndarray) -> list[Any]:
    """What the reader's `Encoder` made JSON of, value by value."""
    decoded = []
    for value in values:
        if not isinstance(value, dict):
            decoded.append(value)
        elif "fields" in value:
            fields = value["fields"]
            decoded.append(dict(zip(fields, _decode(fields.values(), content), strict=True)))
        elif "cells" in value:
            cells = np.empty(len(value["cells"]), dtype=object)
            for position, cell in enumerate(_decode(value["cells"], content)):
                cells[position] = cell
            decoded.append(cells.reshape(value["shape"]))
        else:
            n_values = math.prod(value["shape"])
            array = np.frombuffer(content, value["dtype"], n_values, value["start"]).reshape(value["shape"])
            decoded.append(array if array.ndim else array.item())
    return decoded


_reader = _Reader()
atexit.register(_reader.stop)
if hasattr(os, "register_at_fork"):  # two processes cannot ask one
    os.register_at_fork(after_in_child=_reader.forget)
