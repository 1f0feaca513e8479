"""Fixtures for all tests: small data that the tests make themselves, and the real data where it is."""

import os
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import settings
from safetensors.torch import save_file
from toy import make_dataset, make_photograph

from foveal.gaze import Dataset
from foveal.models.backbones.architectures import ARCHITECTURES
from foveal.models.backbones.backbone import Backbone
from foveal.models.backbones.catalogue import WEIGHTS_VARIABLE

# One thread: the maps are small, and threads that wait for each other are slow on a busy machine.
torch.set_num_threads(1)
# The same examples at every run, and no clock: these machines are shared.
settings.register_profile("foveal", deadline=None, derandomize=True)
settings.load_profile("foveal")


@pytest.fixture
def as_users_run_it(monkeypatch):
    """Without the checks of shapes that only the tests make: what is refused is refused by Foveal itself."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def photograph() -> np.ndarray:
    return make_photograph()


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return make_dataset()


SHARED = Path(os.environ.get("FOVEAL_SHARED") or Path(__file__).parents[2] / "shared")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and reference values beside the project."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real data: {SHARED}/data is not there (FOVEAL_SHARED can say where it is)")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def backbone_weights(tmp_path_factory):
    """Random weights of AlexNet where models look for trained ones: what is shipped runs on them, and means nothing."""
    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WEIGHTS_VARIABLE, str(folder))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            save_file(ARCHITECTURES["alexnet"].steps().state_dict(), folder / "alexnet.safetensors")
        yield folder


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """Features are kept in a folder that goes away."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")


@pytest.fixture
def random_backbone(monkeypatch, tmp_path):
    """Weights that need not be fetched, and features kept in a folder that goes away."""
    torch.manual_seed(0)
    state = Backbone("efficientnet_lite2", pretrained=False).steps.state_dict()
    monkeypatch.setattr("foveal.models.backbones.backbone.read_weights", lambda _: state)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")
