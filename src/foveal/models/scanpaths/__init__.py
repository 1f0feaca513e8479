"""Models of scanpaths: image and the fixations before to the log density of the next fixation."""

from foveal.models.scanpaths.base import History, ScanpathModel
from foveal.models.scanpaths.registry import list_scanpath_models, load_scanpath_model, save_scanpath_model

__all__ = ["History", "ScanpathModel", "list_scanpath_models", "load_scanpath_model", "save_scanpath_model"]
