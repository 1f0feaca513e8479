import numpy as np
import pytest
from toy import make_dataset

from foveal.errors import FovealError
from foveal.gaze import Fixations, fixation_map, kde
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.kde import factored_kde, fit_mixture_weights, leave_one_subject_out_densities


def test_pairwise_sums_equal_rendered_maps():
    rng = np.random.default_rng(0)
    x, y, subject = rng.uniform(0, 39, 30), rng.uniform(0, 29, 30), rng.integers(0, 4, 30)
    densities = leave_one_subject_out_densities(x, y, subject, (30, 40), 3.0)
    fixations = Fixations.of(np.zeros(30), x, y, subject=subject)
    for i in range(30):
        others = fixations.without_subject(subject[i])
        rendered = fixation_map(others, (30, 40), sigma=3.0) / len(others)
        assert densities[i] == pytest.approx(rendered[round(y[i]), round(x[i])], rel=1e-4)


def test_alone_on_an_image_nobody_else_says_anything():
    assert np.isnan(leave_one_subject_out_densities(np.ones(3), np.ones(3), np.zeros(3, int), (5, 5), 1.0)).all()


def test_a_bandwidth_far_below_a_pixel_stays_defined():
    densities = leave_one_subject_out_densities(
        np.array([3.4, 3.1]), np.array([2.0, 2.2]), np.array([0, 1]), (6, 8), 0.001
    )
    np.testing.assert_allclose(densities, 1)


@pytest.mark.parametrize(("sigma", "tolerance"), [(6.0, 0.02), (20.0, 0.002)])
def test_cells_are_near_the_sums_over_pairs(monkeypatch, sigma, tolerance):
    """On an image whose cells are 2 x 3 px; one of five subjects looked once, one a hundred times."""
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(5), [1, 100, 40, 30, 29])
    x, y = rng.uniform(-0.5, 767.4, 200), rng.normal(250, 60, 200)
    pairs = leave_one_subject_out_densities(x, y, subject, (512, 768), sigma)
    monkeypatch.setattr(kde, "MOST_PAIRWISE", 199)
    cells = leave_one_subject_out_densities(x, y, subject, (512, 768), sigma)
    assert not np.array_equal(cells, pairs)
    np.testing.assert_allclose(cells, pairs, atol=tolerance * pairs.max())
    # Rendered, they are the same densities.
    others = subject != 1
    rows, columns = factored_kde(x, y, (512, 768), sigma)(others)
    rendered = (rows @ columns).numpy() / others.sum()
    at = np.floor(y + 0.5).astype(int), np.floor(x + 0.5).astype(int)
    np.testing.assert_allclose(cells[~others], rendered[at][~others], rtol=1e-4, atol=1e-9)


def test_nobody_else_in_cells(monkeypatch):
    monkeypatch.setattr(kde, "MOST_PAIRWISE", 2)
    assert np.isnan(leave_one_subject_out_densities(np.ones(3), np.ones(3), np.zeros(3, int), (5, 5), 1.0)).all()


def test_many_fixations_take_little_memory_and_time():
    """Sums over pairs would take 7 GB here."""
    rng = np.random.default_rng(0)
    n = 30_000
    x, y = rng.normal(100, 20, n).clip(0, 199), rng.normal(70, 10, n).clip(0, 149)
    densities = leave_one_subject_out_densities(x, y, rng.integers(0, 2, n), (150, 200), 5.0)
    center = np.hypot(x - 100, y - 70) < 3
    expected = 1 / (2 * np.pi * np.hypot(20, 5) * np.hypot(10, 5))
    assert densities[center].mean() == pytest.approx(expected, rel=0.05)


def test_mixture_weights_are_recovered():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(20000) < 0.3, rng.normal(0, 1, 20000), rng.normal(3, 1, 20000))
    components = np.exp(-0.5 * (x - np.array([[0.0], [3.0]])) ** 2)
    weights = fit_mixture_weights(components)
    assert weights[0] == pytest.approx(0.3, abs=0.02)
    assert weights.sum() == pytest.approx(1)


