"""Commands run under guard: in a process that stays open, or in one of their own; with a time limit and a memory limit.

What comes of a command is a `Result`, also if it never ends or takes its process with it.
"""

import ctypes
import io
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ADDRESS_SPACE = 8 << 30  # bytes; PyTorch alone reserves 4 GiB, and the machine must survive what is tried here
FRESH_ABOVE = 1500  # MB
SECONDS_BETWEEN_LOOKS = 1.0
PR_SET_PDEATHSIG = 1  # of Linux, linux/prctl.h
LONGEST_OUTPUT = 200_000  # characters that are looked at
COMMAND = (sys.executable, "-m", "foveal.cli.app")


@dataclass
class Result:
    """What became of one command.

    Attributes
    ----------
    status
        The exit status; None if the command did not come to one.
    signal
        The signal that ended the process, or 0.
    hung
        Was it stopped at the time limit?
    traceback
        Of an exception that no command should let through; "" if there was none.
    out, err
        What it printed.
    seconds, peak
        Wall time, and the highest resident memory in MB.
    """

    status: int | None = None
    signal: int = 0
    hung: bool = False
    traceback: str = ""
    out: str = ""
    err: str = ""
    seconds: float = 0.0
    peak: float = 0.0


@dataclass(frozen=True)
class Call:
    """A command line, the folder that it is run in, and what is particular to it.

    Attributes
    ----------
    environment
        Variables that differ.
    largest_file
        No file may grow beyond so many bytes, as on a disk that is full.
    """

    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    largest_file: int | None = None


class Worker:
    """A process in which one command after the other is run; a new one is begun where it dies.

    Parameters
    ----------
    streams
        A folder for what commands print.
    limit
        Seconds of its own, or of doing nothing, after which a command is said to hang.
    """

    def __init__(self, streams: Path, limit: float) -> None:
        self.streams = streams
        self.limit = limit
        self.started = 0
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._connection: Any = None

    def run(self, call: Call) -> Result:
        """Run a command in the process that is open."""
        if self._process is None:
            self._start()
        begun = time.perf_counter()
        self._connection.send(call)
        result = Result()
        clock = _Clock(self._process.pid, self.limit)
        try:
            while not self._connection.poll(SECONDS_BETWEEN_LOOKS):
                if clock.is_over():
                    result.hung, result.peak = True, _peak(self._process.pid)
                    self.close()
                    break
            else:
                result = self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            result.signal = max(0, -self._process.exitcode)
            self.close()
        result.out, result.err = (_text(self.streams / name) for name in ("out", "err"))
        result.seconds = time.perf_counter() - begun
        if result.peak > FRESH_ABOVE:  # what it has not given back would count for the next command
            self.close()
        return result

    def run_alone(self, call: Call) -> Result:
        """The same in a process of its own, as a user's shell starts it."""
        with running(call, self.streams) as process:
            return finished(process, self.streams, self.limit)

    def close(self) -> None:
        """End the process, and what it started."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, self.streams), daemon=False)
        self._process.start()
        theirs.close()
        self.started += 1
        if self._connection.recv() != "ready":
            raise RuntimeError("the worker did not start")


def running(call: Call, streams: Path) -> "subprocess.Popen[bytes]":
    """A command's process, just started; what it prints goes to files in `streams`."""

    def limit() -> None:
        _limit_memory()
        # What runs in the background of a shell ignores Ctrl-C, and its children would, too.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if call.largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (call.largest_file, resource.RLIM_INFINITY))

    with (streams / "out").open("wb") as out, (streams / "err").open("wb") as err:
        return subprocess.Popen(
            [*COMMAND, *call.argv],
            cwd=call.folder,
            env={**os.environ, **call.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=limit,
            start_new_session=True,
        )


def finished(process: "subprocess.Popen[bytes]", streams: Path, limit: float) -> Result:
    """Wait for a command to end, and kill it when it hangs."""
    begun = time.perf_counter()
    clock, hung = _Clock(process.pid, limit), False
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        time.sleep(0.02)
        if not hung and clock.is_over():
            hung = True
            os.killpg(process.pid, signal.SIGKILL)
    _, status, usage = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    err = _text(streams / "err")
    return Result(
        process.returncode if process.returncode >= 0 else None,
        0 if hung else max(0, -process.returncode),
        hung,
        err[err.index("Traceback (most") :] if "Traceback (most" in err else "",
        _text(streams / "out"),
        err,
        time.perf_counter() - begun,
        usage.ru_maxrss / 1024,
    )


class _Clock:
    """Tells when a process, and what it started, has worked too long, or has long done nothing.

    Wall time would tell how busy the machine is.
    """

    def __init__(self, process: int, limit: float) -> None:
        self.process = process
        self.limit = limit
        self.at_start = self.used = self._seconds()
        self.since = self.looked = time.monotonic()

    def is_over(self) -> bool:
        """Look at it, at most once a second."""
        now = time.monotonic()
        if now - self.looked < SECONDS_BETWEEN_LOOKS:
            return False
        self.looked, used = now, self._seconds()
        if used > self.used:
            self.used, self.since = used, now
        return used - self.at_start > self.limit or now - self.since > self.limit

    def _seconds(self) -> float:
        """Processor time of all processes of its session."""
        total = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it may just have ended
                fields = path.read_text(errors="replace").rpartition(")")[2].split()
                if int(fields[3]) == self.process:
                    total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")


def _serve(connection: Connection, streams: Path) -> None:
    """The worker's own side: commands come in, results go out."""
    os.setsid()  # so that whatever it starts ends with it
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # and it with its parent
    _limit_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the parent
    from foveal.cli import app

    connection.send("ready")
    with suppress(EOFError):
        while True:
            connection.send(_run(app.main, connection.recv(), streams))


def _run(main: Any, call: Call, streams: Path) -> Result:
    result = Result()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    before = {name: os.environ.get(name) for name in call.environment}
    screens = os.dup(1), os.dup(2)
    try:
        for name, number in (("out", 1), ("err", 2)):
            with (streams / name).open("wb") as file:
                os.dup2(file.fileno(), number)
        # As a terminal's or a pipe's; a stream that could not be flushed is not kept for the next command.
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False), encoding="utf-8")  # type: ignore[arg-type]
        sys.stderr = io.TextIOWrapper(
            io.FileIO(2, "wb", closefd=False),  # type: ignore[arg-type]
            encoding="utf-8",
            errors="backslashreplace",
            write_through=True,
        )
        os.environ.update(call.environment)
        os.chdir(call.folder)
        sys.argv = ["foveal", *call.argv]
        if call.largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (call.largest_file, resource.RLIM_INFINITY))
        try:
            main()
            result.status = 0
        except SystemExit as stop:
            result.status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except BaseException:
            result.traceback = traceback.format_exc()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, UnicodeError):
                stream.flush()
        for screen, number in zip(screens, (1, 2), strict=True):
            os.dup2(screen, number)
            os.close(screen)
        os.chdir("/")
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    result.peak = _peak(os.getpid())
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if child > children:  # one that this command started was larger than all before
        result.peak = max(result.peak, child / 1024)
    return result


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _peak(process: int) -> float:
    """The highest resident memory of a process, MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _text(path: Path) -> str:
    return path.read_bytes()[:LONGEST_OUTPUT].decode(errors="backslashreplace") if path.is_file() else ""
