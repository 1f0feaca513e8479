"""Foveal predicts where people look: densities of fixations over photographs, and how good they are.

The names below are the whole public interface at the top; they are imported when first used, so that `import foveal`
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__: str  # as pyproject.toml says it

if TYPE_CHECKING:
    from foveal.analysis.attention import attention, compared, too_low
    from foveal.analysis.dissect import dissect
    from foveal.analysis.layers import layers
    from foveal.analysis.patches import patches
    from foveal.analysis.popout import popout
    from foveal.analysis.recordings import import_recordings
    from foveal.analysis.regions import regions
    from foveal.benchmarking import Predictions, Results, benchmark, evaluate, export
    from foveal.datasets import list_datasets, load_dataset, save_dataset
    from foveal.datasets.picture_regions import PictureRegion
    from foveal.errors import FovealError
    from foveal.figures import overlay, plot_density, plot_fixations
    from foveal.file_predictions import predict_files
    from foveal.film.predicting import predict_film
    from foveal.gaze import Dataset, Fixations, Stimuli, fixation_map
    from foveal.interop.browser import capture
    from foveal.metrics import list_metrics
    from foveal.models import Prediction, list_models, load_model
    from foveal.training.train import train

_HOME = {
    "Dataset": "foveal.gaze",
    "Fixations": "foveal.gaze",
    "FovealError": "foveal.errors",
    "PictureRegion": "foveal.datasets.picture_regions",
    "Prediction": "foveal.models",
    "Predictions": "foveal.benchmarking",
    "Results": "foveal.benchmarking",
    "Stimuli": "foveal.gaze",
    "attention": "foveal.analysis.attention",
    "benchmark": "foveal.benchmarking",
    "capture": "foveal.interop.browser",
    "compared": "foveal.analysis.attention",
    "dissect": "foveal.analysis.dissect",
    "evaluate": "foveal.benchmarking",
    "export": "foveal.benchmarking",
    "fixation_map": "foveal.gaze",
    "import_recordings": "foveal.analysis.recordings",
    "layers": "foveal.analysis.layers",
    "list_datasets": "foveal.datasets",
    "list_metrics": "foveal.metrics",
    "list_models": "foveal.models",
    "load_dataset": "foveal.datasets",
    "load_model": "foveal.models",
    "overlay": "foveal.figures",
    "patches": "foveal.analysis.patches",
    "plot_density": "foveal.figures",
    "plot_fixations": "foveal.figures",
    "popout": "foveal.analysis.popout",
    "predict_files": "foveal.file_predictions",
    "predict_film": "foveal.film.predicting",
    "regions": "foveal.analysis.regions",
    "save_dataset": "foveal.datasets",
    "too_low": "foveal.analysis.attention",
    "train": "foveal.training.train",
}

__all__ = [
    "Dataset",
    "Fixations",
    "FovealError",
    "PictureRegion",
    "Prediction",
    "Predictions",
    "Results",
    "Stimuli",
    "attention",
    "benchmark",
    "capture",
    "compared",
    "dissect",
    "evaluate",
    "export",
    "fixation_map",
    "import_recordings",
    "layers",
    "list_datasets",
    "list_metrics",
    "list_models",
    "load_dataset",
    "load_model",
    "overlay",
    "patches",
    "plot_density",
    "plot_fixations",
    "popout",
    "predict_files",
    "predict_film",
    "regions",
    "save_dataset",
    "too_low",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("foveal")
    if name not in _HOME:
        raise AttributeError(f"module 'foveal' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
