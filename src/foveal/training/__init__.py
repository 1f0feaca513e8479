"""Fitting models to fixations."""

from foveal.training.fits.fit_model import TrainingReport, train
from foveal.training.recipe import Phase, Recipe
from foveal.training.runs.one_run import DeepTraining
from foveal.training.runs.tree import train_by_recipe

__all__ = ["DeepTraining", "Phase", "Recipe", "TrainingReport", "train", "train_by_recipe"]
