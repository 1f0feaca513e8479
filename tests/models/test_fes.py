"""Fast and efficient saliency against its definition, pixel by pixel, and the odd one out."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from foveal.models.classical.fes import FastEfficientConfig, FastEfficientSaliency, surround_density
from foveal.models.parts.color import to_lab

SIZE = (24, 30)


def slow_density(colors, radius, samples, sigma):
    density = np.zeros(SIZE)
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            for angle in np.arange(samples) * 2 * np.pi / samples:
                at_y = min(max(y + round(radius * np.sin(angle)), 0), SIZE[0] - 1)
                at_x = min(max(x + round(radius * np.cos(angle)), 0), SIZE[1] - 1)
                distance = np.linalg.norm(colors[:, y, x] - colors[:, at_y, at_x])
                density[y, x] += np.exp(-(distance**2) / (2 * sigma**2)) / samples
    return density


def some_images():
    return torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(0)) * 0.2 + 0.4


def test_the_density_is_that_of_its_samples():
    colors = to_lab(some_images())
    expected = slow_density(colors[0].double().numpy(), 5, 8, 10.0)
    np.testing.assert_allclose(surround_density(colors, 5, 8, 10.0)[0], expected, rtol=1e-4)


def test_the_map_is_the_mean_over_radii_of_the_posteriors():
    images = some_images()
    colors = to_lab(images)
    config = FastEfficientConfig(working_side=30, radii=(2, 5), blur_sigma=1.5)
    inside = gaussian_filter(np.ones(colors.shape), (0, 0, 1.5, 1.5), mode="constant", truncate=8)[:, 0]
    expected = 0
    for radius in (2, 5):
        posterior = 1 / (1 + 0.1 * surround_density(colors, radius, 8, 10.0)).numpy()
        blurred = gaussian_filter(posterior, (0, 1.5, 1.5), mode="constant", truncate=8) / inside
        expected = expected + torch.from_numpy(blurred**30 / 2).float()
    torch.testing.assert_close(FastEfficientSaliency(config).saliency_map(images), expected, atol=1e-4, rtol=0)


def test_what_differs_from_all_around_it_stands_out_and_no_more_than_certainly():
    image = np.full((120, 160, 3), 110, np.uint8)
    image[50:66, 60:76] = (200, 60, 60)
    saliency = FastEfficientSaliency().saliency_map_of([image])[0]
    assert saliency[58, 68] > 0.99 * saliency.max()
    assert saliency[58, 68] > 0.5
    assert saliency[110, 150] < 0.06  # 1.1 ** -30: like its surround
