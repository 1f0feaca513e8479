"""How alike two scanpaths are: one observer's fixations on one photograph, in their order, beside another's."""

from foveal.metrics.paths.comparison import PATH_METRICS, PathMetric, compare_paths, get_path_metrics
from foveal.metrics.paths.multimatch import MultiMatch, multi_match
from foveal.metrics.paths.scanmatch import scan_match
from foveal.metrics.paths.string_edit import edit_similarity
from foveal.metrics.paths.time_warping import dynamic_time_warping

__all__ = [
    "PATH_METRICS",
    "MultiMatch",
    "PathMetric",
    "compare_paths",
    "dynamic_time_warping",
    "edit_similarity",
    "get_path_metrics",
    "multi_match",
    "scan_match",
]
