"""The association of maps with regions, against resizing every map and scoring it fixation by fixation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foveal.analysis.association import associations
from foveal.errors import FovealError
from foveal.metrics import get_metrics
from foveal.metrics.fixation_batch import FixationBatch
from foveal.models.parts.geometry import Axis, Grid, resample


def slowly(maps, grid, size, points):
    """Resize each map to the image, take its z-score, and average that over each region's fixations."""
    found = np.zeros((len(points), len(maps)))
    for number, small in enumerate(maps.double()):
        resized = resample(small, grid, Grid(Axis(size[0]), Axis(size[1]))).numpy()
        if resized.std() < 1e-9:
            continue
        z = (resized - resized.mean()) / resized.std()
        for region, of_region in enumerate(points):
            found[region, number] = np.mean([z[y, x] for x, y in of_region])
    return found


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    offset=st.sampled_from([0.0, 100.0, -7.0]),
    first=st.floats(-5, 5),
    step=st.floats(2, 12),
)
def test_as_resizing_and_scoring(seed, shape, offset, first, step):
    rng = np.random.default_rng(seed)
    size = 37, 53
    maps = torch.from_numpy(rng.gamma(0.5, 1.0, (6, *shape))).float() + offset
    maps[2] = 0.0  # a dead feature
    points = [[(int(rng.integers(53)), int(rng.integers(37))) for _ in range(n)] for n in (1, 4, 9)]
    grid = Grid(Axis(shape[0], first, step), Axis(shape[1], -first, step * 1.3))
    found = associations(maps, grid, size, FixationBatch.of(*points))
    np.testing.assert_allclose(found, slowly(maps, grid, size, points), atol=1e-4 * max(1.0, abs(offset)))


def test_is_the_metric_nss():
    maps = torch.rand(4, 20, 30, generator=torch.Generator().manual_seed(1))
    points = [[(3, 4), (29, 19), (3, 4)], [(10, 0)]]
    found = associations(maps, Grid(Axis(20), Axis(30)), (20, 30), FixationBatch.of(*points))
    [nss] = get_metrics(["NSS"])
    for region, of_region in enumerate(points):
        expected = nss.function(maps, FixationBatch.of(*[of_region] * 4))
        np.testing.assert_allclose(found[region], expected, rtol=1e-4)


def test_units_of_a_map_do_not_matter():
    maps = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(2))
    grid, points = Grid.over((40, 56), (5, 7)), FixationBatch.of([(8, 9), (50, 30)])
    found = associations(maps, grid, (40, 56), points)
    np.testing.assert_allclose(associations(1e-4 * maps + 2e-4, grid, (40, 56), points), found, atol=1e-3)
    np.testing.assert_allclose(associations(-maps, grid, (40, 56), points), -found, atol=1e-5)


def test_a_region_without_fixations():
    with pytest.raises(FovealError, match="image 1 of the batch has no fixations in a region"):
        associations(torch.rand(1, 2, 2), Grid.over((4, 4), (2, 2)), (4, 4), FixationBatch.of([(0, 0)], []))