def slow_center_bias(dataset, image, bandwidth, uniform_weight):
    """All other images' fixations, one Gaussian after the other, in relative coordinates."""
    height, width = dataset.stimuli.sizes[image]
    v, u = np.mgrid[:height, :width]
    u, v = (u + 0.5) / width, (v + 0.5) / height
    density = np.zeros((height, width))
    for other in range(len(dataset)):
        if other == image:
            continue
        h, w = dataset.stimuli.sizes[other]
        part = dataset.fixations.for_image(other)
        for x, y in zip((part.x + 0.5) / w, (part.y + 0.5) / h, strict=True):
            one = np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * bandwidth**2))
            density += one / one.sum()
    density /= density.sum()
    return np.log((1 - uniform_weight) * density + uniform_weight / density.size)


def test_center_bias_is_that_of_the_other_images():
    dataset = make_dataset(n_images=5, size=(48, 64))
    fitted = CenterBiasKDE.fit(dataset)
    for image in (0, 3):
        at_fixations = fitted.leave_one_image_out_at_fixations(dataset, image)
        part = dataset.fixations.for_image(image)
        rendered = fitted.leave_one_image_out(dataset, image).numpy()
        np.testing.assert_allclose(at_fixations, rendered[part.pixel_y, part.pixel_x], atol=1e-5)
        fast = fitted.leave_one_image_out(dataset, image).numpy()
        slow = slow_center_bias(dataset, image, fitted.bandwidth, fitted.uniform_weight)
        assert np.logaddexp.reduce(fast.ravel()) == pytest.approx(0, abs=1e-4)
        # Fixations are shared among cells of 1/256 of the image: the densities agree to a thousandth.
        likely = slow > slow.max() - 5
        np.testing.assert_allclose(fast[likely], slow[likely], atol=5e-3)


def test_bandwidth_is_the_likeliest():
    dataset = make_dataset(n_images=12)
    fitted = CenterBiasKDE.fit(dataset)

    def likelihood(density: CenterBiasKDE) -> float:
        values = []
        for image in range(len(dataset)):
            part = dataset.fixations.for_image(image)
            log_density = density.leave_one_image_out(dataset, image).numpy()
            values.append(log_density[part.pixel_y, part.pixel_x])
        return float(np.concatenate(values).mean())

    best = likelihood(fitted)
    for factor in (0.6, 1.7):
        other = CenterBiasKDE(fitted.counts, fitted.bandwidth * factor, fitted.uniform_weight)
        assert likelihood(other) < best


def test_center_bias_of_one_image_is_refused(dataset):
    with pytest.raises(FovealError, match="at least two images"):
        CenterBiasKDE.fit(dataset.limit(1))


@pytest.mark.parametrize("sigma", [2.0, 6.0, 40.0])
def test_of_many_fixations_a_narrow_gaussian_is_not_blurred_by_cells(sigma):
    """Image sides of 8 and 6 px a cell: the first two are narrower than two cells, and are sums over pairs."""
    rng = np.random.default_rng(0)
    size, n = (1536, 2048), 700
    cluster = rng.integers(0, 8, n)
    x, y = (rng.uniform(0.2, 0.8, 8)[cluster] * side + rng.normal(0, 5, n) for side in size[::-1])
    subject = rng.integers(0, 4, n)
    found = leave_one_subject_out_densities(x, y, subject, size, sigma)
    columns = np.exp(-((np.floor(x + 0.5) - x[:, None]) ** 2) / 2 / sigma**2)
    rows = np.exp(-((np.floor(y + 0.5) - y[:, None]) ** 2) / 2 / sigma**2)
    others = subject[:, None] != subject
    expected = (columns * rows * others).sum(axis=0) / others.sum(axis=0) / (2 * np.pi * sigma**2)
    np.testing.assert_allclose(found, expected, rtol=0.03 if sigma == 40 else 1e-3, atol=1e-3 * expected.max())
