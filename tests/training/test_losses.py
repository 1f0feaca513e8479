"""Losses against the formulas of their papers, and their gradients against differences and printed ones."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from foveal.errors import FovealError
from foveal.training.losses import Observed, get_loss, list_losses, weighted_loss


def example(n: int = 2, size: tuple[int, int] = (6, 7)) -> tuple[torch.Tensor, Observed]:
    """Outputs before the softmax, in float64, and observations."""
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(n, *size, generator=generator, dtype=torch.float64)
    counts = torch.poisson(torch.full((n, *size), 0.7), generator=generator).double()
    density = torch.softmax(2 * torch.randn(n, size[0] * size[1], generator=generator, dtype=torch.float64), dim=1)
    return outputs, Observed(counts, density.reshape(n, *size))


def log_softmax(outputs: torch.Tensor) -> torch.Tensor:
    return outputs - outputs.flatten(1).logsumexp(dim=1)[:, None, None]


@pytest.mark.parametrize("name", list_losses())
def test_gradients_are_those_of_differences(name):
    outputs, observed = example()
    assert gradcheck(lambda x: get_loss(name)(log_softmax(x), observed), outputs.requires_grad_(True))


# NSS and EML's part of it reward contrast, not truth; binary cross entropies look at heights.
@pytest.mark.parametrize(
    "name", [name for name in list_losses() if name not in ("nss", "eml", "bce", "cell-bce", "patches")]
)
def test_the_truth_is_better_than_anything_near(name):
    """The density that is the empirical map itself has the lowest loss; that of counts, for losses of fixations."""
    _, observed = example(1)
    observed = Observed(observed.counts + 0.1, (observed.counts + 0.1) / (observed.counts + 0.1).sum())
    truth = observed.density.log()
    best = get_loss(name)(truth, observed)
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        other = log_softmax(truth + 0.3 * torch.randn(truth.shape, generator=generator, dtype=torch.float64))
        assert get_loss(name)(other, observed) > best


def test_values_by_hand():
    """Two pixels."""
    p, g = torch.tensor([[[0.8, 0.2]]]), torch.tensor([[[0.5, 0.5]]])
    observed = Observed(torch.tensor([[[3.0, 1.0]]]), g)
    expected = {
        "log-likelihood": -(3 * math.log(0.8) + math.log(0.2)) / 4,
        "nss": -(3 * 1 - 1) / 4,
        "cc": 1.0,  # the empirical map is constant
        "kl": 0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2),
        "chi-squared": 0.25 / 0.8 + 0.25 / 0.2 - 1,
        "total-variation": 0.3,
        "cosine": 1 - 0.5 / (math.sqrt(0.68) * math.sqrt(0.5)),
        "bhattacharyya": -math.log(math.sqrt(0.4) + math.sqrt(0.1)),
        "euclidean": 2 * 0.6**2,
        "huber": 0.6**2,
        "mlnet": 0.75**2 / 0.1 / 2,
    }
    for name, value in expected.items():
        assert get_loss(name)(p.log(), observed).item() == pytest.approx(value, rel=1e-5), name


def test_the_sum_of_eml_by_hand():
    """Three pixels."""
    p, g, counts = np.array([0.7, 0.2, 0.1]), np.array([0.5, 0.3, 0.2]), np.array([2.0, 1.0, 0.0])

    def standardised(values):
        return (values - values.mean()) / values.std()

    def at_fixations(values):
        return (standardised(values) * counts).sum() / 3

    expected = (g * np.log(g / p)).sum() + 1 - np.corrcoef(p, g)[0, 1] + at_fixations(counts > 0) - at_fixations(p)
    observed = Observed(*(torch.from_numpy(each)[None, None] for each in (counts, g)))
    value = get_loss("eml")(torch.from_numpy(p).log()[None, None], observed).item()
    assert value == pytest.approx(expected, abs=1e-4)


def test_binary_cross_entropy_by_hand():
    """Two fields of 4 x 4 pixels: with maps of height 1, means of .25 and .5 where .6 and 1 are wanted."""
    p, g = torch.full((1, 4, 8), 0.5), torch.ones(1, 4, 8)
    p[..., :4], g[..., :4] = 0.2, 0.6
    p[0, 0, 0] = 1.0
    expected = -(0.6 * math.log(0.25) + 0.4 * math.log(0.75) + math.log(0.5)) / 2
    value = get_loss("bce")((p / p.sum()).log(), Observed(g, g / g.sum())).item()
    assert value == pytest.approx(expected, rel=1e-5)


def test_patches_by_hand():
    """The mean over two positive places counts a third, that over two negative ones two thirds; others do not count."""
    g = torch.tensor([[[1.0, 0.95, 0.5, 0.05, 0.0, 0.2]]])
    p = torch.tensor([[[0.8, 0.4, 0.9, 0.1, 0.3, 0.7]]])
    expected = -(math.log(0.8) + math.log(0.4)) / 2 / 3 - 2 * (math.log(0.9) + math.log(0.7)) / 2 / 3
    loss = get_loss("patches")
    assert loss(p, Observed(g, g / g.sum()), "map").item() == pytest.approx(expected, rel=1e-5)
    in_between = torch.tensor([[[1.0, 0.5, 0.5, 0.5, 0.5, 0.5]]])
    without_negatives = loss(p, Observed(in_between, in_between / in_between.sum()), "map")
    assert without_negatives.item() == pytest.approx(-math.log(0.8) / 3, rel=1e-5)


def test_losses_of_a_map_pixel_by_pixel():
    """What the network itself says, in its own units, against the empirical map with a highest value of one."""
    generator = torch.Generator().manual_seed(2)
    _, observed = example(2, (4, 8))
    said = torch.rand(2, 4, 8, generator=generator, dtype=torch.float64)
    expected = {"euclidean": [], "huber": [], "mlnet": [], "bce": [], "cell-bce": []}
    for p, g in zip(said.numpy(), observed.density.numpy(), strict=True):
        y = g / g.max()
        pixels = [(p[row, column], y[row, column]) for row in range(4) for column in range(8)]
        expected["euclidean"].append(sum((a - b) ** 2 for a, b in pixels))
        expected["huber"].append(sum((a - b) ** 2 / 2 for a, b in pixels))  # no difference is above 1
        expected["mlnet"].append(sum((a / p.max() - b) ** 2 / (1.1 - b) for a, b in pixels) / 32)
        expected["cell-bce"].append(-sum(b * math.log(a) + (1 - b) * math.log(1 - a) for a, b in pixels) / 32)
        fields = [(p[:, columns].mean(), y[:, columns].mean()) for columns in (slice(0, 4), slice(4, 8))]
        expected["bce"].append(-sum(b * math.log(a) + (1 - b) * math.log(1 - a) for a, b in fields) / 2)
    for name, values in expected.items():
        assert get_loss(name)(said, observed, "map").tolist() == pytest.approx(values), name
    # The highest value, by which the map is divided, is learned as well.
    assert gradcheck(lambda x: get_loss("mlnet")(x, observed, "map"), said.requires_grad_(True))


def test_a_map_that_is_zero_everywhere_has_finite_losses():
    _, observed = example()
    for name in list_losses():
        said = torch.zeros_like(observed.density, requires_grad=True)
        value = get_loss(name)(said.relu(), observed, "map").sum()
        value.backward()
        assert value.isfinite(), name
        assert said.grad.isfinite().all(), name


@pytest.mark.parametrize("name", ["log-likelihood", "nss", "cc", "kl", "eml", "cosine"])
def test_losses_of_densities_see_a_map_as_its_share_of_the_sum(name):
    outputs, observed = example()
    said = outputs.exp()
    as_density = get_loss(name)((said / said.sum(dim=(1, 2), keepdim=True)).log(), observed)
    torch.testing.assert_close(get_loss(name)(said, observed, "map"), as_density, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(get_loss(name)(3 * said, observed, "map"), as_density, rtol=1e-6, atol=1e-7)
    if name in ("nss", "cc"):  # of the map as it is
        return
    below = torch.where(said < 0.5, -said, said)
    at_zero = torch.where(said < 0.5, 0.0, said)
    assert torch.equal(get_loss(name)(below, observed, "map"), get_loss(name)(at_zero, observed, "map"))


def test_a_sum_of_losses():
    outputs, observed = example()
    for says, said in [("logits", log_softmax(outputs)), ("map", outputs.sigmoid())]:
        kl, nss, bce = (get_loss(name)(said, observed, says) for name in ("kl", "nss", "bce"))
        found = weighted_loss({"kl": 10.0, "nss": 0.5, "bce": 1.0})(said, observed, says)
        torch.testing.assert_close(found, 10 * kl + nss / 2 + bce)
        assert torch.equal(weighted_loss({"kl": 1.0})(said, observed, says), kl)
    with pytest.raises(FovealError, match="no loss 'hinge'"):
        weighted_loss({"kl": 1.0, "hinge": 1.0})


def test_printed_gradients():
    """PDP's table, pixel by pixel.

    Printed with slips that are mended here: the sign of Bhattacharyya's, and of the cosine distance p_i for p_j in the
    sum and a quotient of norms that is missing from the last bracket.
    """
    outputs, observed = example(1, (3, 4))
    outputs.requires_grad_(True)
    p, g = torch.softmax(outputs.detach().flatten(), dim=0), observed.density.flatten()
    n = len(p)
    sign, root = torch.sign(g - p), (p * g).sqrt()
    norms = p.norm() * g.norm()
    pull = g - p * (g.norm() / p.norm()) * ((p * g).sum() / norms)
    printed = {
        "kl": p - g,
        "chi-squared": torch.stack(
            [p[i] * sum(g[j] ** 2 / p[j] for j in range(n) if j != i) - g[i] ** 2 / p[i] * (1 - p[i]) for i in range(n)]
        ),
        "cosine": torch.stack(
            [
                (p[i] * sum(p[j] * pull[j] for j in range(n) if j != i) - p[i] * pull[i] * (1 - p[i])) / norms
                for i in range(n)
            ]
        ),
        "bhattacharyya": torch.stack(
            [(p[i] * (root.sum() - root[i]) - root[i] * (1 - p[i])) / (2 * root.sum()) for i in range(n)]
        ),
        "total-variation": torch.stack(
            [
                0.5 * (p[i] * sum(sign[j] * p[j] for j in range(n) if j != i) - p[i] * sign[i] * (1 - p[i]))
                for i in range(n)
            ]
        ),
    }
    # Of the two losses that are not of probabilities: their own derivative, through that of the softmax.
    away, height = (p - g) / g.max(), g.max()
    through = torch.diag(p) - torch.outer(p, p)
    printed["euclidean"] = through @ (2 * away / height)
    printed["huber"] = through @ (away.clamp(-1, 1) / height)
    assert (away.abs() > 1).any()
    assert (away.abs() < 1).any()
    for name, gradient in printed.items():
        (found,) = torch.autograd.grad(get_loss(name)(log_softmax(outputs), observed).sum(), outputs)
        torch.testing.assert_close(found.flatten(), gradient, msg=name)


def test_a_density_that_is_sharper_than_its_target():
    """Where the target is zero, nothing is divided by what the density has there, however little."""
    log_density = torch.full((1, 10, 10), -60.0)
    log_density[0, 5, 5] = 0.0
    target = torch.zeros(1, 10, 10)
    target[0, 5, 5] = 1.0
    observed = Observed(target, target)
    for name in list_losses():
        if name not in ("nss", "eml", "bce", "cell-bce", "patches"):  # whose best value is not 0
            assert get_loss(name)(log_density, observed).item() == pytest.approx(0, abs=1e-5), name


def test_a_loss_that_does_not_exist():
    with pytest.raises(FovealError, match=r"no loss 'hinge' \(known: log-likelihood, nss"):
        get_loss("hinge")
