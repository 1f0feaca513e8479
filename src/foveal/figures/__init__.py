"""Every picture: drawn from arrays, knowing nothing of models."""

from foveal.figures.overlay import overlay
from foveal.figures.plots import plot_density, plot_fixations, save_figure
from foveal.figures.points import Axis
from foveal.figures.styles import styles_of

__all__ = ["Axis", "overlay", "plot_density", "plot_fixations", "save_figure", "styles_of"]
