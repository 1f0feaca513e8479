"""A game of two networks: who learns in which step, that it goes on after a stop, and what it needs."""

from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from toy import make_dataset

from foveal.errors import FovealError
from foveal.features.views import View
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.mlnet import MLNet
from foveal.models.deep.salgan import SalGAN
from foveal.models.deep.salnet import SalNet
from foveal.models.parts.discriminator import Discriminator
from foveal.models.parts.sizes import Viewing
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.recipe import STEPS as NAMES
from foveal.training.runs.one_run import train_deep
from foveal.training.runs.photographs import PICTURE, Photographs
from foveal.training.runs.run import Run
from foveal.training.runs.steps import STEPS, Adversarial

GAME = Recipe(
    ("toy",),
    model="salnet",
    config=asdict(SalNet.tiny),
    held_out=0,
    loss={"bce": 0.05},
    step="adversarial",
    optimizer="adagrad",
    phases=(Phase(2, 1e-3),),
    batch_size=2,
)


def train(recipe, out, **options):
    return train_deep(recipe, [make_dataset(7)], out, **{"resume": False, "progress": Progress(), **options})


def test_a_recipe_can_say_every_kind_of_step():
    assert tuple(STEPS) == NAMES


@pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
@pytest.mark.usefixtures("empty_cache")
def test_salgan_plays_the_game_after_its_first_training(tmp_path):
    """With kept features first; then from pixels, which the second network sees as well."""
    first = replace(GAME, model="salgan", config=asdict(SalGAN.tiny), loss=None, step="supervised", optimizer="adam")
    weights = train(first, tmp_path / "first").path
    whole = asdict(replace(SalGAN.tiny, first_trained="conv1_1"))
    game = replace(first, config=whole, start_from=str(weights), loss={"bce": 0.05}, step="adversarial")
    log = train(game, tmp_path / "game").log
    assert {"loss", "discriminator"} <= set(log[0])
    with pytest.raises(FovealError, match="step: for networks that are trained from pixels, and salgan is not"):
        train(replace(game, config=asdict(SalGAN.tiny)), tmp_path / "kept")


def test_the_discriminator_is_that_of_the_paper():
    """Table 1: the weights of its six convolutions and its three layers of all to all, for 192 x 256 px."""
    convolutions = [(4, 3, 1), (3, 32, 9), (32, 64, 9), (64, 64, 9), (64, 64, 9), (64, 64, 9)]
    connected = [(64 * 24 * 32, 100), (100, 2), (2, 1)]
    expected = sum(a * b * area + b for a, b, area in convolutions) + sum(a * b + b for a, b in connected)
    discriminator = Discriminator()
    assert sum(weight.numel() for weight in discriminator.parameters()) == expected
    images, maps = torch.rand(2, 3, 192, 256), torch.rand(2, 192, 256)
    left = discriminator.convolutions[:-1](torch.cat([images, maps[:, None]], dim=1))
    assert left.shape[2:] == (24, 32)  # as many as the layers after them take: nothing is resampled
    assert discriminator(images[..., :30, :41], maps[..., :30, :41]).shape == (2,)


def test_the_two_learn_in_turn(tmp_path, monkeypatch):
    """From a step, one of them has other weights than before: the network first."""
    states, step_of = [], Adversarial.__call__

    def spy(step, number, parts):
        costs = step_of(step, number, parts)
        both = [step.run.model, step.discriminator]
        states.append([torch.cat([weight.detach().flatten() for weight in one.parameters()]) for one in both])
        assert list(costs) == (["discriminator"] if number % 2 else ["loss"])
        return costs

    monkeypatch.setattr(Adversarial, "__call__", spy)
    log = train(GAME, tmp_path).log
    assert all({"loss", "discriminator", "NSS"} <= row.keys() for row in log)
    changed = [
        [not torch.equal(*weights) for weights in zip(before, after, strict=True)] for before, after in pairwise(states)
    ]
    assert changed == [[False, True], [True, False]] * 2 + [[False, True]]


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize("phases", [(Phase(2, 1e-3),), (Phase(1, 1e-3), Phase(1, 1e-4))])
def test_a_game_that_was_stopped_goes_on_to_the_same_weights(tmp_path, phases):
    """In the middle of a phase and between two."""
    game = replace(GAME, phases=phases)
    whole = load_model(train(game, tmp_path / "whole").path).state_dict()

    def stop(what, done, total):
        if what == "epoch 2/2" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(game, tmp_path / "stopped", progress=Progress(stop))
    resumed = load_model(train(game, tmp_path / "stopped", resume=True).path).state_dict()
    for key, tensor in whole.items():
        torch.testing.assert_close(resumed[key], tensor, rtol=0, atol=0, msg=key)


@pytest.mark.parametrize("epochs", [1, 2])
def test_both_courses_end_at_zero(tmp_path, monkeypatch, epochs):
    """Of three steps an epoch the network has every second; its learning rate falls to zero over its own."""
    rates = {}

    def spy(run, _):
        rates["network"] = run.optimizer.param_groups[0]["lr"]
        rates["discriminator"] = run.step.optimizer.param_groups[0]["lr"]

    monkeypatch.setattr(Run, "save", spy)
    train(replace(GAME, phases=(Phase(epochs, 1e-3),)), tmp_path)
    assert rates == pytest.approx({"network": 0, "discriminator": 0}, abs=1e-12)


def test_the_discriminator_sees_the_photograph_where_the_map_is(tmp_path):
    """A photograph that is white at its left, in a frame that it does not fill."""
    photograph = np.zeros((96, 48, 3), np.uint8)
    photograph[:, :24] = 255
    data = Dataset("toy", Stimuli([photograph] * 2), Fixations.of([0, 1], [5, 40], [5, 40]))
    network = MLNet(MLNet.tiny)
    shown = Photographs(network, data, 0, View(), Viewing(), (96, 48), [0, 1], 0.0, with_picture=True)
    picture = shown.read([0])[PICTURE][0, 0]
    cells = network.cells((96, 48))
    assert picture.shape == (cells.rows.length, cells.columns.length) == (6, 3)
    torch.testing.assert_close(picture.mean(dim=0), torch.tensor([1.0, 0.5, 0.0]), rtol=0, atol=0.05)


def test_it_needs_pixels(tmp_path):
    for changes in ({"step": "adversarial"}, {"colors": 0.5}):
        recipe = replace(Recipe(("toy",), config=asdict(FovealS.tiny)), **changes)
        with pytest.raises(FovealError, match=f"{next(iter(changes))}: for networks that are trained from pixels"):
            train(recipe, tmp_path)
