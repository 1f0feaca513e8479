"""How long a call takes, how far it is, and how results are kept."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def median_seconds(call: Callable[[], Any], repeats: int) -> float:
    """Median wall time of a call, after one call to warm up."""
    return median_seconds_in_turn({"": call}, repeats)[""]


def median_seconds_in_turn(calls: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The same of several that take turns, so that what else the machine does is felt by all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if repeat:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(of_call) for name, of_call in times.items()}


def say(what: str, done: int, total: int) -> None:
    """Progress, now and then."""
    if done == total:
        print(f"{what}: {done} of {total}", flush=True)


def keep(name: str, results: dict[str, Any]) -> None:
    """Print the results and write them to benchmarks/results/<name>.json."""
    for key, value in results.items():
        print(f"{key:60} {value:.4g}" if isinstance(value, float) else f"{key:60} {value}")
    path = Path(__file__).parent / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
