"""How a model sees the images in training."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from foveal.gaze import Dataset, Fixations
from foveal.images import RGBImage
from foveal.models.parts.finalizer import normalize_log_density
from foveal.models.parts.geometry import GridOf, resample


@dataclass(frozen=True)
class Crop:
    """The part of an image in one of its corners, always the same.

    Of image 0 of a data set it is at the top left, of image 1 at the top right, of 2 at the bottom left, of 3 at the
    bottom right, and so on.

    Attributes
    ----------
    share
        Of the height and of the width, above 0; 1 is the whole image.
    """

    share: float = 1.0

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the part of an image of this (height, width), px."""
        return max(1, round(size[0] * self.share)), max(1, round(size[1] * self.share))

    def first_pixel(self, image: int, size: tuple[int, int]) -> tuple[int, int]:
        """Row and column where it begins, px, in the image of this number and (height, width)."""
        height, width = self.size(size)
        return (size[0] - height) * (image // 2 % 2), (size[1] - width) * (image % 2)

    def cut(self, pixels: RGBImage, image: int) -> UInt8[np.ndarray, "row column 3"]:
        """The part of the image of this number."""
        size = pixels.shape[0], pixels.shape[1]
        (top, left), (height, width) = self.first_pixel(image, size), self.size(size)
        return pixels[top : top + height, left : left + width]

    def fixations_of(self, data: Dataset) -> Fixations:
        """Those in the parts of the images, at their positions there."""
        sizes = [(height, width) for height, width in data.stimuli.sizes.tolist()]
        first = np.array([self.first_pixel(image, size) for image, size in enumerate(sizes)])
        top, left = first[data.fixations.image].T
        moved = replace(data.fixations, x=data.fixations.x - left, y=data.fixations.y - top)
        return moved.inside(np.array([self.size(size) for size in sizes]))

    def log_prior_of(
        self, log_prior: Float[Tensor, "row column"], image: int, size: tuple[int, int], grid_of: GridOf
    ) -> Float[Tensor, "cell_row cell_column"]:
        """What a log density over the cells of an image of this size says of where in the part one looks.

        A log density as well, over the part's cells.
        """
        cells = grid_of(self.size(size)).shifted(*self.first_pixel(image, size))
        return normalize_log_density(resample(log_prior, grid_of(size), cells)[None])[0]


WHOLE = Crop()


@dataclass(frozen=True)
class View:
    """How a model sees the images: mirrored or not, by how much larger, and which part of them.

    And does it know their pixels per degree?
    """

    mirrored: bool = False
    zoom: float = 1.0
    crop: Crop = WHOLE
    scale_is_known: bool = True
