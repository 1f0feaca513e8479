"""What people did: photographs shown, fixations made, and the maps and densities that follow from them."""

from foveal.gaze.dataset import Dataset
from foveal.gaze.fixations import Fixations
from foveal.gaze.heads import Heads
from foveal.gaze.maps import fixation_map
from foveal.gaze.stimuli import Stimuli, Stimulus

__all__ = ["Dataset", "Fixations", "Heads", "Stimuli", "Stimulus", "fixation_map"]
