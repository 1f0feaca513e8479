"""What deep models are trained to make small: registered by name, one value an image.

A loss compares a density, or a map in units of its own, with where people looked. Some take the fixations themselves,
others an empirical map (a Gaussian on every fixation). An image without fixations has neither, and its losses are NaN.

A network says one of the two, and every loss takes both: a density becomes a map, and a map becomes a density.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.deep.network import Says
from foveal.models.parts.finalizer import normalize_log_density
from foveal.registry import Registry

TINY = 1e-12  # keeps logarithms and quotients finite where a target is zero
EML_EPSILON = 1e-6  # of EML-NET's published code
BCE_POOLING = 4  # SalGAN compares maps averaged over 4 x 4 pixels
LOOKED_AT, LEFT_OUT = 0.9, 0.1  # Mr-CNN: above and below, of the highest value, a place is a sample
POSITIVE = 1 / 3  # share of the samples that are looked at: 10 of 30
MLNET_ALPHA = 1.1  # Cornia et al. 2016, equation 1
SMALLEST_SPAN = 1e-20  # of an empirical map that sums to one
SMALLEST_MAP = 1e-8  # what a density has, before it is normalised, where a map is zero


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

    @property
    def height(self) -> Float[Tensor, "image 1 1"]:
        """The highest value of the empirical map, which sums to one."""
        return self.density.amax(dim=(1, 2), keepdim=True)

    @property
    def map(self) -> Float[Tensor, "image row column"]:
        """The empirical map, with a highest value of one."""
        return self.density / self.height

    @property
    def span(self) -> Float[Tensor, "image 1 1"]:
        """How far the highest value of the empirical map, which sums to one, is above the lowest; never zero."""
        return (self.height - self.density.amin(dim=(1, 2), keepdim=True)).clamp(min=SMALLEST_SPAN)

    @property
    def spanned(self) -> Float[Tensor, "image row column"]:
        """The empirical map from 0 to 1; one that is the same everywhere is 0."""
        return (self.density - self.density.amin(dim=(1, 2), keepdim=True)) / self.span


Comparison = Callable[[Float[Tensor, "image row column"], Observed], Float[Tensor, " image"]]
Scaling = Callable[[Float[Tensor, "image row column"], Observed], Float[Tensor, "image row column"]]


def in_observed_units(
    log_density: Float[Tensor, "image row column"], observed: Observed
) -> Float[Tensor, "image row column"]:
    """Density in units of the empirical map's highest value: with these, both sum to the same."""
    return log_density.exp() / observed.height


def as_it_is(
    log_density: Float[Tensor, "image row column"],
    observed: Observed,  # noqa: ARG001 (what scalings take)
) -> Float[Tensor, "image row column"]:
    """Density, for losses that no scale changes."""
    return log_density.exp()


def in_observed_span(
    log_density: Float[Tensor, "image row column"], observed: Observed
) -> Float[Tensor, "image row column"]:
    """Density in units of what the empirical map spans, as `Observed.spanned` is, up to a constant."""
    return log_density.exp() / observed.span


def in_own_units(
    log_density: Float[Tensor, "image row column"],
    observed: Observed,  # noqa: ARG001 (what scalings take)
) -> Float[Tensor, "image row column"]:
    """Density with a highest value of one."""
    return (log_density - log_density.amax(dim=(1, 2), keepdim=True)).exp()


def log_density_of(saliency_map: Float[Tensor, "image row column"]) -> Float[Tensor, "image row column"]:
    """Logarithm of the density that is a map divided by its sum; what is below zero counts as zero."""
    return normalize_log_density((saliency_map.clamp(min=0) + SMALLEST_MAP).log())


