"""Several networks as one: the mean of their densities.

A mixture of networks that were trained apart is seldom worse than the best of them, and less sure of itself where they
differ (Lakshminarayanan, Pritzel & Blundell 2017, "Simple and scalable predictive uncertainty estimation using deep
ensembles", NeurIPS); DeepGaze II is one as well.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.models.base import SaliencyModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.network import Network, network_class

USUAL = "foveal-s"  # what a member is that does not say it


@dataclass(frozen=True)
class MixtureConfig(ModelConfig):
    """What the model is made of.

    Attributes
    ----------
    members
        The configuration of each of its networks, with its registered name as "model" unless it is foveal-s.
    """

    members: tuple[dict[str, Any], ...] = ()


@register_model("foveal-l", family="deep", year=2026, paper="Foveal's own", trainable=True, weights="package")
class FovealL(SaliencyModel):
    """A mixture of networks that a recipe can train, in equal parts; those published are each as `FovealS`."""

    Config = MixtureConfig
    saved_in_16_bits = True
    config: MixtureConfig

    def __init__(self, config: MixtureConfig | None = None) -> None:
        super().__init__()
        self.config = config or MixtureConfig()
        self.members = nn.ModuleList(_made(member) for member in self.config.members)

    @classmethod
    def of(cls, members: Sequence[Network]) -> "FovealL":
        """Made of networks that are trained already."""
        mixture = cls(MixtureConfig(tuple(_described(member) for member in members)))
        mixture.members = nn.ModuleList(members)
        return mixture

    @property
    def networks(self) -> list[Network]:
        """Its members."""
        return cast(list[Network], list(self.members))

    def also_at(self, relative: Sequence[float]) -> "FovealL":
        """The same of networks that see pictures at more sizes as well: see `FovealS.also_at`.

        Raises
        ------
        FovealError
            If one of them is no foveal-s.
        """
        members = []
        for network in self.networks:
            if not isinstance(network, FovealS):
                raise FovealError(f"{network.name} sees pictures at one size")
            members.append(network.also_at(relative))
        return self if members == self.networks else FovealL.of(members)

    @property
    def depends_on_scale(self) -> bool:
        """Does one of its networks?"""
        return any(member.depends_on_scale for member in self.networks)

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """With the center bias of each network's training data."""
        # One by one: at an image's own size, a stack of them all could be large.
        mixture = torch.full((len(images), *images.shape[2:]), -math.inf, device=images.device)
        for member in self.networks:
            mixture = torch.logaddexp(mixture, member.log_density(images, pixels_per_degree))
        return mixture - math.log(len(self.networks))


def _described(member: Network) -> dict[str, Any]:
    """What of a network is written with the weights."""
    of_which = {} if member.name == USUAL else {"model": member.name}
    return of_which | asdict(member.config)


def _made(description: Mapping[str, Any]) -> Network:
    """A network with no weights yet, of what was written.

    Raises
    ------
    FovealError, TypeError
        If there is no such network, or it cannot be made so.
    """
    values = dict(description)
    cls = network_class(values.pop("model", USUAL))
    return cls(cls.Config.read(values))
