"""Graph-based visual saliency: its closed forms against the walks themselves, and the published maps."""

import numpy as np
import pytest
import torch

from foveal.images import read_image
from foveal.models.classical.gbvs import GBVS
from foveal.models.parts import channels


def equilibrium(weights):
    """Of the chain whose steps have these weights, by walking until nothing changes."""
    steps = weights / weights.sum(axis=1, keepdims=True)
    share = np.full(len(steps), 1 / len(steps))
    for _ in range(20_000):
        share = share @ steps
    return share


def test_the_closed_forms_are_the_equilibria_of_the_walks():
    generator = np.random.default_rng(0)
    size = (5, 7)
    values = generator.random(size)
    scaled = (values - values.min()) / (values.max() - values.min())
    places = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1).reshape(-1, 2)
    distance = ((places[:, None] - places) ** 2).sum(axis=-1)

    def near(sigma):
        return np.exp(-distance / (2 * (sigma * 6) ** 2))

    flat = scaled.ravel()
    first = equilibrium(np.abs(flat[:, None] - flat) * near(0.15))
    second = equilibrium(first[None, :] * near(0.06))
    found = GBVS()._walked(torch.from_numpy(values[None]).float())[0].numpy()
    np.testing.assert_allclose(found.ravel(), second, rtol=1e-3)


def test_halving_keeps_the_mean_and_takes_every_other_pixel():
    maps = torch.rand(1, 2, 40, 64)
    half = channels.halved(maps)
    assert half.shape == (1, 2, 20, 32)
    assert half.mean().item() == pytest.approx(maps.mean().item(), abs=0.01)
    ramp = torch.arange(64.0).expand(1, 1, 8, 64)
    torch.testing.assert_close(channels.halved(ramp)[0, 0, 2, 4:28], 2 * torch.arange(4.0, 28.0) + 0.5)
    assert channels.halved(torch.rand(1, 1, 1, 1)).shape == (1, 1, 1, 1)


@pytest.mark.parametrize("angle", channels.ANGLES)
def test_an_orientation_answers_to_gratings_across_it(angle):
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(60.0), indexing="ij")
    radians = np.radians(angle)
    grating = torch.cos(2 * np.pi / channels.PERIOD * (columns * np.cos(radians) + rows * np.sin(radians)))
    responses = channels.orientations(grating[None, None])[0, :, 20:40, 20:40].mean(dim=(1, 2))
    assert responses.argmax() == channels.ANGLES.index(angle)
    assert responses.max() > 3 * responses.sort().values[-2]
    assert channels.orientations(torch.full((1, 1, 60, 60), 0.7)).abs().max() < 1e-4


def test_gray_has_no_opponent_colours_but_what_the_cones_differ_by():
    gray = torch.rand(1, 1, 6, 8).expand(1, 3, -1, -1)
    long_medium, short = channels.opponent_cones(gray)[0]
    for axis in (long_medium, short):
        ratio = axis / gray[0, 0]
        torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio), rtol=1e-3, atol=1e-4)


@pytest.mark.shared
@pytest.mark.parametrize(("number", "at_least"), [(1001, 0.9), (1002, 0.94), (1003, 0.96)])
def test_correlates_with_the_published_maps(shared, number, at_least):
    image = read_image(shared / f"data/osie/data/stimuli/{number}.jpg")
    published = np.load(shared / f"reference/maps/{number}.npz")["gbvs"]
    saliency = GBVS().saliency_map_of([image])[0].numpy()
    assert np.corrcoef(saliency.ravel(), published.ravel())[0, 1] > at_least
