"""Models x data sets x metrics: one tidy table with intervals."""

from foveal.benchmark.evaluation import evaluate
from foveal.benchmark.predictions import Predictions
from foveal.benchmark.results import Results, write_json, write_per_image

__all__ = ["Predictions", "Results", "evaluate", "write_json", "write_per_image"]
