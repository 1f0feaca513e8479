"""What models have in common whose filters are learned from patches of photographs."""

from abc import abstractmethod
from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.base import SaliencyMapModel


class PatchFilterModel(SaliencyMapModel):
    """A saliency map of the responses of filters that `foveal train` learns. Fresh, they are zero, and maps constant.

    A filter is a row: the three channels of a patch, each row by row.
    """

    patch_side: ClassVar[int]
    learned_at: ClassVar[float] = 0.5  # by how much photographs are shrunk before patches are taken
    filters: Float[Tensor, "filter value"]

    @abstractmethod
    def prepared(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 _ _"]:
        """Images as the filters see them, no side shorter than a patch."""

    @abstractmethod
    def learn(self, patches: Float[Tensor, "patch value"], seed: int) -> None:
        """Take the filters, and what else is learned, from patches of prepared images."""

    def responses(
        self,
        prepared: Float[Tensor, "image 3 height width"],
        step: int = 1,
        chosen: Bool[Tensor, " filter"] | None = None,
    ) -> Float[Tensor, "image _ _ _"]:
        """Of all or of chosen filters, wherever one lies within the image, or at each `step`th of rows and columns."""
        filters, side = self.filters if chosen is None else self.filters[chosen], self.patch_side
        return F.conv2d(prepared, filters.unflatten(1, (3, side, side)), stride=step)


def at_least(images: Float[Tensor, "image 3 height width"], side: int) -> Float[Tensor, "image 3 _ _"]:
    """Images that continue to the right and below as they end, if they are smaller."""
    height, width = images.shape[2:]
    return F.pad(images, (0, max(0, side - width), 0, max(0, side - height)), mode="replicate")
