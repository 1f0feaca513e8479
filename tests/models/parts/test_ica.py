"""Independent components: sources that were mixed are found again."""

import pytest
import torch

from foveal.errors import FovealError
from foveal.models.parts.ica import independent_components


def mixed(n_samples=20_000):
    generator = torch.Generator().manual_seed(3)
    uniform = torch.rand(n_samples, 2, generator=generator) - 0.5
    heavy = torch.randn(n_samples, 2, generator=generator) ** 3
    sources = torch.cat([uniform, heavy], dim=1)
    sources = (sources - sources.mean(dim=0)) / sources.std(dim=0)
    mixing = torch.randn(6, 4, generator=generator)  # six observed values, two of them redundant
    return sources, sources @ mixing.T + 5.0


def test_mixed_sources_are_found_again():
    sources, samples = mixed()
    responses = samples @ independent_components(samples, 4).T
    similarity = torch.corrcoef(torch.cat([sources, responses], dim=1).T)[:4, 4:].abs()
    assert similarity.amax(dim=1).min() > 0.995
    assert sorted(similarity.argmax(dim=1).tolist()) == [0, 1, 2, 3]
    assert similarity.sort(dim=1).values[:, :-1].max() < 0.05


def test_responses_are_white_and_the_seed_decides():
    _, samples = mixed(5_000)
    filters = independent_components(samples, 4, seed=1)
    torch.testing.assert_close(torch.cov((samples @ filters.T).T), torch.eye(4), atol=1e-2, rtol=0)
    assert torch.equal(filters, independent_components(samples, 4, seed=1))
    assert not torch.equal(filters, independent_components(samples, 4, seed=2))


def test_fewer_filters_see_the_strongest_components():
    generator = torch.Generator().manual_seed(0)
    samples = torch.randn(2_000, 3, generator=generator) * torch.tensor([5.0, 3.0, 0.1])
    filters = independent_components(samples, 2)
    assert filters.shape == (2, 3)
    assert filters[:, 2].abs().max() < 0.05


def test_more_filters_than_directions_are_refused():
    gray = torch.rand(500, 1, 4, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1).flatten(1)
    with pytest.raises(FovealError, match="5 filters of patches that vary in 4 directions"):
        independent_components(gray, 5)
