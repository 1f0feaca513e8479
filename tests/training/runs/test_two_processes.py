"""Runs of several processes: side by side at the same work, and killed ones."""

import csv
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import h5py
import pytest
import torch
from toy import make_dataset

from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealS
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.runs.one_run import train_deep

CONFIG = asdict(FovealS.tiny) | {"width": 16, "hidden": 8, "dropout": 0.0}
RECIPE = Recipe(("toy",), config=CONFIG, phases=(Phase(2, 1e-2), Phase(1, 1e-3, 1e-3)), batch_size=3, held_out=0)
PREPARATION = """
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from toy import make_dataset

from foveal.gaze import folds
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.recipe import Mixture
from foveal.training.runs import tree
from foveal.training.runs.one_run import train_deep

folder = Path(sys.argv[1])
recipe = Recipe.read(folder / "toy.toml")

def train(out, report=None):
    train_deep(recipe, [make_dataset(7)], folder / out, resume=True, progress=Progress.of(report))

"""
ALL_AT_ONE_START = """
train("new")
train("again")
folds.FOLDS = 2
tree.load_dataset = lambda name, root: make_dataset(4)
member = replace(recipe, held_out=None, phases=(Phase(1, 1e-2),))
both = Mixture({"one": member, "two": member})
tree.train_by_recipe(both, out=folder / "both", cross_validated=True, resume=True)
"""
KILLED = """
def kill(what, done, total):
    if what == "epoch 2/3" and done == 1:
        os.kill(os.getpid(), signal.SIGKILL)

train("killed", kill)
"""
ALONE = [sys.executable]
TOGETHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]

pytestmark = pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")


def start(launcher: list[str], what: str, folder: Path) -> subprocess.Popen[str]:
    RECIPE.write(folder / "toy.toml")
    script = folder / f"{len(list(folder.iterdir()))}.py"
    script.write_text(PREPARATION + what)
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OMP_NUM_THREADS": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    return subprocess.Popen([*launcher, str(script), str(folder)], env=environment, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str], status: int = 0) -> None:
    _, err = process.communicate(timeout=200)
    assert process.returncode == status, err


def train(out: Path) -> Path:
    return train_deep(RECIPE, [make_dataset(7)], out, resume=True, progress=Progress()).path.parent


def log_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """What one process does that nothing stops."""
    return train(tmp_path_factory.mktemp("alone") / "out")


@pytest.fixture(scope="module")
def together(tmp_path_factory, alone) -> Path:
    """What two processes do: a run of their own, one that another process began, and all folds of a mixture."""
    folder = tmp_path_factory.mktemp("together")
    shutil.copytree(alone, folder / "again")
    (folder / "again/recipe.toml").unlink()  # as if it had been stopped
    finish(start(TOGETHER, ALL_AT_ONE_START, folder))
    return folder


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory) -> Path:
    """What two processes leave that begin together and want the same features; one is killed in its next run."""
    folder = tmp_path_factory.mktemp("side_by_side")
    first, second = start(ALONE, 'train("one")' + KILLED, folder), start(ALONE, 'train("two")', folder)
    finish(first, status=-signal.SIGKILL)
    finish(second)
    return folder


def assert_same_weights(folder: Path, other: Path) -> None:
    one, two = (load_model(run / "foveal-s.safetensors").state_dict() for run in (folder, other))
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name]), name


def test_two_processes_learn_what_one_learns(together, alone):
    assert len(log_of(alone)) == 3
    for one, two in zip(log_of(alone), log_of(together / "new"), strict=True):
        assert float(one["loss"]) == pytest.approx(float(two["loss"]), rel=1e-4)
        assert float(one["IG"]) == pytest.approx(float(two["IG"]), abs=1e-4)


def test_two_processes_go_on_with_what_one_began(together, alone):
    assert (together / "again/recipe.toml").is_file()
    assert_same_weights(together / "again", alone)


def test_two_processes_train_the_folds_of_a_mixture(together):
    with h5py.File(together / "both/held_out/toy.hdf5") as file:
        assert len(file) == 4
    assert load_model(together / "both/foveal-l.safetensors").card.name == "foveal-l"


def test_runs_side_by_side_that_want_the_same_features(side_by_side, alone):
    assert_same_weights(side_by_side / "one", alone)
    assert_same_weights(side_by_side / "two", alone)


def test_a_killed_run_goes_on_to_the_same_weights(side_by_side, alone):
    assert len(log_of(side_by_side / "killed")) == 1
    assert_same_weights(train(side_by_side / "killed"), alone)
