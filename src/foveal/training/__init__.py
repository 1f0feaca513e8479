"""Fitting models to fixations."""

from foveal.training.fits.fit_model import TrainingReport
from foveal.training.recipe import Phase, Recipe
from foveal.training.runs.one_run import DeepTraining
from foveal.training.runs.tree import train_by_recipe
from foveal.training.scanpaths import ScanpathTraining
from foveal.training.train import is_recipe, train
from foveal.training.trained import Trained

__all__ = [
    "DeepTraining",
    "Phase",
    "Recipe",
    "ScanpathTraining",
    "Trained",
    "TrainingReport",
    "is_recipe",
    "train",
    "train_by_recipe",
]
