import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foveal.errors import FovealError
from foveal.gaze import Fixations, fixation_map
from foveal.gaze.maps import gaussian_blur


def slow_fixation_map(x, y, size, sigma):
    """One pixel after the other, one fixation after the other."""
    total = np.zeros(size)
    for fx, fy in zip(x, y, strict=True):
        one = np.array(
            [
                [np.exp(-((px - fx) ** 2 + (py - fy) ** 2) / (2 * sigma**2)) for px in range(size[1])]
                for py in range(size[0])
            ]
        )
        total += one / one.sum()
    return total


def test_equals_the_slow_way():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 16, 12), rng.uniform(0, 11, 12)
    fast = fixation_map(Fixations.of(np.zeros(12), x, y), (12, 17), sigma=2.5)
    np.testing.assert_allclose(fast, slow_fixation_map(x, y, (12, 17), 2.5), rtol=2e-5)
    assert fast.dtype == np.float32


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 30), st.floats(0.01, 200), st.integers(0, 2**31))
def test_every_fixation_counts_one_at_any_size_and_width(height, width, n, sigma, seed):
    rng = np.random.default_rng(seed)
    fixations = Fixations.of(np.zeros(n), rng.uniform(-0.5, width - 0.5, n), rng.uniform(-0.5, height - 0.5, n))
    density = fixation_map(fixations, (height, width), sigma=sigma)
    assert density.shape == (height, width)
    assert density.sum(dtype=np.float64) == pytest.approx(n, rel=1e-4)
    assert (density >= 0).all()


def test_more_fixations_than_are_done_at_once():
    rng = np.random.default_rng(1)
    fixations = Fixations.of(np.zeros(9000), rng.uniform(0, 20, 9000), rng.uniform(0, 10, 9000))
    assert fixation_map(fixations, (11, 21), sigma=2.0).sum(dtype=np.float64) == pytest.approx(9000, rel=1e-4)


def test_degrees_are_pixels_times_their_scale():
    fixations = Fixations.of([0], [5.0], [4.0])
    degrees = fixation_map(fixations, (9, 11), sigma_degrees=0.5, pixels_per_degree=6.0)
    np.testing.assert_array_equal(degrees, fixation_map(fixations, (9, 11), sigma=3.0))


@pytest.mark.parametrize(
    "arguments", [{}, {"sigma": 1.0, "sigma_degrees": 1.0}, {"sigma_degrees": 1.0}, {"sigma": 0.0}, {"sigma": -1.0}]
)
def test_a_width_must_be_said_once(arguments):
    with pytest.raises(FovealError, match="sigma"):
        fixation_map(Fixations.of([0], [0.0], [0.0]), (3, 3), **arguments)


def test_blurring_a_map_of_points_is_the_fixation_map():
    points = torch.zeros(14, 18)
    points[3, 5] = 2
    points[13, 0] = 1
    fixations = Fixations.of([0, 0, 0], [5.0, 5.0, 0.0], [3.0, 3.0, 13.0])
    expected = torch.from_numpy(fixation_map(fixations, (14, 18), sigma=2.0))
    torch.testing.assert_close(gaussian_blur(points, 2.0), expected)


def test_blur_has_a_gradient_in_its_width():
    sigma = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    maps = torch.rand(2, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(lambda s: gaussian_blur(maps, s), sigma)
