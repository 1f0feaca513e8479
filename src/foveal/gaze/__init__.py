"""What people did: photographs shown, fixations made, and the maps and densities that follow from them."""

from typing import TYPE_CHECKING, Any

from foveal.gaze.dataset import Dataset
from foveal.gaze.fixations import Fixations
from foveal.gaze.heads import Heads
from foveal.gaze.stimuli import Stimuli, Stimulus

if TYPE_CHECKING:
    from foveal.gaze.maps import fixation_map

__all__ = ["Dataset", "Fixations", "Heads", "Stimuli", "Stimulus", "fixation_map"]


def __getattr__(name: str) -> Any:
    if name != "fixation_map":
        raise AttributeError(f"module 'foveal.gaze' has no attribute {name!r}")
    from foveal.gaze.maps import fixation_map  # of all here, it alone takes torch

    return fixation_map
