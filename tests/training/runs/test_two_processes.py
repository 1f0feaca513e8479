"""Runs of several processes: side by side at the same work, and killed ones."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest
import torch

from foveal.models import load_model

PREPARATION = """
import sys

from dataclasses import asdict

from toy import make_dataset

from foveal.gaze import folds
from foveal.models.deep.foveal_s import FovealS
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.runs import tree as run_recipe
from foveal.training.recipe import Mixture
from foveal.training.runs.one_run import train_deep

config = asdict(FovealS.tiny) | {"width": 16, "hidden": 8, "dropout": 0.0}
phases = (Phase(2, 1e-2), Phase(1, 1e-3, 1e-3))
recipe = Recipe(("toy",), config=config, phases=phases, batch_size=3)
"""
ONE_FOLD = """
data = [make_dataset(7)]
train_deep(recipe.without_fold(0), data, sys.argv[1], resume=True, progress=Progress())
"""
TWO_NETWORKS = """
folds.FOLDS = 2
run_recipe.load_dataset = lambda name, root: make_dataset(4)
member = Recipe(("toy",), config=config, phases=(Phase(1, 1e-2),), batch_size=3)
both = Mixture({"one": member, "two": member})
run_recipe.train_by_recipe(both, out=sys.argv[1], cross_validated=True, resume=True)
"""
ALONE = [sys.executable]
TOGETHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]


def start(launcher: list[str], what: str, folder: Path, out: str = "out") -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "script.py").write_text(PREPARATION + what)
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OMP_NUM_THREADS": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    command = [*launcher, str(folder / "script.py"), str(folder / out)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err


def log_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "out/log.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """What one process does that nothing stops."""
    folder = tmp_path_factory.mktemp("alone")
    finish(start(ALONE, ONE_FOLD, folder))
    return folder


def assert_same_weights(folder: Path, other: Path) -> None:
    one, two = (load_model(run / "foveal-s.safetensors").state_dict() for run in (folder, other))
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name]), name


def test_two_processes_learn_what_one_learns(tmp_path, alone):
    """And go on with what one began."""
    finish(start(TOGETHER, ONE_FOLD, tmp_path))
    assert len(log_of(alone)) == 3
    for one, two in zip(log_of(alone), log_of(tmp_path), strict=True):
        assert float(one["loss"]) == pytest.approx(float(two["loss"]), rel=1e-4)
        assert float(one["IG"]) == pytest.approx(float(two["IG"]), abs=1e-4)
    shutil.copytree(alone / "out", tmp_path / "again")
    (tmp_path / "again/recipe.toml").unlink()
    finish(start(TOGETHER, ONE_FOLD, tmp_path, "again"))
    assert (tmp_path / "again/recipe.toml").is_file()


def test_two_processes_train_the_folds_of_a_mixture(tmp_path):
    finish(start(TOGETHER, TWO_NETWORKS, tmp_path))
    with h5py.File(tmp_path / "out/held_out/toy.hdf5") as file:
        assert len(file) == 4
    assert load_model(tmp_path / "out/foveal-l.safetensors").card.name == "foveal-l"


def test_runs_side_by_side_that_want_the_same_features(tmp_path, alone):
    finish(*(start(ALONE, ONE_FOLD, tmp_path, out) for out in ("one", "two")))
    assert_same_weights(tmp_path / "one", alone / "out")
    assert_same_weights(tmp_path / "two", alone / "out")


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path, alone):
    process = start(ALONE, ONE_FOLD, tmp_path)
    for _ in range(1000):
        if (tmp_path / "out/checkpoint.pt").is_file():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert 1 <= len(log_of(tmp_path)) < 3
    finish(start(ALONE, ONE_FOLD, tmp_path))
    assert_same_weights(tmp_path / "out", alone / "out")