@dataclass(frozen=True)
class Loss:
    """A registered loss.

    Attributes
    ----------
    compare
        The value of each image, of its log density or its map.
    of
        Which of the two it takes.
    scaled
        What map it sees of a density.
    """

    compare: Comparison
    of: Literal["density", "map"]
    scaled: Scaling

    def __call__(
        self, said: Float[Tensor, "image row column"], observed: Observed, says: Says = "logits"
    ) -> Float[Tensor, " image"]:
        """The value of each image.

        Parameters
        ----------
        said
            Log densities, which were made of what a network says; of one that says a map, the maps themselves.
        observed
            Where people looked.
        says
            Which of the two it is.
        """
        if self.of == "density":
            return self.compare(log_density_of(said) if says == "map" else said, observed)
        return self.compare(said if says == "map" else self.scaled(said, observed), observed)


_LOSSES = Registry[Loss]("loss")


def register_loss(
    name: str, of: Literal["density", "map"] = "density", scaled: Scaling = in_observed_units
) -> Callable[[Comparison], Comparison]:
    """Make a loss known by name: of log densities or of maps; of maps, with how a density is scaled for it.

    Raises
    ------
    FovealError
        If another loss has the name.
    """

    def register(compare: Comparison) -> Comparison:
        _LOSSES.add(name, Loss(compare, of, scaled), of=compare)
        return compare

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


@dataclass(frozen=True)
class WeightedLoss:
    """A sum of losses, with what each counts."""

    parts: tuple[tuple[float, Loss], ...]

    def __call__(
        self, said: Float[Tensor, "image row column"], observed: Observed, says: Says = "logits"
    ) -> Float[Tensor, " image"]:
        """The value of each image, as a `Loss` takes it."""
        first, *others = (weight * loss(said, observed, says) for weight, loss in self.parts)
        return sum(others, start=first)


def weighted_loss(losses: Mapping[str, float]) -> WeightedLoss:
    """The sum of registered losses, each with what it counts, as `Recipe.losses` says them.

    Raises
    ------
    FovealError
        If there is no loss of one of the names.
    """
    return WeightedLoss(tuple((weight, get_loss(name)) for name, weight in losses.items()))


@register_loss("log-likelihood")
def negative_log_likelihood(
    log_density: Float[Tensor, "image row column"], observed: Observed
) -> Float[Tensor, " image"]:
    """Mean negative log-likelihood of the fixations, nats (DeepGaze I, section 1)."""
    return -(observed.counts * log_density).sum(dim=(1, 2)) / observed.counts.sum(dim=(1, 2))


