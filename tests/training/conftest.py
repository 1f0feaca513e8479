"""What tests of training share."""

import pytest
import torch
from toy import make_dataset

from foveal.models.parts.backbones import Backbone


@pytest.fixture
def random_backbone(monkeypatch, tmp_path):
    """Weights that need not be fetched, and features kept in a folder that goes away."""
    torch.manual_seed(0)
    state = Backbone("efficientnet_lite2", pretrained=False).steps.state_dict()
    monkeypatch.setattr("foveal.models.parts.backbones.read_weights", lambda _: state)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")


@pytest.fixture
def two_folds_of_toy(monkeypatch, random_backbone):
    """Whatever data set a recipe names is six images, in two folds."""
    monkeypatch.setattr("foveal.training.run_recipe.load_dataset", lambda name, root: make_dataset(6))
    for place in ("foveal.training.run_recipe.FOLDS", "foveal.training.preparation.FOLDS"):
        monkeypatch.setattr(place, 2)
