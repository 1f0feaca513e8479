"""The file that a run goes on from: damaged or of another kind, it is one line that names it."""

import dataclasses
import io
import random
import zipfile

import pytest
import torch

from foveal.errors import FovealError
from foveal.training import Phase, Recipe
from foveal.training.runs.checkpoint import read_checkpoint

RECIPE = Recipe(("toy",), phases=(Phase(1, 1e-2),))
STATE = {"recipe": RECIPE.unfinished.to_toml(), "examples": "abc", "log": [], "model": {"a": torch.arange(2000.0)}}


@pytest.fixture
def checkpoint(tmp_path):
    torch.save(STATE, tmp_path / "checkpoint.pt")
    return tmp_path / "checkpoint.pt"


def test_it_is_read_as_it_was_written(checkpoint):
    state = read_checkpoint(checkpoint, RECIPE)
    assert state.keys() == STATE.keys()
    assert torch.equal(state["model"]["a"], STATE["model"]["a"])


def test_mutants(checkpoint):
    """One byte anywhere: the sums in the file tell of it, before anything is made of what it says."""
    rng = random.Random(0)
    whole = checkpoint.read_bytes()
    read = 0
    for _ in range(200):
        mutant = bytearray(whole)
        for _ in range(rng.choice([1, 3])):
            mutant[rng.randrange(len(mutant))] = rng.randrange(256)
        checkpoint.write_bytes(mutant[: rng.choice([len(mutant), len(mutant), rng.randrange(len(mutant))])])
        state, said = STATE, f"{checkpoint}: no checkpoint ("
        try:
            state = read_checkpoint(checkpoint, RECIPE)
            read += 1  # what was hit lies between the parts
        except FovealError as error:
            said = str(error)
        assert said.startswith(f"{checkpoint}: no checkpoint (")
        assert len(said.splitlines()) == 1
        assert torch.equal(state["model"]["a"], STATE["model"]["a"])
    assert read < 150


@pytest.mark.parametrize(
    "state",
    [
        [],
        7,
        {},
        {"recipe": 3, "log": [], "examples": ""},
        {"recipe": STATE["recipe"]},
        STATE | {"log": [{"epoch": [-1, 2]}]},
        STATE | {"log": {"epoch": 1}},
    ],
)
def test_of_another_kind(checkpoint, state):
    torch.save(state, checkpoint)
    with pytest.raises(FovealError, match=r"checkpoint.pt: "):
        read_checkpoint(checkpoint, RECIPE)


def test_an_older_format_or_one_that_runs_something(checkpoint):
    old = io.BytesIO()
    torch.save(STATE, old, _use_new_zipfile_serialization=False)
    checkpoint.write_bytes(old.getvalue())
    with pytest.raises(FovealError, match="no checkpoint"):
        read_checkpoint(checkpoint, RECIPE)
    torch.save({**STATE, "log": dataclasses.replace}, checkpoint)
    assert zipfile.is_zipfile(checkpoint)
    with pytest.raises(FovealError, match="no checkpoint"):
        read_checkpoint(checkpoint, RECIPE)
