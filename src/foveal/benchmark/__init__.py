"""Models x data sets x metrics: one tidy table with intervals."""

from foveal.benchmark.evaluation import Results, evaluate, write_json

__all__ = ["Results", "evaluate", "write_json"]
