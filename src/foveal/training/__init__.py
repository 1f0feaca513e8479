"""Fitting models to fixations."""

from foveal.training.fitting import TrainingReport, train
from foveal.training.recipe import Phase, Recipe
from foveal.training.run_recipe import train_by_recipe
from foveal.training.train_deep import DeepTraining

__all__ = ["DeepTraining", "Phase", "Recipe", "TrainingReport", "train", "train_by_recipe"]
