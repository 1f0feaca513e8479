"""Models x data sets x metrics: one tidy table with intervals."""

from foveal.benchmarking.evaluation import evaluate
from foveal.benchmarking.predictions import Predictions
from foveal.benchmarking.results import Results, write_json, write_per_image
from foveal.benchmarking.run import BenchmarkRun, benchmark
from foveal.benchmarking.submission import Export, export

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
