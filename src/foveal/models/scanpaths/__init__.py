"""Models of scanpaths: image and the fixations before to the log density of the next fixation.

The names below are imported when first used: to list models takes no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foveal.models.scanpaths.base import ScanpathModel
    from foveal.models.scanpaths.registry import list_scanpath_models, load_scanpath_model, save_scanpath_model

_HOME = {
    "ScanpathModel": "foveal.models.scanpaths.base",
    "list_scanpath_models": "foveal.models.scanpaths.registry",
    "load_scanpath_model": "foveal.models.scanpaths.registry",
    "save_scanpath_model": "foveal.models.scanpaths.registry",
}

__all__ = ["ScanpathModel", "list_scanpath_models", "load_scanpath_model", "save_scanpath_model"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'foveal.models.scanpaths' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
