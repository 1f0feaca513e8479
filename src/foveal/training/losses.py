"""What deep models are trained to make small: registered by name, one value an image.

A loss compares a log density with where people looked. Some take the fixations themselves, others an empirical map (a
Gaussian on every fixation, scaled to sum to one). An image without fixations has neither, and its losses are NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.registry import Registry

TINY = 1e-12  # keeps logarithms and quotients finite where a target is zero
EML_EPSILON = 1e-6  # of EML-NET's published code
BCE_POOLING = 4  # SalGAN compares maps averaged over 4 x 4 pixels


@dataclass(frozen=True)
class Observed:
    """Where people looked in some images of one size.

    Attributes
    ----------
    counts
        Fixations in each cell.
    density
        The empirical map, summing to one.
    """

    counts: Float[Tensor, "image row column"]
    density: Float[Tensor, "image row column"]


Loss = Callable[[Float[Tensor, "image row column"], Observed], Float[Tensor, " image"]]
_LOSSES = Registry[Loss]("loss")


def register_loss(name: str) -> Callable[[Loss], Loss]:
    """Make a loss known by name.

    Raises
    ------
    FovealError
        If another loss has the name.
    """

    def register(loss: Loss) -> Loss:
        _LOSSES.add(name, loss, of=loss)
        return loss

    return register


def list_losses() -> list[str]:
    """All registered names."""
    return list(_LOSSES)


def get_loss(name: str) -> Loss:
    """The loss of this name.

    Raises
    ------
    FovealError
        If there is none.
    """
    return _LOSSES.get(name)


@register_loss("log-likelihood")
def negative_log_likelihood(
    log_density: Float[Tensor, "image row column"], observed: Observed
) -> Float[Tensor, " image"]:
    """Mean negative log-likelihood of the fixations, nats (DeepGaze I, section 1)."""
    return -(observed.counts * log_density).sum(dim=(1, 2)) / observed.counts.sum(dim=(1, 2))


@register_loss("nss")
def negative_nss(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    """Mean negative z-score of the density at the fixations (Peters et al. 2005)."""
    return -_at_fixations(_standardised(log_density.exp()), observed)


@register_loss("cc")
def one_minus_cc(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    """One minus the correlation with the empirical map."""
    return 1 - (_standardised(log_density.exp()) * _standardised(observed.density)).mean(dim=(1, 2))


@register_loss("kl")
def kullback_leibler(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\sum_j g_j \ln(g_j / p_j)$, of the empirical map from the density (PDP; its gradient is $p - g$)."""
    g = observed.density
    return (g * ((g + TINY).log() - log_density)).sum(dim=(1, 2))


@register_loss("eml")
def eml(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    """KL + (1 - CC) + NSS of the fixations themselves minus that of the density (EML-NET, Jia & Bruce 2020).

    As in the published code, but for its deviations, which are there divided by one less than the number of pixels.
    """
    p, g = log_density.exp(), observed.density
    divergence = (g * (g / (p + EML_EPSILON) + EML_EPSILON).log()).sum(dim=(1, 2))
    best = _at_fixations(_standardised((observed.counts > 0).to(p)), observed)
    return divergence + one_minus_cc(log_density, observed) + best + negative_nss(log_density, observed)


@register_loss("chi-squared")
def chi_squared(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\sum_j g_j^2 / p_j - 1$ (PDP, Jetley, Murray & Vig 2016)."""
    g = observed.density
    quotient = (2 * g.clamp(min=TINY).log() - log_density).exp()
    return quotient.where(g > 0, 0.0).sum(dim=(1, 2)) - 1


@register_loss("total-variation")
def total_variation(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\frac{1}{2} \sum_j |g_j - p_j|$ (PDP)."""
    return (observed.density - log_density.exp()).abs().sum(dim=(1, 2)) / 2


@register_loss("cosine")
def cosine_distance(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$1 - \sum_j p_j g_j / \sqrt{\sum_j p_j^2 \sum_j g_j^2}$ (PDP)."""
    return 1 - F.cosine_similarity(log_density.exp().flatten(1), observed.density.flatten(1), eps=TINY)


@register_loss("bhattacharyya")
def bhattacharyya(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$-\ln \sum_j \sqrt{p_j g_j}$ (PDP)."""
    return -((observed.density + TINY).log() / 2 + log_density / 2).flatten(1).logsumexp(dim=1)


@register_loss("euclidean")
def euclidean(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\sum_j (p_j - g_j)^2$, both scaled so that the empirical map's highest value is 1 (PDP; SalNet's loss)."""
    p, g = _to_unit_height(log_density, observed)
    return (p - g).square().sum(dim=(1, 2))


@register_loss("huber")
def huber(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\sum_j a_j^2 / 2$ where $a = |p - g| \le 1$, else $a_j - 1/2$; scaled as for the Euclidean loss (PDP)."""
    p, g = _to_unit_height(log_density, observed)
    return F.huber_loss(p, g, reduction="none").sum(dim=(1, 2))


@register_loss("bce")
def binary_cross_entropy(log_density: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    """Mean binary cross entropy of maps of height 1, averaged over 4 x 4 cells (SalGAN, Pan et al. 2017)."""
    p, g = (log_density - log_density.amax(dim=(1, 2), keepdim=True)).exp(), _to_unit_height(log_density, observed)[1]
    p, g = (F.avg_pool2d(maps[:, None], BCE_POOLING, ceil_mode=True)[:, 0] for maps in (p, g))
    return F.binary_cross_entropy(p, g, reduction="none").mean(dim=(1, 2))


def _standardised(maps: Float[Tensor, "image row column"]) -> Float[Tensor, "image row column"]:
    mean, std = maps.mean(dim=(1, 2), keepdim=True), maps.std(dim=(1, 2), correction=0, keepdim=True)
    return (maps - mean) / (std + TINY)


def _at_fixations(maps: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    return (maps * observed.counts).sum(dim=(1, 2)) / observed.counts.sum(dim=(1, 2))


def _to_unit_height(
    log_density: Float[Tensor, "image row column"], observed: Observed
) -> tuple[Float[Tensor, "image row column"], Float[Tensor, "image row column"]]:
    """Density and empirical map in units of the latter's highest value: both sum to the same."""
    height = observed.density.amax(dim=(1, 2), keepdim=True)
    return log_density.exp() / height, observed.density / height
