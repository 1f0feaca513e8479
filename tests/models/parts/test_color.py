"""Color spaces against scikit-image."""

import numpy as np
import torch
from skimage.color import rgb2lab

from foveal.models.parts.color import to_lab


def test_lab_is_that_of_scikit_image():
    image = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    image[:2] /= 50  # dark, where the cube root is replaced
    expected = rgb2lab(image)
    found = to_lab(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, expected, atol=0.01)