@register_loss("nss", of="map", scaled=as_it_is)
def negative_nss(saliency_map: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    """Mean negative z-score of the map at the fixations (Peters et al. 2005)."""
    return -_at_fixations(_standardised(saliency_map), observed)


@register_loss("cc", of="map", scaled=as_it_is)
def one_minus_cc(saliency_map: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    """One minus the correlation with the empirical map."""
    return 1 - (_standardised(saliency_map) * _standardised(observed.density)).mean(dim=(1, 2))


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
    return divergence + one_minus_cc(p, observed) + best + negative_nss(p, observed)


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


@register_loss("euclidean", of="map")
def euclidean(saliency_map: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\sum_j (p_j - g_j)^2$, where the empirical map's highest value is 1 (PDP; SalNet's loss)."""
    return (saliency_map - observed.map).square().sum(dim=(1, 2))


@register_loss("mse", of="map")
def mean_squared_error(saliency_map: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\frac{1}{N} \sum_j (p_j - g_j)^2$, where the empirical map's highest value is 1."""
    return (saliency_map - observed.map).square().mean(dim=(1, 2))


@register_loss("huber", of="map")
def huber(saliency_map: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\sum_j a_j^2 / 2$ where $a = |p - g| \le 1$, else $a_j - 1/2$; scaled as for the Euclidean loss (PDP)."""
    return F.huber_loss(saliency_map, observed.map, reduction="none").sum(dim=(1, 2))


@register_loss("bce", of="map", scaled=in_own_units)
def binary_cross_entropy(
    saliency_map: Float[Tensor, "image row column"], observed: Observed
) -> Float[Tensor, " image"]:
    """Mean binary cross entropy of maps from 0 to 1, averaged over 4 x 4 cells (SalGAN, Pan et al. 2017).

    What is above or below counts as 1 or 0.
    """
    both = saliency_map.clamp(0, 1), observed.map
    p, g = (F.avg_pool2d(maps[:, None], BCE_POOLING, ceil_mode=True)[:, 0] for maps in both)
    return F.binary_cross_entropy(p, g, reduction="none").mean(dim=(1, 2))


@register_loss("cell-bce", of="map", scaled=in_own_units)
def binary_cross_entropy_of_cells(
    saliency_map: Float[Tensor, "image row column"], observed: Observed
) -> Float[Tensor, " image"]:
    r"""$-\frac{1}{N} \sum_j g_j \ln p_j + (1 - g_j) \ln(1 - p_j)$ of maps from 0 to 1 (Wang & Shen 2018).

    As "bce", but of every cell.
    """
    return F.binary_cross_entropy(saliency_map.clamp(0, 1), observed.map, reduction="none").mean(dim=(1, 2))


@register_loss("patches", of="map", scaled=in_own_units)
def patches(saliency_map: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    """Binary cross entropy at places that are looked at much and at those that hardly are (Mr-CNN, Liu et al. 2015).

    The empirical map, whose highest value is 1, is above .9 at the former and below .1 at the latter. They count one
    third and two thirds, as the paper draws them. Other places do not count. What is above 1 or below 0 in the map
    counts as that. If there is no place below .1, the others alone count.
    """
    is_positive, is_negative = observed.map > LOOKED_AT, observed.map < LEFT_OUT
    p = saliency_map.clamp(0, 1)
    cost = F.binary_cross_entropy(p, is_positive.to(p), reduction="none")
    positive = (cost * is_positive).sum(dim=(1, 2)) / is_positive.sum(dim=(1, 2))
    negative = (cost * is_negative).sum(dim=(1, 2)) / is_negative.sum(dim=(1, 2)).clamp(min=1)
    return POSITIVE * positive + (1 - POSITIVE) * negative


@register_loss("mlnet", of="map", scaled=in_own_units)
def mlnet(saliency_map: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    r"""$\frac{1}{N} \sum_j (p_j / \max p - g_j)^2 / (\alpha - g_j)$ (ML-Net, Cornia et al. 2016, equation 1).

    What people look at counts most. The map is divided by its own highest value, through which gradients flow, as in
    the published code; other than there, the value of a map that is zero everywhere is finite.
    """
    p = saliency_map / saliency_map.amax(dim=(1, 2), keepdim=True).clamp(min=TINY)
    return ((p - observed.map).square() / (MLNET_ALPHA - observed.map)).mean(dim=(1, 2))


def _through_softmax(compare: Comparison) -> Comparison:
    """A comparison of densities as one of maps: the softmax of the map with that of people's map from 0 to 1.

    Jetley, Murray & Vig 2016, "End-to-end saliency mapping via probability distribution prediction" (CVPR). No
    place of people's density is more than e times as likely as another: it is nearly flat.
    """

    def compare_maps(saliency_map: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
        density = normalize_log_density(observed.spanned).exp()
        log_density = normalize_log_density(saliency_map.clone())
        return compare(log_density, Observed(observed.counts, density))

    return compare_maps


for _name, _compare in {
    "chi-squared": chi_squared,
    "total-variation": total_variation,
    "cosine": cosine_distance,
    "bhattacharyya": bhattacharyya,
    "kl": kullback_leibler,
}.items():
    register_loss(f"pdp-{_name}", of="map", scaled=in_observed_span)(_through_softmax(_compare))


def _standardised(maps: Float[Tensor, "image row column"]) -> Float[Tensor, "image row column"]:
    mean, std = maps.mean(dim=(1, 2), keepdim=True), maps.std(dim=(1, 2), correction=0, keepdim=True)
    return (maps - mean) / (std + TINY)


def _at_fixations(maps: Float[Tensor, "image row column"], observed: Observed) -> Float[Tensor, " image"]:
    return (maps * observed.counts).sum(dim=(1, 2)) / observed.counts.sum(dim=(1, 2))
