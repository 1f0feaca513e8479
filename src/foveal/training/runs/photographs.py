"""Photographs as a network that is trained from pixels sees them, read when they are needed."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.features.views import View
from foveal.gaze import Dataset
from foveal.models.base import stacked
from foveal.models.deep.network import Network, Seen
from foveal.models.parts.sizes import Viewing
from foveal.models.parts.working_size import resized

PICTURE = "picture"  # what a photograph on the cells is called, which a discriminator sees beside a map of them


@dataclass(frozen=True)
class Photographs:
    """All photographs of one size of a data set, in one view.

    Attributes
    ----------
    network
        Says how it sees them.
    data, number
        The data set, and its number among those of a training.
    view
        Mirrored or not, by how much larger, and which part.
    viewing
        By how much larger, and at what scale.
    size
        Height and width of what is seen of them, px.
    images
        Their positions in the data set.
    colors
        By what share brightness, contrast and saturation change at most.
    with_picture
        Are they shown on the cells as well?
    """

    network: Network
    data: Dataset
    number: int
    view: View
    viewing: Viewing
    size: tuple[int, int]
    images: list[int]
    colors: float
    with_picture: bool = False

    def read(self, rows: list[int], seed: int | None = None) -> Seen:
        """What the network sees of some of them, with colors changed by chance if a seed is given.

        Raises
        ------
        FovealError
            If one cannot be read.
        """
        images = [self.images[row] for row in rows]
        pixels, problems = self.data.stimuli.read(images)
        if problems:
            raise FovealError(problems[0])
        shown = stacked([self.view.crop.cut(pixels[image], image) for image in images])
        if seed is not None and self.colors > 0:
            shown = torch.cat(
                [self._recolored(one[None], seed, image) for one, image in zip(shown, images, strict=True)]
            )
        shown = shown.flip(3) if self.view.mirrored else shown
        seen = self.network.see(shown, self.viewing)
        if self.with_picture:
            cells = self.network.cells(self.size)
            seen[PICTURE] = resized(shown, (cells.rows.length, cells.columns.length), "bilinear")
        return seen

    def _recolored(
        self, image: Float[Tensor, "1 3 height width"], seed: int, number: int
    ) -> Float[Tensor, "1 3 height width"]:
        """One image with colors changed by chance; of the same seed, always in the same way."""
        # Imported when it is needed: it takes longer than all the rest.
        from torchvision.transforms.v2.functional import adjust_brightness, adjust_contrast, adjust_saturation

        chance = np.random.default_rng([seed, self.number, number])
        for change in (adjust_brightness, adjust_contrast, adjust_saturation):
            image = change(image, chance.uniform(1 - self.colors, 1 + self.colors))
        return image
