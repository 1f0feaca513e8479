"""Damaged inputs, hostile names, kills and full disks, given to the commands: what comes of each.

    python benchmarks/fuzz.py                               all subjects, in about half an hour
    python benchmarks/fuzz.py --subject images --cases 80 --seed 3
    python benchmarks/fuzz.py --only images:17 --seed 3     one case again, and its folder is kept

Every case lies beside good inputs where the command takes several. What comes of it:

    fine, error    done, or refused in one line
    lost           the output of a good input is missing or another than alone, a file is not whole, a temporary is left
    wrong          an output that is no density, or lies outside its folder
    untidy         a message that is no line of Foveal's, or that a terminal would obey
    noise          a message that a library in C printed by itself
    memory         more than 2 GB

Most commands run in a process that stays open; every twentieth has one of its own.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fuzzing.images import Images
from fuzzing.maps import Maps
from fuzzing.names import Names
from fuzzing.outcomes import GOOD_OUTCOMES, OUTCOMES, Finding, judged
from fuzzing.settings import Settings
from fuzzing.stops import Disk, Kills
from fuzzing.subject import Subject
from fuzzing.tables import Tables
from fuzzing.weights import Checkpoints, Weights
from fuzzing.worker import COMMAND, Worker

SUBJECTS: dict[str, type[Subject]] = {
    kind.name: kind for kind in (Images, Tables, Settings, Maps, Weights, Checkpoints, Names, Kills, Disk)
}
RESULTS = Path(__file__).parent / "results" / "fuzz.json"
SECONDS = 60  # of its own, or of doing nothing, after which a command is said to hang
ALONE = 20  # every so many commands one has a process of its own
SHOWN = 12  # failing cases of a subject that are printed
DEEP = "1/2/3/4"  # where cases lie, so that a path that climbs out of its folder is seen


@dataclass
class Tally:
    """What came of the cases of one subject.

    Attributes
    ----------
    failing
        By the cases' numbers: what each was, and what came of it.
    peak
        The highest resident memory, MB.
    """

    subject: str
    seed: int
    cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failing: dict[int, tuple[str, Finding]] = field(default_factory=dict)
    peak: float = 0.0
    seconds: float = 0.0

    def add(self, number: int, label: str, finding: Finding) -> None:
        """Count a case."""
        self.cases += 1
        self.outcomes[finding.outcome] += 1
        if finding.outcome not in GOOD_OUTCOMES:
            self.failing[number] = label, finding
            if len(self.failing) <= SHOWN:
                line = f"{self.subject}:{number} {finding.outcome}: {label!r:.120}: {finding.detail:.160}"
                print(f"  {line}", flush=True)

    def as_json(self) -> dict[str, object]:
        """For the file of results."""
        return {
            "seed": self.seed,
            "cases": self.cases,
            **{outcome: self.outcomes[outcome] for outcome in OUTCOMES},
            "peak memory, MB": round(self.peak),
            "seconds": round(self.seconds),
            "failing": {
                f"{self.subject}:{number}": f"{label}: {finding.outcome}, {finding.detail}"
                for number, (label, finding) in self.failing.items()
            },
        }


class Fuzzer:
    """Runs the cases of one subject.

    Parameters
    ----------
    kind
        The subject.
    seed
        Of its cases.
    root
        A folder for all that is made; it is emptied case by case.
    """

    def __init__(self, kind: type[Subject], seed: int, root: Path, seconds: float = SECONDS) -> None:
        self.root = root
        self.around = root / "cases"
        self.n_commands = 0
        (root / "streams").mkdir(parents=True)
        self.worker = Worker(root / "streams", seconds)
        self.tally = Tally(kind.name, seed)
        begun = time.perf_counter()
        self.subject = kind(root / "good", seed, self.worker.run)
        self.tally.seconds = time.perf_counter() - begun

    def run(self, numbers: Sequence[int], *, keep: bool = False) -> Tally:
        """Run these cases, as many together as the subject can have."""
        begun = time.perf_counter()
        for chunk in self._chunks(numbers):
            finding, labels, own, err = self._run(chunk, keep=keep)
            if finding.outcome in GOOD_OUTCOMES:
                for number in chunk:
                    failed = finding.outcome == "error" and own.get(number, "") in err
                    self.tally.add(number, labels[number], Finding("error" if failed else "fine"))
            elif len(chunk) == 1:
                self.tally.add(chunk[0], labels[chunk[0]], finding)
            else:
                self._add_one_by_one(chunk, finding, labels)
        self.tally.seconds += time.perf_counter() - begun
        return self.tally

    def close(self) -> None:
        """End the worker."""
        self.worker.close()

    def _add_one_by_one(self, chunk: Sequence[int], together: Finding, labels: dict[int, str]) -> None:
        """Find out which of several cases it was: each alone beside the good inputs."""
        alone = {number: self._run([number])[0] for number in chunk}
        if all(finding.outcome in GOOD_OUTCOMES for finding in alone.values()):
            alone[chunk[0]] = Finding(together.outcome, f"only with {list(chunk[1:])}: {together.detail}")
        for number, finding in alone.items():
            self.tally.add(number, labels[number], finding)

    def _run(self, chunk: Sequence[int], *, keep: bool = False) -> tuple[Finding, dict[int, str], dict[int, str], str]:
        folder = self.around / DEEP / "case"
        folder.mkdir(parents=True)
        try:
            job = self.subject.job(folder, chunk)
            job.before |= {path for path in self.around.rglob("*") if path.is_file()}
            self.n_commands += 1
            if self.n_commands % ALONE == 0 and type(self.subject).execute is Subject.execute:
                result = self.worker.run_alone(job.call)
            else:
                result = self.subject.execute(job, self.worker)
            self.tally.peak = max(self.tally.peak, result.peak)
            finding = judged(job, result, self.around)
            if keep:
                kept = Path(tempfile.mkdtemp(prefix="fuzz-"))
                shutil.copytree(folder, kept / "case", symlinks=True, copy_function=_copied)
                print(f"cd {kept / 'case'} && {' '.join(COMMAND)} {' '.join(map(repr, job.call.argv))}")
                print("\n".join(f"export {name}={value}" for name, value in job.call.environment.items()))
                print(result.traceback or result.err)
        finally:
            self.subject.finish(folder)
            shutil.rmtree(self.around)
        return finding, dict(job.cases), dict(job.own), result.err

    def _chunks(self, numbers: Sequence[int]) -> Iterator[list[int]]:
        """Cases that share a folder: neighbours, the same whatever else is run."""
        groups: dict[int, list[int]] = {}
        for number in numbers:
            groups.setdefault(number // self.subject.together, []).append(number)
        yield from groups.values()


def _copied(source: str, target: str) -> None:
    """Copy a file; what is none, such as a pipe, is made anew."""
    if Path(source).is_fifo():
        os.mkfifo(target)
    else:
        shutil.copy2(source, target)


def set_environment(root: Path) -> None:
    """Nothing of the user's is read or written, and all processes print alike."""
    home = root / "home"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("FOVEAL_DATA", "FOVEAL_WEIGHTS", "COLUMNS"):
        os.environ.pop(name, None)
    os.environ |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "MPLCONFIGDIR": str(home / "matplotlib")}
    os.environ["PYTHONIOENCODING"] = "utf-8"
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def table_of(tallies: Sequence[Tally]) -> str:
    """One line a subject."""
    lines = ["".join(f"{name:>10}" for name in ("cases", *OUTCOMES, "peak MB", "seconds", "seed"))]
    for tally in tallies:
        numbers = [tally.cases, *(tally.outcomes[outcome] for outcome in OUTCOMES), round(tally.peak)]
        lines.append("".join(f"{number:>10}" for number in (*numbers, round(tally.seconds), tally.seed)))
    names = ["subject", *(tally.subject for tally in tallies)]
    return "\n".join(f"{name:12}{line}" for name, line in zip(names, lines, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subject", action="append", choices=SUBJECTS, help="only this one; can be repeated")
    parser.add_argument("--cases", type=int, help="of each subject, instead of its own number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="SUBJECT:NUMBER, one case")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the counts go")
    arguments = parser.parse_args()
    tallies = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder below is removed
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        set_environment(root)
        if arguments.only:
            name, number = arguments.only.split(":")
            fuzzer = Fuzzer(SUBJECTS[name], arguments.seed, root / name)
            fuzzer.run([int(number)], keep=True)
            fuzzer.close()
            return
        for name in arguments.subject or SUBJECTS:
            fuzzer = Fuzzer(SUBJECTS[name], arguments.seed, root / name)
            tallies.append(fuzzer.run(range(arguments.cases or SUBJECTS[name].cases)))
            fuzzer.close()
            print(table_of(tallies[-1:]), flush=True)
            if failing := tallies[-1].failing:
                print(f"again: python benchmarks/fuzz.py --seed {arguments.seed} --only {name}:{min(failing)}")
    print(table_of(tallies))
    arguments.json.parent.mkdir(exist_ok=True)
    arguments.json.write_text(json.dumps({tally.subject: tally.as_json() for tally in tallies}, indent=2) + "\n")
    sys.exit(any(tally.failing for tally in tallies))


if __name__ == "__main__":
    main()
