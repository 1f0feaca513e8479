"""What a network is that a recipe can train: how it sees an image, and what it says of it on a grid of cells.

A network says one of two things. Logits, added to the logarithm of a center bias, are a log density up to a constant
(`DensityNetwork`). A map is higher where more is to be seen, on a scale of its own, and becomes a density by a
calibration (`MapNetwork`). Losses get what the network says. A network may say several maps of an image, of which the
last is its answer: all of them are to be like people's (deep supervision).

A recipe trains what `forward` makes of what the network sees. Whether that was computed from the pixels a moment ago or
kept on disk is the same to it: a network whose lower layers stay as they are says so (`ReadsFrozen`).
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.models.base import SaliencyMapModel, SaliencyModel
from foveal.models.catalogue import class_of, model_cards
from foveal.models.config import ModelConfig
from foveal.models.feature_source import FeatureSource
from foveal.models.parts.finalizer import resize_log_density, resize_maps
from foveal.models.parts.geometry import Grid
from foveal.models.parts.prior import WithPrior
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.registry import no_such

IMAGE = "image"  # what the pixels are called among the things that a network sees
SAME = 0.05  # of a number: a difference that is not worth a word
READOUT, BACKBONE = "readout", "backbone"  # groups of parameters; a network may have others

Says = Literal["logits", "map"]
Seen = dict[str, Float[Tensor, "image ..."]]
Numbers = dict[str, Tensor]


class Network(SaliencyModel):
    """A network that a recipe can train.

    Attributes
    ----------
    says
        "logits" or a "map": what `forward` gives.
    losses
        What it is trained for if the recipe does not say: registered losses and their weights, as in its paper.
    tiny
        A configuration with few weights, on which tests train it in seconds.
    """

    Config: ClassVar[type[ModelConfig]]
    says: ClassVar[Says]
    losses: ClassVar[Mapping[str, float]] = {"log-likelihood": 1.0}
    tiny: ClassVar[ModelConfig]

    @property
    def keeps_features(self) -> bool:
        """Are features of it computed once and kept? Else photographs are read whenever it sees them."""
        return isinstance(self, ReadsFrozen)

    @abstractmethod
    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """What `forward` takes of RGB images in [0, 1], at the sizes at which the network sees them.

        No weights and no buffers: in training it is called on the CPU, and by other processes.
        """

    @abstractmethod
    def cells(self, size: tuple[int, int]) -> Grid:
        """The cells of an image of this (height, width), of each of which the network says something."""

    @abstractmethod
    def forward(
        self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image *map row column"]:
        """What the network says over the cells of images of this (height, width), of what `see` says of them.

        That is one map, or several: of logits, `DensityNetwork.combined` makes one; of maps, see `each_map`.
        """

    def said(
        self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image *map row column"]:
        """What the network says of images: see `forward`."""
        said: Tensor = self(self.see(images, viewing), (images.shape[2], images.shape[3]), viewing)
        return said

    def parameter_groups(self, *, batch_norms: bool = False) -> dict[str, list[nn.Parameter]]:
        """All that can be trained, by the names under which a phase of a recipe says their learning rates.

        `batch_norms`: are the normalisations of a pretrained network trained with it, and do they go by the batch?
        """
        return {READOUT: list(self.parameters())}

    def without_decay(self) -> list[nn.Parameter]:
        """Matrices that weight decay does not make smaller, beside all biases and single numbers."""
        return []

    def penalty(self) -> float | Float[Tensor, ""]:
        """What its own weights add to the loss, if its paper has such a term beside weight decay."""
        return 0.0

    def load_pretrained(self) -> None:
        """Take the weights of the networks that it is built on, where a training begins with them.

        Raises
        ------
        FovealError
            If they are not installed.
        """

    def begin_from(self, seen: Iterable[Seen]) -> None:
        """Make ready what depends on the data, before the first step, from what it sees of some fitted images."""


def network_class(name: str) -> type[Network]:
    """The network of a registered name.

    Raises
    ------
    FovealError
        If there is none.
    """
    cls = class_of(name)
    if cls is None or not issubclass(cls, Network):
        raise FovealError(no_such("network", name, list_networks()))
    return cls


def list_networks() -> list[str]:
    """Names of all networks that a recipe can train."""
    deep = [card.name for card in model_cards() if card.family == "deep"]
    return [name for name in deep if (cls := class_of(name)) is not None and issubclass(cls, Network)]


def each_map(said: Float[Tensor, "image *map row column"]) -> tuple[Float[Tensor, "image row column"], ...]:
    """The maps that a network says of each image, one or several; the last is its answer.

    >>> [maps.shape[0] for maps in each_map(torch.zeros(2, 3, 4, 5))], len(each_map(torch.zeros(2, 4, 5)))
    ([2, 2, 2], 1)
    """
    return said.unbind(dim=1) if said.ndim == 4 else (said,)


def than(value: float, usual: float) -> str:
    """How a number compares with the usual one, in words; a twentieth more or less is the same.

    >>> than(1.2, 1.0), than(1.01, 1.0)
    ('more than', 'as much as')
    """
    if abs(value - usual) <= SAME * abs(usual):
        return "as much as"
    return "more than" if value > usual else "less than"


class DensityNetwork(Network, WithPrior):
    """A network that says logits: with a center bias and through the softmax, they are a density.

    A few numbers are a data set's own: how sharp the density is, what the center bias counts, and whatever a network
    adds. In training, each data set has its own, which are learned with the weights; the finished network has those of
    pictures of no data set in particular. All are unbounded, so that they can be fitted without constraints.
    """

    says = "logits"
    temperature: Float[Tensor, ""]  # above 1 the model is less sure of itself than in training
    prior_weight: Float[Tensor, ""]

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("temperature", torch.tensor(1.0))
        self.register_buffer("prior_weight", torch.tensor(1.0))

    @abstractmethod
    def absorb(self, sharpness: float | Float[Tensor, ""]) -> None:
        """Multiply all that the network says by a factor from now on."""

    def numbers(self) -> Numbers:
        """The numbers that it has itself."""
        return {"log_sharpness": -self.temperature.log(), "prior_weight": self.prior_weight}

    @torch.no_grad()
    def take(self, numbers: Numbers) -> None:
        """Have these numbers from now on."""
        for name, value in numbers.items():
            if name == "log_sharpness":
                self.temperature.copy_((-value).exp())
            else:
                self.get_buffer(name).copy_(value)

    def in_words(self, numbers: Numbers, *, scale_is_known: bool) -> list[str]:
        """What numbers say beside the network's own, a sentence for each.

        `scale_is_known`: are the pixels per degree of the pictures known that they were fitted to?
        """
        own = self.numbers()
        sharpness = float((numbers["log_sharpness"] - own["log_sharpness"]).exp())
        weight, usual = float(numbers["prior_weight"]), float(own["prior_weight"])
        return [
            f"People agree {than(sharpness, 1.0)} usual: the density is {sharpness:.2f} times as sharp.",
            f"The center counts {than(weight, usual)} usual: its weight is {weight:.2f}, usually {usual:.2f}.",
        ]

    def combined(
        self, maps: Float[Tensor, "image *map row column"], numbers: Numbers
    ) -> Float[Tensor, "image *component row column"]:
        """What is added to the weighted logarithm of the center bias, of what `forward` says.

        Of a mixture of densities, for each of its components.
        """
        return numbers["log_sharpness"].exp() * maps

    def saliency(
        self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image *component row column"]:
        """The same of images, with the network's own numbers."""
        return self.combined(self.said(images, viewing), self.numbers())

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """With the center bias of the training data."""
        saliency = self.saliency(images, Viewing(pixels_per_degree))
        log_prior = self.prior_weight * self.prior_on((saliency.shape[-2], saliency.shape[-1]))
        return resize_log_density(mixed(with_prior(saliency, log_prior)), (images.shape[2], images.shape[3]))


