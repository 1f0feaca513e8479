"""A game of two networks: who learns in which step, that it goes on after a stop, and what it needs."""

from dataclasses import asdict, replace
from itertools import pairwise

import pytest
import torch
from toy import make_dataset

from foveal.errors import FovealError
from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.salnet import SalNet
from foveal.models.parts.discriminator import Discriminator
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.runs.one_run import train_deep
from foveal.training.runs.steps import Adversarial

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
    assert changed == [[False, True], [True, False], [True, False], [False, True], [True, False]]


def test_a_game_that_was_stopped_goes_on_to_the_same_weights(tmp_path):
    whole = load_model(train(GAME, tmp_path / "whole").path).state_dict()

    def stop(what, done, total):
        if what == "epoch 2/2" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(GAME, tmp_path / "stopped", progress=Progress(stop))
    resumed = load_model(train(GAME, tmp_path / "stopped", resume=True).path).state_dict()
    for key, tensor in whole.items():
        torch.testing.assert_close(resumed[key], tensor, rtol=0, atol=0, msg=key)


def test_it_needs_pixels(tmp_path):
    for changes in ({"step": "adversarial"}, {"colors": 0.5}):
        recipe = replace(Recipe(("toy",), config=asdict(FovealS.tiny)), **changes)
        with pytest.raises(FovealError, match=f"{next(iter(changes))}: for networks that are trained from pixels"):
            train(recipe, tmp_path)
