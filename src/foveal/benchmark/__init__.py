"""Models x data sets x metrics: one tidy table with intervals."""

from foveal.benchmark.evaluation import evaluate
from foveal.benchmark.predictions import Predictions
from foveal.benchmark.results import Results, write_json, write_per_image
from foveal.benchmark.run import BenchmarkRun, benchmark
from foveal.benchmark.submission import Export, export

__all__ = [
    "BenchmarkRun",
    "Export",
    "Predictions",
    "Results",
    "benchmark",
    "evaluate",
    "export",
    "write_json",
    "write_per_image",
]
