"""PDP's losses of maps: of two softmaxes, with gradients through that of the map."""

import pytest
import torch

from foveal.training.losses import Observed, get_loss

# How each loss changes with the probabilities p, where people's are g: by hand, of the paper's formulas.
CHANGES = {
    "chi-squared": lambda p, g: -(g**2) / p**2,
    "total-variation": lambda p, g: torch.sign(p - g) / 2,
    "cosine": lambda p, g: (p * (p @ g) / (p @ p) - g) / (p.norm() * g.norm()),
    "bhattacharyya": lambda p, g: -(g / p).sqrt() / 2 / (p * g).sqrt().sum(),
    "kl": lambda p, g: -g / p,
}
VALUES = {
    "chi-squared": lambda p, g: (g**2 / p).sum() - 1,
    "total-variation": lambda p, g: (g - p).abs().sum() / 2,
    "cosine": lambda p, g: 1 - (p * g).sum() / ((p**2).sum() * (g**2).sum()).sqrt(),
    "bhattacharyya": lambda p, g: -(p * g).sqrt().sum().log(),
    "kl": lambda p, g: (g * (g / p).log()).sum(),
}


def example():
    """A map in float64, and the empirical map of an image."""
    generator = torch.Generator().manual_seed(0)
    said = 2 * torch.randn(1, 4, 5, generator=generator, dtype=torch.float64)
    density = torch.rand(1, 4, 5, generator=generator, dtype=torch.float64)
    return said, Observed(torch.ones(1, 4, 5), density / density.sum())


def target(observed):
    """The softmax of the min-max map, pixel by pixel."""
    density = observed.density.flatten()
    exponentials = torch.stack([((one - density.min()) / (density.max() - density.min())).exp() for one in density])
    return exponentials / exponentials.sum()


@pytest.mark.parametrize("name", VALUES)
def test_they_compare_two_softmaxes(name):
    said, observed = example()
    p = said.flatten().exp() / said.exp().sum()
    found = get_loss(f"pdp-{name}")(said, observed, "map")
    torch.testing.assert_close(found, VALUES[name](p, target(observed))[None])


@pytest.mark.parametrize("name", CHANGES)
def test_gradients_go_through_the_softmax(name):
    r"""$\partial p_i / \partial x_j = p_i (\delta_{ij} - p_j)$, with the loss's own derivative by each $p_i$."""
    said, observed = example()
    p, g = said.flatten().softmax(dim=0), target(observed)
    n = len(p)
    through = torch.stack([torch.stack([p[i] * (float(i == j) - p[j]) for j in range(n)]) for i in range(n)])
    expected = CHANGES[name](p, g) @ through
    if name == "kl":  # as the paper has it
        torch.testing.assert_close(expected, p - g)
    said.requires_grad_(True)
    (found,) = torch.autograd.grad(get_loss(f"pdp-{name}")(said, observed, "map").sum(), said)
    torch.testing.assert_close(found.flatten(), expected)


def test_what_a_loss_sees_of_a_map_it_does_not_change():
    """The map may be wanted again: normalising works in place where nothing is learned."""
    said, observed = example()
    before, density = said.clone(), observed.density.clone()
    get_loss("pdp-kl")(said, observed, "map")
    assert torch.equal(said, before)
    assert torch.equal(observed.density, density)


def test_people_who_looked_everywhere_alike():
    said, _ = example()
    flat = Observed(torch.ones(1, 4, 5), torch.full((1, 4, 5), 1 / 20, dtype=torch.float64))
    value = get_loss("pdp-bhattacharyya")(said, flat, "map")
    torch.testing.assert_close(value, VALUES["bhattacharyya"](said.flatten().softmax(0), torch.tensor(1 / 20))[None])
