import numpy as np
import pytest
import torch

from foveal.errors import FovealError, FovealNote
from foveal.metrics.nmm import normalized_means_of_items


def slow(saliency, items):
    """Equation 4, pixel by pixel."""
    height, width = saliency.shape
    pixels = [(y, x) for y in range(height) for x in range(width)]
    mean = sum(saliency[at] for at in pixels) / len(pixels)
    deviation = (sum((saliency[at] - mean) ** 2 for at in pixels) / len(pixels)) ** 0.5
    found = []
    for number in range(1, items.max() + 1):
        inside = [(saliency[at] - mean) / deviation for at in pixels if items[at] == number]
        found.append(sum(inside) / len(inside) if inside else float("nan"))
    return found


def test_as_the_loop_does():
    chance = np.random.default_rng(0)
    saliency = chance.normal(3, 20, size=(3, 9, 11))
    items = chance.integers(0, 5, size=saliency.shape)
    items[1][items[1] == 3] = 0  # one image has fewer
    got = normalized_means_of_items(torch.from_numpy(saliency), torch.from_numpy(items))
    want = [slow(*each) for each in zip(saliency, items, strict=True)]
    assert got.numpy() == pytest.approx(np.array(want), nan_ok=True)
    assert got.isnan().sum() == 1


def test_unit_and_origin_of_the_map_do_not_matter():
    maps, items = torch.rand(2, 8, 8), torch.zeros(2, 8, 8, dtype=torch.int32)
    items[:, 2:4, 2:5] = 1
    torch.testing.assert_close(
        normalized_means_of_items(maps, items), normalized_means_of_items(5 * maps + 2, items), rtol=1e-4, atol=1e-4
    )


def test_a_constant_map_has_zero():
    items = torch.ones(1, 4, 4, dtype=torch.int64)
    with pytest.warns(FovealNote, match="NMM: map 0 of the batch is constant"):
        assert normalized_means_of_items(torch.full((1, 4, 4), 2.0), items).item() == 0


@pytest.mark.parametrize("number", [0, 2])
def test_an_empty_mask_is_said(number):
    items = torch.ones(2, 4, 4, dtype=torch.int64)
    items[1] = number
    with pytest.raises(FovealError, match=r"^NMM: the mask of image 1 is empty$"):
        normalized_means_of_items(torch.rand(2, 4, 4), items)


def test_negative_numbers_and_maps_that_are_not_finite_are_said():
    items = torch.ones(1, 2, 2, dtype=torch.int64)
    with pytest.raises(FovealError, match="NaN or infinite"):
        normalized_means_of_items(torch.tensor([[[0.0, float("nan")], [1.0, 2.0]]]), items)
    with pytest.raises(FovealError, match="below 0"):
        normalized_means_of_items(torch.rand(1, 2, 2), -items)
