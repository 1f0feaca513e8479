"""A run on two processes learns what a run on one learns."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path

import torch
from toy import make_dataset

from foveal.models.parts import backbones
from foveal.training import Phase, Recipe, train_deep

torch.manual_seed(0)
weights = backbones.Backbone("efficientnet_lite2", pretrained=False).steps.state_dict()
backbones.read_weights = lambda _: weights
config = {"working_area": 6000, "width": 16, "hidden": 8, "dropout": 0.0}
phases = (Phase(2, 1e-2), Phase(1, 1e-3, 1e-3))
recipe = Recipe(("toy",), config=config, held_out=0, phases=phases, batch_size=3)
train_deep.train_deep(recipe, [make_dataset(7)], Path(sys.argv[1]), resume=False, progress=lambda *_: None)
"""


def log_of(launcher: list[str], folder: Path) -> list[dict[str, str]]:
    folder.mkdir()
    (folder / "script.py").write_text(SCRIPT)
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    command = [sys.executable, *launcher, str(folder / "script.py"), str(folder / "out")]
    subprocess.run(command, check=True, env=environment, capture_output=True, timeout=200)
    with (folder / "out/log.csv").open() as file:
        return list(csv.DictReader(file))


def test_two_processes_learn_what_one_learns(tmp_path):
    alone = log_of([], tmp_path / "alone")
    together = log_of(["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"], tmp_path / "together")
    assert len(alone) == 3
    for one, two in zip(alone, together, strict=True):
        assert float(one["loss"]) == pytest.approx(float(two["loss"]), rel=1e-4)
        assert float(one["IG"]) == pytest.approx(float(two["IG"]), abs=1e-4)
