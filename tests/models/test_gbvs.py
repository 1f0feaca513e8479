"""Graph-based visual saliency: its closed form against the walk itself, and the published maps."""

import numpy as np
import pytest
import torch

from foveal.images import read_image
from foveal.models.classical.gbvs import GBVS


def test_the_closed_form_is_the_equilibrium_of_the_walk():
    generator = np.random.default_rng(0)
    size = (5, 7)
    values = generator.random(size)
    places = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1).reshape(-1, 2)
    distance = ((places[:, None] - places) ** 2).sum(axis=-1)
    weights = np.abs(values.reshape(-1, 1) - values.ravel()) * np.exp(-distance / (2 * (0.15 * 6) ** 2))
    steps = weights / weights.sum(axis=1, keepdims=True)
    share = np.full(len(steps), 1 / len(steps))
    for _ in range(20_000):
        share = share @ steps
    found = GBVS()._shares(torch.from_numpy(values[None]).float())[0].numpy()
    np.testing.assert_allclose(found.ravel(), share * len(share), rtol=1e-3)


@pytest.mark.parametrize("color", [(0.5, 0.5, 0.9), (0.9, 0.5, 0.5), (0.9, 0.9, 0.9)])
def test_the_odd_one_out_is_most_salient(color):
    image = torch.full((1, 3, 240, 320), 0.5)
    for row in range(48, 240, 48):
        for column in range(40, 320, 40):
            image[0, :, row - 8 : row + 8, column - 8 : column + 8] = torch.tensor([0.3, 0.6, 0.3])[:, None, None]
    image[0, :, 136:152, 192:208] = torch.tensor(color)[:, None, None]
    saliency = GBVS().saliency_map(image)[0]
    y, x = divmod(int(saliency.argmax()), 320)
    assert (y - 144) ** 2 + (x - 200) ** 2 < 20**2


@pytest.mark.shared
@pytest.mark.parametrize(("number", "at_least"), [(1001, 0.997), (1002, 0.995), (1003, 0.994)])
def test_correlates_with_the_published_maps(shared, number, at_least):
    image = read_image(shared / f"data/osie/data/stimuli/{number}.jpg")
    published = np.load(shared / f"reference/maps/{number}.npz")["gbvs"]
    saliency = GBVS().saliency_map_of([image])[0].numpy()
    assert np.corrcoef(saliency.ravel(), published.ravel())[0, 1] > at_least
