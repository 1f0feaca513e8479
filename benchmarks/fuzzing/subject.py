"""One kind of inputs that are damaged."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from fuzzing.outcomes import Job
from fuzzing.worker import Call, Result, Worker


class Subject(ABC):
    """A kind of inputs: makes cases by their numbers, the first of them fixed, the others by chance.

    Parameters
    ----------
    room
        A folder for what all cases use.
    seed
        Of the cases; one is the same whatever else is run.
    run
        Runs a command, for the outputs of good inputs alone.
    """

    name: ClassVar[str]
    cases: ClassVar[int]  # how many make a whole run
    together: ClassVar[int] = 1  # so many lie in one folder

    def __init__(self, room: Path, seed: int, run: Callable[[Call], Result]) -> None:
        self.room = room
        self.seed = seed
        self.run = run
        room.mkdir(parents=True)
        self.prepare()

    def prepare(self) -> None:  # noqa: B027 (there may be nothing to prepare)
        """Make good inputs, and what the commands say of them alone."""

    @abstractmethod
    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """Write some cases into a folder, good inputs beside them, and say what to run there."""

    def execute(self, job: Job, worker: Worker) -> Result:
        """Run what `job` says."""
        return worker.run(job.call)

    def finish(self, folder: Path) -> None:  # noqa: B027
        """Undo what a case needed, when it is judged."""

    def command_number(self, numbers: Sequence[int]) -> int:
        """Which command the cases of a folder are given to: the same for a case that is run alone."""
        return numbers[0] // self.together

    def rng(self, number: int) -> np.random.Generator:
        """Of one case."""
        return np.random.default_rng([self.seed, zlib.crc32(self.name.encode()), number])

    def rehearsed(self, argv: Sequence[str], folder: Path) -> Path:
        """Run a command on good inputs, which has to succeed; the folder."""
        result = self.run(Call(argv, folder, {}))
        if result.status != 0:
            raise RuntimeError(f"{' '.join(argv)} fails on good inputs: {result.err}{result.traceback}")
        return folder
