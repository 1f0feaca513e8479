"""Fixtures for all tests: small data that the tests make themselves, and the real data where it is."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from toy import make_dataset, make_photograph

from foveal.gaze import Dataset

# One thread: the maps are small, and threads that wait for each other are slow on a busy machine.
torch.set_num_threads(1)
# The same examples at every run, and no clock: these machines are shared.
settings.register_profile("foveal", deadline=None, derandomize=True)
settings.load_profile("foveal")


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
