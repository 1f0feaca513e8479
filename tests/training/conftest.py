"""What tests of training share."""

import pytest
from toy import make_dataset


@pytest.fixture
def two_folds_of_toy(monkeypatch, empty_cache):
    """Whatever data set a recipe names is six images, in two folds."""
    monkeypatch.setattr("foveal.training.runs.tree.load_dataset", lambda name, root: make_dataset(6))
    monkeypatch.setattr("foveal.gaze.folds.FOLDS", 2)
