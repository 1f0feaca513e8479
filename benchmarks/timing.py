"""How long a call takes, how far it is, and how results are kept."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def median_seconds(call: Callable[[], Any], repeats: int) -> float:
    """Median wall time of a call, after one call to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


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
