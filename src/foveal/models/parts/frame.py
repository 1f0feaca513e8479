"""A frame of a fixed size, into which images of any shape are fitted without being distorted."""

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.models.parts.geometry import Grid
from foveal.models.parts.working_size import resized, scaled_size


@dataclass(frozen=True)
class Frame:
    """A frame of so many px, of one gray (0 is black) where the image that is in its middle does not reach.

    >>> Frame(480, 640).fitted((600, 600))
    (480, 480)
    """

    height: int
    width: int
    gray: float = 0.0

    def zoomed(self, zoom: float, multiple: int) -> "Frame":
        """A frame that is so much larger, with sides that are multiples of so many px."""
        height, width = (max(1, round(side * zoom / multiple)) * multiple for side in (self.height, self.width))
        return replace(self, height=height, width=width)

    def fitted(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width in the frame of an image of this (height, width)."""
        scale = min(self.height / size[0], self.width / size[1])
        height, width = scaled_size(size, scale)
        return min(height, self.height), min(width, self.width)

    def put(self, images: Float[Tensor, "image 3 h w"]) -> Float[Tensor, "image 3 height width"]:
        """The images in the frame."""
        fitted = self.fitted((images.shape[2], images.shape[3]))
        top, left = self._first(fitted)
        below, right = self.height - fitted[0] - top, self.width - fitted[1] - left
        return F.pad(resized(images, fitted, "bilinear"), (left, right, top, below), value=self.gray)

    def grid(self, size: tuple[int, int], shape: tuple[int, int]) -> Grid:
        """Where values lie in an image of this (height, width), of which so many (rows, columns) cover the frame."""
        height, width = self.fitted(size)
        top, left = self._first((height, width))
        over = Grid.over((self.height, self.width), shape).shifted(-top, -left)
        return over.scaled(size[0] / height, size[1] / width)

    def _first(self, fitted: tuple[int, int]) -> tuple[int, int]:
        return (self.height - fitted[0]) // 2, (self.width - fitted[1]) // 2
