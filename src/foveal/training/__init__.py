"""Fitting models to fixations."""

from foveal.training.fitting import TrainingReport, train
from foveal.training.recipe import Phase, Recipe
from foveal.training.train_deep import DeepTraining, train_by_recipe

__all__ = ["DeepTraining", "Phase", "Recipe", "TrainingReport", "train", "train_by_recipe"]
