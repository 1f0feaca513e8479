"""Fitting models to a data set: one file a way."""
