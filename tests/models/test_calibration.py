import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foveal.models.calibration import Calibration, piecewise_linear, to_working_grid
from foveal.models.parts.finalizer import resize_log_density


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=25), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_the_curve_is_that_of_numpy(steps, values):
    knots = np.linspace(0, 1, len(steps) + 1)
    expected = np.interp(values, knots, np.concatenate([[0], np.cumsum(steps)]))
    actual = piecewise_linear(torch.tensor(values), torch.tensor(steps))
    np.testing.assert_allclose(actual.numpy(), expected, atol=1e-3, rtol=1e-4)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=25))
def test_the_curve_never_falls(steps):
    curve = piecewise_linear(torch.linspace(0, 1, 200), torch.tensor(steps))
    assert (curve.diff() >= -1e-5).all()


def test_calibration_is_the_formula(photograph):
    """Nonlinearity, blur, weighted log prior, softmax; on a map small enough to stay on its own grid."""
    calibration = Calibration()
    calibration.steps = torch.linspace(0.1, 0.4, 20)
    calibration.blur = torch.tensor(0.05)
    calibration.prior_weight = torch.tensor(0.7)
    ramp = torch.linspace(-1, 1, 64)
    calibration.log_prior = -(ramp[:, None].square() + ramp.square())
    saliency = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0))

    scaled = (saliency[0] - saliency.min()) / (saliency.max() - saliency.min())
    curve = np.interp(scaled.numpy(), np.linspace(0, 1, 21), np.concatenate([[0], calibration.steps.cumsum(0).numpy()]))
    distance = np.arange(64) - np.arange(64)[:, None]
    kernel = np.exp(-0.5 * (distance / (0.05 * 64)) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    logits = kernel.T @ curve @ kernel + 0.7 * calibration.log_prior.numpy()
    expected = logits - np.logaddexp.reduce(logits.ravel())
    np.testing.assert_allclose(calibration(saliency)[0].numpy(), expected, atol=1e-4)


def test_scale_and_offset_of_a_map_do_not_matter():
    saliency = torch.rand(2, 30, 40, generator=torch.Generator().manual_seed(0))
    calibration = Calibration()
    torch.testing.assert_close(calibration(saliency), calibration(5 * saliency - 3), atol=1e-4, rtol=1e-4)


def test_the_working_grid_is_bounded_and_scaled():
    grid = to_working_grid(torch.rand(1, 600, 801, generator=torch.Generator().manual_seed(0)))
    assert grid.shape == (1, 150, 200)
    assert (grid.min(), grid.max()) == (0, 1)
    assert to_working_grid(torch.full((1, 5, 3000), 2.0)).abs().max() == 0


def test_resampling_does_not_drift():
    """A peak stays where it is, to within half a cell, whatever the two sizes."""
    y, x = np.mgrid[:60, :80]
    for cx, cy in ((10.0, 12.0), (60.5, 40.0)):
        log_density = torch.from_numpy(-((x - cx) ** 2 + (y - cy) ** 2) / 50).float()[None]
        for factor in (0.5, 2, 3.7):
            size = round(60 * factor), round(80 * factor)
            resized = resize_log_density(log_density, size)[0].exp().numpy()
            v, u = np.mgrid[: size[0], : size[1]]
            center = (resized * u).sum(), (resized * v).sum()
            assert center[0] == pytest.approx((cx + 0.5) * size[1] / 80 - 0.5, abs=0.3 * factor)
            assert center[1] == pytest.approx((cy + 0.5) * size[0] / 60 - 0.5, abs=0.3 * factor)
