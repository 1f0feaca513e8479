import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foveal.errors import FovealError
from foveal.gaze import Fixations, fixation_map, gaze_map
from foveal.gaze.maps import gaussian_blur, gaussian_rows


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_nothing_is_denormal(dtype):
    """Neither the rows, nor the products of rows, maps and columns; and what is left is what it was."""
    tiny = torch.finfo(dtype).tiny
    centers = torch.linspace(-0.5, 799.5, 23, dtype=dtype)
    pixels = torch.arange(800, dtype=torch.float64)
    exact = torch.softmax(-0.5 * ((pixels - centers.double()[:, None]) / 8.3).square(), dim=1)
    rows = gaussian_rows(centers, 800, 8.3)
    torch.testing.assert_close(rows.double(), exact, rtol=0, atol=1e-7 if dtype == torch.float32 else 1e-15)
    torch.testing.assert_close(rows.sum(dim=1), torch.ones(23, dtype=dtype))
    point = torch.zeros(800, 700, dtype=dtype)
    point[300, 200] = 1e-6
    for values in (rows, rows.T[:, :1] @ rows[-1:], gaussian_blur(point, 8.3)):
        assert ((values == 0) | (values > tiny)).all()
        assert (values == 0).any()


def test_a_tail_has_no_part_in_the_gradient():
    centers = torch.tensor([4.0, 90.0, 200.0], dtype=torch.float64, requires_grad=True)
    sigma = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda c, s: gaussian_rows(c, 100, s), (centers, sigma))


@pytest.mark.parametrize("sigma", [1.0, 8.0, 30.0, 90.0])
@pytest.mark.parametrize("size", [(700, 301), (129, 640)])
def test_a_large_map_is_blurred_as_a_whole(size, sigma):
    maps = torch.rand(2, *size, generator=torch.Generator().manual_seed(0))
    height, width = (gaussian_rows(torch.arange(float(n)).double(), n, sigma) for n in size)
    whole = height.mT @ maps.double() @ width
    torch.testing.assert_close(gaussian_blur(maps, sigma).double(), whole, rtol=0, atol=2e-6)
    torch.testing.assert_close(gaussian_blur(maps.double(), sigma), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(gaussian_blur(maps, torch.full((2,), sigma)).double(), whole, rtol=0, atol=2e-6)


@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.int64, torch.float16, torch.bfloat16, np.uint8, ">f8"])
def test_maps_of_any_real_numbers_are_blurred(kind):
    ones = torch.zeros(12, 15)
    ones[3:5, 7] = 1
    given = ones.to(kind) if isinstance(kind, torch.dtype) else ones.numpy().astype(kind)
    blurred = gaussian_blur(given, 2.0)
    torch.testing.assert_close(blurred.float(), gaussian_blur(ones, 2.0))
    assert blurred.dtype == (torch.float64 if kind == ">f8" else torch.float32)


@pytest.mark.parametrize(
    ("maps", "sigma", "said"),
    [
        (torch.zeros(3), 1.0, r"not torch.float32 of shape \(3,\)"),
        ([[1.0]], 1.0, "not list"),
        (torch.zeros(3, 3, dtype=torch.complex64), 1.0, "real numbers are needed, not torch.complex64"),
        (np.zeros((3, 3), complex), 1.0, "numbers are needed, not complex128"),
        (torch.zeros(3, 3), 0.0, "sigma: a positive number, not 0.0"),
        (torch.zeros(3, 3), float("nan"), "not nan"),
        (torch.zeros(3, 3), float("inf"), "not inf"),
    ],
)
def test_what_cannot_be_blurred_is_refused(maps, sigma, said):
    blur = inspect.unwrap(gaussian_blur)  # without the tests' own look at the shapes
    with pytest.raises(FovealError, match=said):
        blur(maps, sigma)


@pytest.mark.parametrize(
    ("fixations", "size", "sigma", "said"),
    [
        ([(1, 2)], (3, 3), 1.0, r"Fixations .* are needed, not list"),
        (None, (3, 3, 3), 1.0, "a height and a width are needed"),
        (None, (3.5, 3), 1.0, "a whole number, at least 1, not 3.5"),
        (None, (0, 3), 1.0, "a whole number, at least 1, not 0"),
        (None, 3, 1.0, "a list is needed"),
        (None, (3, 3), "2", "not '2'"),
        (None, (3, 3), float("nan"), "not nan"),
    ],
)
def test_what_makes_no_fixation_map_is_refused(fixations, size, sigma, said):
    with pytest.raises(FovealError, match=said):
        inspect.unwrap(fixation_map)(fixations or Fixations.of([0], [0.0], [0.0]), size, sigma=sigma)


def test_a_weight_is_so_many_fixations_at_the_place():
    x, y, weights = np.array([3.0, 9.2, 12.0]), np.array([2.0, 4.0, 8.1]), np.array([2, 0, 3])
    weighted = fixation_map(Fixations.of(np.zeros(3), x, y), (12, 17), sigma=2.5, weights=weights)
    repeated = Fixations.of(np.zeros(5), np.repeat(x, weights), np.repeat(y, weights))
    np.testing.assert_allclose(weighted, fixation_map(repeated, (12, 17), sigma=2.5), rtol=1e-5)


@pytest.mark.parametrize("weights", [[1.0], [1.0, np.nan], [1.0, -2.0], [[1.0, 2.0]]])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(FovealError, match="fixation_map: weights: one"):
        fixation_map(Fixations.of([0, 0], [1, 2], [1, 2]), (5, 5), sigma=1.0, weights=weights)


def test_a_map_of_gaze_has_a_gaussian_on_every_sample_that_is_seen():
    gaze = np.array([[4.0, 3.0], [4.1, 3.0], [np.nan, 3.0], [-1.0, 3.0], [10.49, 7.49], [10.5, 2.0]])
    seen = gaze[[0, 1, 4]]
    expected = fixation_map(Fixations.of(np.zeros(3), *seen.T), (8, 11), sigma=1.5)
    np.testing.assert_array_equal(gaze_map(gaze, (8, 11), sigma=1.5), expected)
    degrees = gaze_map(gaze, (8, 11), sigma_degrees=0.5, pixels_per_degree=3.0)
    np.testing.assert_array_equal(degrees, expected)


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize("gaze", [np.zeros(4), np.zeros((4, 3))])
def test_gaze_that_is_no_table_of_positions_is_refused(gaze):
    with pytest.raises(FovealError, match="gaze_map: gaze: x and y of each sample"):
        gaze_map(gaze, (8, 11), sigma=1.5)
