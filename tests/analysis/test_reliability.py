"""Predicted and observed shares of fixations."""

import pytest
import torch

from foveal.analysis.reliability import mass_levels, observed_shares

PREDICTED = torch.linspace(0.1, 0.9, 9)


def drawn(sharpness):
    """Densities, and counts of fixations drawn from them, sharpened."""
    generator = torch.Generator().manual_seed(0)
    log_density = 1.5 * torch.randn(50, 30, 40, generator=generator)
    mass = (sharpness * log_density).flatten(1).softmax(dim=1)
    cells = torch.multinomial(mass, 500, replacement=True, generator=generator)
    return log_density, torch.zeros_like(mass).scatter_add_(1, cells, torch.ones(50, 500)).view_as(log_density)


def test_the_level_of_a_cell_by_counting():
    log_density, _ = drawn(1.0)
    mass = log_density[0].flatten().softmax(dim=0)
    slow = torch.stack([mass[mass > own].sum() + own / 2 for own in mass]).view(30, 40)
    torch.testing.assert_close(mass_levels(log_density[:1])[0], slow, rtol=1e-4, atol=1e-5)


def test_fixations_drawn_from_the_density_fall_where_it_says():
    shares = observed_shares(*drawn(1.0), PREDICTED).mean(dim=0)
    torch.testing.assert_close(shares, PREDICTED, atol=0.01, rtol=0)


@pytest.mark.parametrize(("sharpness", "sign"), [(0.5, -1), (2.0, 1)])
def test_who_is_too_sure_finds_fewer(sharpness, sign):
    shares = observed_shares(*drawn(sharpness), PREDICTED).mean(dim=0)
    assert (sign * (shares - PREDICTED) > 0.02).all()
