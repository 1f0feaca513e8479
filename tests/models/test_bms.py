"""Boolean map saliency against the paper's definition and the authors' maps."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from foveal.images import read_image
from foveal.models import load_model
from foveal.models.classical.bms import boolean_maps, surrounded, whitened_channels


def slow_surrounded(boolean_map: np.ndarray) -> np.ndarray:
    """Connected regions of 255s, without those that have a pixel at the border."""
    regions, n = ndimage.label(boolean_map, structure=np.ones((3, 3)))
    border = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    enclosed = [k for k in range(1, n + 1) if k not in border]
    return np.where(np.isin(regions, enclosed), 255, 0).astype(np.uint8)


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=14)))
def test_surrounded_are_the_regions_off_the_border(mask):
    boolean_map = mask.astype(np.uint8) * 255
    np.testing.assert_array_equal(surrounded(boolean_map), slow_surrounded(boolean_map))


def test_thresholds_go_through_the_whole_range():
    channel = np.array([[3, 20], [11, 3]], np.uint8)
    maps = list(boolean_maps(channel, 8))
    assert [(boolean_map > 0).astype(int).tolist() for boolean_map in maps] == [
        [[0, 1], [1, 0]],
        [[0, 1], [0, 0]],
        [[0, 1], [0, 0]],
    ]


def test_whitened_channels_are_decorrelated(photograph):
    noise = np.random.default_rng(0).integers(0, 255, (50, 50, 3)).astype(np.uint8)
    channels = whitened_channels(noise, 1)
    correlation = np.corrcoef([channel.ravel() for channel in channels])
    assert np.abs(correlation - np.eye(3)).max() < 0.05
    assert all(channel.min() == 0 and channel.max() == 255 for channel in channels)


def test_what_is_surrounded_stands_out():
    image = np.full((120, 160, 3), 90, np.uint8)
    cv2.circle(image, (110, 50), 12, (220, 40, 40), -1)  # in the open
    cv2.rectangle(image, (0, 60), (30, 119), (40, 40, 220), -1)  # cut by the border
    saliency = load_model("bms").saliency_map_of([image])[0].numpy()
    assert saliency[50, 110] == pytest.approx(saliency.max(), rel=0.05)
    assert saliency[100, 10] < 0.2 * saliency.max()


@pytest.mark.shared
@pytest.mark.parametrize("number", range(1001, 1006))
def test_correlates_with_the_published_maps(shared, number):
    image = read_image(shared / f"data/osie/data/stimuli/{number}.jpg")
    published = cv2.imread(str(shared / f"reference/maps/bms/{number}.png"), cv2.IMREAD_GRAYSCALE)
    saliency = load_model("bms").saliency_map_of([image])[0].numpy()
    assert np.corrcoef(saliency.ravel(), published.ravel())[0, 1] > 0.99
