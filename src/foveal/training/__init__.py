"""Fitting models to fixations."""

from foveal.training.fitting import TrainingReport, train

__all__ = ["TrainingReport", "train"]
