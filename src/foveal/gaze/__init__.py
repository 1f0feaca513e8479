"""What people did: photographs shown, fixations made, and the maps and densities that follow from them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from foveal.gaze.dataset import Dataset
from foveal.gaze.fixations import Fixations
from foveal.gaze.heads import Heads
from foveal.gaze.stimuli import Stimuli, Stimulus

if TYPE_CHECKING:
    from foveal.gaze.maps import fixation_map, gaze_map
    from foveal.gaze.scanpaths import saccades

__all__ = ["Dataset", "Fixations", "Heads", "Stimuli", "Stimulus", "fixation_map", "gaze_map", "saccades"]

# What takes torch or pandas is imported when it is used.
_HOME = {
    "fixation_map": "foveal.gaze.maps",
    "gaze_map": "foveal.gaze.maps",
    "saccades": "foveal.gaze.scanpaths",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'foveal.gaze' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
