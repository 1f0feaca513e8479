"""White channels against the definition."""

import numpy as np
import pytest
import torch

from foveal.models.parts.whitening import whitened


def test_the_squared_length_is_the_mahalanobis_distance():
    maps = torch.rand(2, 4, 9, 11, generator=torch.Generator().manual_seed(0))
    maps[:, 1] += 2 * maps[:, 0]
    found = whitened(maps, 1e-9).square().sum(dim=1)
    for one, distances in zip(maps.double().numpy(), found, strict=True):
        values = one.reshape(4, -1)
        centered = values - values.mean(axis=1, keepdims=True)
        expected = (centered * (np.linalg.inv(np.cov(values, bias=True)) @ centered)).sum(axis=0)
        np.testing.assert_allclose(distances.flatten(), expected, rtol=1e-3)


def test_whitened_channels_come_by_their_variance():
    maps = torch.randn(1, 3, 40, 50) * torch.tensor([1.0, 5.0, 2.0])[:, None, None]
    for channel, of in zip(whitened(maps, 1e-9)[0], (1, 2, 0), strict=True):
        correlation = torch.corrcoef(torch.stack([channel.flatten(), maps[0, of].flatten()]))[0, 1]
        assert correlation.abs() > 0.95
        assert channel.std() == pytest.approx(1, abs=1e-2)