def with_prior(
    saliency: Float[Tensor, "image *component row column"], log_prior: Float[Tensor, "#image row column"]
) -> Float[Tensor, "image *component row column"]:
    """The sum of what a network makes of images and of a weighted log prior: log densities up to a constant."""
    return saliency + (log_prior if saliency.ndim == 3 else log_prior[:, None])


def mixed(logits: Float[Tensor, "image *component row column"]) -> Float[Tensor, "image row column"]:
    """Log densities up to a constant; of several components, the mean of their densities."""
    if logits.ndim == 3:
        return logits
    return logits.flatten(2).log_softmax(dim=2).logsumexp(dim=1).unflatten(1, logits.shape[2:])


class MapNetwork(Network, SaliencyMapModel):
    """A network that says a map, which is calibrated to the training data at the end of a training."""

    says = "map"

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """The map before calibration, at the images' own size."""
        return resize_maps(each_map(self.said(images))[-1], (images.shape[2], images.shape[3]))


@runtime_checkable
class ReadsFrozen(Protocol):
    """A network whose lower layers stay as they are: their features are computed once, and kept.

    Attributes
    ----------
    frozen_layers
        What never changes of what it sees; all else that is kept serves until a layer below it is trained.
    """

    @property
    def frozen_layers(self) -> tuple[str, ...]:
        """Names among what the network sees."""

    def sources(self, viewings: Mapping[tuple[int, int], Viewing]) -> list[tuple[FeatureSource, Callable[[str], str]]]:
        """What the features come from, and what the network calls each source's layers.

        `viewings` says how images of each (height, width) are seen.
        """
