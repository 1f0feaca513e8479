"""Commands that are stopped, killed, or run out of disk: nothing half-written, and the next run does it all."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fuzzing.inputs import FORMATS, MODEL, photograph, write_study
from fuzzing.outcomes import INTERRUPTED, Finding, Job, arrays_of, weights_in
from fuzzing.subject import Subject
from fuzzing.weights import RECIPE, write_backbone
from fuzzing.worker import Call, Result, Worker, finished, running

PICTURES = {f"{number:02}.png": FORMATS["png"](photograph(number, (240, 320))) for number in range(30)}
COMMANDS: dict[str, list[str]] = {
    "predict": ["predict", "study/images", "--model", MODEL, "--out", "out", "--save", "overlay,density,map"],
    "evaluate": [
        *["evaluate", "--dataset", "study", "--model", f"uniform,{MODEL}", "--metrics", "LL,NSS,AUC"],
        *["--json", "out/table.json", "--per-image", "out/images.csv"],
    ],
    "export": ["export", "--dataset", "study", "--model", MODEL, "--out", "out/maps.hdf5"],
    "train": ["train", MODEL, "--dataset", "study", "--out", "out"],
    "benchmark": ["benchmark", "--datasets", "study", "--models", MODEL, "--metrics", "LL,NSS", "--out", "out"],
    "recipe": ["train", "recipe.toml", "--out", "out", "--resume"],
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
SECONDS_TO_STOP = 60
SECONDS_IN_ALL = 600
SMALLEST_DISK = 8192  # bytes; what is printed goes to files as well
VARIES = (".lock", "log.csv", "curve.png", "checkpoint.pt", "report.html")  # what tells of the run, not of the result
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


class _Undisturbed(Subject):
    """Commands on one small study, and what they come to."""

    def prepare(self) -> None:
        """Run every command once, undisturbed."""
        write_study(self.room / "study", PICTURES)
        (self.room / "recipe.toml").write_text(RECIPE)
        write_backbone(self.room / "backbones")
        self.streams = self.room / "streams"
        self.streams.mkdir()
        self.seconds: dict[str, float] = {}
        self.results: dict[str, dict[str, object]] = {}
        self.bytes: dict[str, int] = {}
        for name in COMMANDS:
            call = self.call(self.room / name, name)
            begun = time.perf_counter()
            result = self._complete(call)
            self.seconds[name] = time.perf_counter() - begun
            if result.status != 0:
                raise RuntimeError(f"{name} fails undisturbed: {result.err}")
            self.results[name] = _read(call.folder / "out")
            self.bytes[name] = sum(path.stat().st_size for path in (call.folder / "out").rglob("*") if path.is_file())

    def call(self, folder: Path, name: str) -> Call:
        """A command in a folder of its own, with its inputs and a cache."""
        folder.mkdir(exist_ok=True)
        (folder / "study").symlink_to(self.room / "study")
        shutil.copy(self.room / "recipe.toml", folder)
        (folder / "out").mkdir()
        environment = {"FOVEAL_WEIGHTS": str(self.room / "backbones"), "XDG_CACHE_HOME": str(folder / "out/cache")}
        return Call(COMMANDS[name], folder, environment)

    def _complete(self, call: Call) -> Result:
        with running(call, self.streams) as process:
            return finished(process, self.streams, SECONDS_IN_ALL)


class Kills(_Undisturbed):
    """Signals at any moment."""

    name = "kills"
    cases = 18

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """One command, which is stopped and run again."""
        (number,) = numbers
        name = list(COMMANDS)[number % len(COMMANDS)]
        how = SIGNALS[number // len(COMMANDS) % len(SIGNALS)]
        # Not in the first third: Python is still reading its modules then.
        self.moment = float(self.rng(number).uniform(0.35, 1.0)) * self.seconds[name]
        self.how = how
        call = self.call(folder, name)
        return Job(
            call,
            {number: f"{name}, {how.name} after {self.moment:.2f} of {self.seconds[name]:.2f} s"},
            lambda _: self._check_again(name, call),
            may_leave=how == signal.SIGKILL,
        )

    def execute(self, job: Job, worker: Worker) -> Result:
        """Start the command in a process of its own, and send the signal."""
        with running(job.call, self.streams) as process:
            time.sleep(self.moment)
            with suppress(ProcessLookupError):
                os.kill(process.pid, self.how)
            result = finished(process, self.streams, SECONDS_TO_STOP)
        if result.signal == self.how or result.status in INTERRUPTED:
            result.signal, result.status = 0, 0  # as it should be; what it leaves is judged
        return result

    def _check_again(self, name: str, call: Call) -> Finding | None:
        """Does the next run come to the same as an undisturbed one, and clear away what was left?"""
        result = self._complete(call)
        if result.status != 0:
            last = (result.traceback or result.err).strip().split("\n")[-1]
            return Finding("lost", f"run again: status {result.status}, {last:.200}")
        if hidden := [path.name for path in (call.folder / "out").rglob(".*")]:
            return Finding("lost", f"a temporary file stays after the next run: {hidden[0]}")
        return _difference(self.results[name], _read(call.folder / "out"))


class Disk(_Undisturbed):
    """A disk that is full, or a limit on the size of files."""

    name = "disk"
    cases = 24

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """One command, whose output does not fit; or just."""
        (number,) = numbers
        rng = self.rng(number)
        name = list(COMMANDS)[number % len(COMMANDS)]
        call = self.call(folder, name)
        room = int(self.bytes[name] * 10 ** rng.uniform(-2.5, 0.1)) + SMALLEST_DISK
        if number // len(COMMANDS) % 2 == 0 and _mount(folder / "out", room):
            label = f"{name} on a disk of {room} bytes"
        else:
            call = Call(call.argv, call.folder, call.environment, room)
            label = f"{name}, files of at most {room} bytes"

        def check(result: Result) -> Finding | None:
            return _difference(self.results[name], _read(folder / "out")) if result.status == 0 else None

        return Job(call, {number: label}, check)

    def finish(self, folder: Path) -> None:
        """Take the disk away."""
        _unmount(folder / "out")


def _mount(place: Path, size: int) -> bool:
    """A small disk in memory, where that is allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unmount(place: Path) -> None:
    if place.is_mount():
        subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def _read(out: Path) -> dict[str, object]:
    """What a command wrote, by file, as far as two runs must agree."""
    found: dict[str, object] = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if not path.is_file() or name.startswith("cache") or name.endswith(VARIES) or path.name.startswith("."):
            continue
        match path.suffix:
            case ".npy":
                found[name] = {"": np.load(path)}
            case ".png":
                found[name] = {"": cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)}
            case ".hdf5":
                found[name] = arrays_of(path)
            case ".safetensors":
                found[name] = weights_in(path)
            case ".parquet":
                found[name] = pd.read_parquet(path).to_csv()
            case ".json" | ".csv" | ".toml":
                found[name] = path.read_text(encoding="utf-8")
            case _:
                found[name] = path.read_bytes()
    return found


def _difference(expected: Mapping[str, object], found: Mapping[str, object]) -> Finding | None:
    if missing := expected.keys() - found.keys():
        return Finding("lost", f"no {min(missing)}")
    for name, content in expected.items():
        if not _same(content, found[name]):
            return Finding("lost", f"{name} is another than undisturbed")
    return None


def _same(one: object, other: object) -> bool:
    """Equal; numbers nearly so, for they may have been computed in other batches."""
    if isinstance(one, str) and isinstance(other, str):
        numbers = [np.array(NUMBER.findall(text), float) for text in (one, other)]
        same = len(numbers[0]) == len(numbers[1]) and np.allclose(*numbers, atol=1e-3)
        return same and NUMBER.sub("", one) == NUMBER.sub("", other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_array(one[key], other[key]) for key in one)
    return one == other


def _same_array(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    # A gray level more or less is rounding.
    return (
        np.allclose(one, other, atol=1e-3 + (one.dtype.kind == "u"))
        if one.dtype.kind in "fui"
        else (one == other).all()
    )
