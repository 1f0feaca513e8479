"""Processor seconds (user and system) and peak memory of commands from the shell, medians of runs by turns.

    python benchmarks/startup.py PHOTO [--other SRC]     SRC: a `src` folder of another version, to compare with

Processor time, not the clock: how busy the machine is hardly counts. The first run of each is not counted; it fills the
caches of the disk and of Python.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 5
OURS = Path(__file__).parents[1] / "src"
COMMANDS = ("--help", "models", "datasets", "evaluate --help", "predict")


def cost_of(arguments: list[str], source: Path) -> tuple[float, float]:
    """Processor seconds and peak memory in MB of one run."""
    call = [sys.executable, "-c", "from foveal.cli.app import main; main()", *arguments]
    environment = os.environ | {"PYTHONPATH": os.fspath(source.resolve())}
    process = subprocess.Popen(call, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("--other", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    sources = [OURS] if given.other is None else [given.other, OURS]
    costs: dict[tuple[str, Path], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as out:
        for run in range(1 + given.runs):
            for command in COMMANDS:
                arguments = ["predict", given.photo, "--out", out] if command == "predict" else command.split()
                for source in sources:
                    cost = cost_of(arguments, source)
                    if run > 0:
                        costs.setdefault((command, source), []).append(cost)
    print(f"{'command':17} {'version':7} {'processor s':>11} {'least … most':>13} {'peak MB':>8}")
    for (command, source), measured in costs.items():
        seconds, megabytes = zip(*measured, strict=True)
        spread = f"{min(seconds):.2f} … {max(seconds):.2f}"
        version = "this" if source == OURS else "other"
        print(
            f"{command:17} {version:7} {statistics.median(seconds):11.2f} {spread:>13} "
            f"{statistics.median(megabytes):8.0f}"
        )


if __name__ == "__main__":
    main()
