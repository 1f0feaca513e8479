"""eDN: an ensemble of hierarchies with filters by chance, whose last features a linear classifier weighs.

Vig, Dorr & Cox, "Large-scale optimization of hierarchical features for saliency prediction in natural images", CVPR
2014. A hierarchy has up to three layers: filters, bounds, pooling by a norm, local normalization. Nothing of it is
trained; its numbers of filters, sizes and bounds were searched for. The six best ones make 832 features, the distance
from the center is one more. The classifier tells places that people look at most from those that they look at least.

Differs from the paper in: features lie on cells of four px of the image as it is seen, each where its value is, and are
interpolated linearly; the blur is a share of the image's longer side, as 30 px are of MIT1003's photographs; a very
long image is seen smaller. Places are drawn by Judd et al. 2009 (see `training.fits.learning.places`), and the
classifier is theirs.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_blur
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.geometry import Axis, Grid, resample
from foveal.models.parts.local_normalization import local_normalization
from foveal.models.parts.norm_pooling import norm_pooling
from foveal.models.parts.pixel_readout import PixelReadoutModel
from foveal.models.parts.working_size import resized, scaled_size

SEED = 42  # of the filters of every layer
CELL = 4  # px of the image as it is seen: what the shallowest hierarchy has a value of
SMALLEST_SIDE = 32  # px: of less, nothing is left after the poolings of the deepest hierarchies
LARGEST_AREA = 4  # times that of an image of the usual sides
# ITU-T T.871
YUV = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
GRAY = (0.0, 128.0, 128.0)


@dataclass(frozen=True)
class Normalization:
    """Arguments of `local_normalization`."""

    width: int
    subtracts_mean: bool
    threshold: float
    stretch: float

    def __call__(self, maps: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image feature h w"]:
        """The normalized maps."""
        return local_normalization(
            maps,
            self.width,
            subtracts_mean=self.subtracts_mean,
            threshold=self.threshold,
            stretch=self.stretch,
        )


@dataclass(frozen=True)
class Layer:
    """Filters, whose answers are kept within bounds, pooled by a norm and normalized.

    Attributes
    ----------
    filters, kernel
        How many, and px of their sides.
    bounds
        The lowest and the highest answer.
    pooling, order
        Px of the sides of the windows, and which norm.
    normalization
        The last step.
    """

    filters: int
    kernel: int
    bounds: tuple[float, float]
    pooling: int
    order: int
    normalization: Normalization

    def __call__(self, maps: Float[Tensor, "image _ _ _"]) -> Float[Tensor, "image filter _ _"]:
        """The layer's features: half as many rows and columns."""
        filters = chance_filters(self.filters, maps.shape[1], self.kernel).to(maps)
        answers = F.conv2d(maps, filters, padding=self.kernel // 2).clamp(*self.bounds)
        return self.normalization(norm_pooling(answers, self.pooling, self.order))


@dataclass(frozen=True)
class Hierarchy:
    """One model of the ensemble: a color space, a normalization of the image, and layers."""

    colors: Literal["rgb", "yuv"]
    first: Normalization
    layers: tuple[Layer, ...]

    def __call__(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image filter _ _"]:
        """The last layer's features of RGB images from 0 to 255."""
        maps = self.first(to_yuv(images) if self.colors == "yuv" else images)
        for layer in self.layers:
            maps = layer(maps)
        return maps


ANY, UP_TO_1, FROM_0, FROM_0_TO_1 = (-math.inf, math.inf), (-math.inf, 1.0), (0.0, math.inf), (0.0, 1.0)
N = Normalization
# The published models, as the file that comes with the paper's code has them.
HIERARCHIES = (
    Hierarchy(
        "rgb",
        N(7, False, 1.0, 10.0),
        (
            Layer(32, 3, ANY, 3, 10, N(7, False, 1.0, 1.0)),
            Layer(16, 7, UP_TO_1, 5, 10, N(9, False, 1.0, 10.0)),
            Layer(128, 9, FROM_0, 9, 10, N(9, False, 0.1, 1.0)),
        ),
    ),
    Hierarchy(
        "yuv",
        N(3, False, 10.0, 0.1),
        (
            Layer(32, 5, UP_TO_1, 9, 10, N(3, False, 10.0, 0.1)),
            Layer(32, 7, FROM_0_TO_1, 7, 10, N(7, False, 10.0, 1.0)),
            Layer(128, 5, UP_TO_1, 9, 1, N(3, True, 10.0, 0.1)),
        ),
    ),
    Hierarchy(
        "yuv",
        N(3, False, 10.0, 10.0),
        (
            Layer(32, 5, UP_TO_1, 9, 10, N(3, False, 10.0, 0.1)),
            Layer(32, 7, FROM_0_TO_1, 7, 10, N(5, False, 10.0, 1.0)),
            Layer(128, 5, ANY, 9, 1, N(5, True, 10.0, 0.1)),
        ),
    ),
    Hierarchy(
        "yuv",
        N(7, False, 0.1, 0.1),
        (
            Layer(16, 5, ANY, 3, 2, N(5, False, 1.0, 1.0)),
            Layer(64, 9, FROM_0_TO_1, 9, 10, N(7, False, 1.0, 0.1)),
        ),
    ),
    Hierarchy(
        "rgb",
        N(7, False, 1.0, 1.0),
        (
            Layer(16, 3, ANY, 7, 10, N(7, True, 0.1, 1.0)),
            Layer(64, 7, FROM_0, 9, 10, N(9, True, 0.1, 0.1)),
            Layer(256, 7, UP_TO_1, 9, 2, N(9, True, 10.0, 0.1)),
        ),
    ),
    Hierarchy(
        "rgb",
        N(9, False, 10.0, 10.0),
        (
            Layer(32, 9, ANY, 7, 1, N(5, False, 1.0, 0.1)),
            Layer(32, 5, FROM_0, 7, 10, N(7, True, 10.0, 0.1)),
            Layer(128, 7, ANY, 9, 2, N(7, False, 10.0, 0.1)),
        ),
    ),
)
N_FEATURES = sum(hierarchy.layers[-1].filters for hierarchy in HIERARCHIES) + 1


@dataclass(frozen=True)
class EDNConfig(ModelConfig):
    """How the image is seen, and what is done with the map.

    Attributes
    ----------
    longer, shorter
        Px of the sides: an image is scaled by the mean of what brings its longer and its shorter side there.
    blur
        Deviation of the Gaussian, as a share of the longer side.
    """

    longer: int = 512
    shorter: int = 384
    blur: float = 30 / 1024

    def completed(self) -> "EDNConfig":
        """Checked.

        Raises
        ------
        FovealError
            If a value is not right.
        """
        super().completed()
        needed = {
            "shorter": (self.shorter >= SMALLEST_SIDE, f"a whole number from {SMALLEST_SIDE} on"),
            "longer": (self.longer >= self.shorter, f"a whole number from {self.shorter} on, the shorter side"),
        }
        check_values(self, needed)
        return self


@register_model(
    "edn",
    family="deep",
    year=2014,
    paper="Vig, Dorr & Cox, Large-scale optimization of hierarchical features for saliency prediction, CVPR 2014",
    trainable=True,
    weights="data set",
)
class EDN(PixelReadoutModel):
    """A linear classifier of the features of six hierarchies and the distance from the center."""

    Config = EDNConfig
    tiny = EDNConfig(longer=64, shorter=48)
    config: EDNConfig

    def __init__(self, config: EDNConfig | None = None) -> None:
        super().__init__(config, N_FEATURES, nn.Conv2d(N_FEATURES, 1, 1))

    def seen_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width at which an image of this (height, width) is seen."""
        longer, shorter = self.config.longer, self.config.shorter
        scale = (longer / max(size) + shorter / min(size)) / 2
        return scaled_size(size, min(scale, math.sqrt(LARGEST_AREA * longer * shorter / (size[0] * size[1]))))

    def features(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 833 h w"]:
        """The features of the hierarchies, one after the other, and the distance."""
        size = self.seen_size((images.shape[2], images.shape[3]))
        seen = 255 * resized(images, size).clamp(0, 1)
        rows, columns = (math.ceil(side / CELL) for side in size)
        cells = Grid.over(size, (rows, columns))
        of_each = [hierarchy(seen) for hierarchy in HIERARCHIES]
        on_cells = [
            resample(maps, _grid(maps, hierarchy), cells) for hierarchy, maps in zip(HIERARCHIES, of_each, strict=True)
        ]
        distance = distance_from_center((rows, columns)).to(seen).expand(len(seen), 1, -1, -1)
        return torch.cat([*on_cells, distance], dim=1)

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """What the classifier says, blurred, at the images' size."""
        said = self.read_out(self.features(images))
        blurred = gaussian_blur(said, self.config.blur * max(said.shape[1:]))
        return resize_maps(blurred, (images.shape[2], images.shape[3]))


def to_yuv(images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 3 height width"]:
    """JPEG's luminance and differences of color, of RGB images, all from 0 to 255.

    >>> to_yuv(torch.full((1, 3, 1, 1), 255.0)).flatten().round()
    tensor([255., 128., 128.])
    """
    return torch.einsum("ij,njhw->nihw", images.new_tensor(YUV), images) + images.new_tensor(GRAY)[:, None, None]


@lru_cache(maxsize=64)  # a few for each layer of the ensemble
def chance_filters(number: int, features: int, kernel: int) -> Float[Tensor, "filter feature kernel kernel"]:
    """Filters by chance, always the same: each has a mean of zero and a norm of one."""
    drawn = np.random.RandomState(SEED).uniform(size=(number, kernel, kernel, features))
    drawn -= drawn.mean(axis=(1, 2, 3), keepdims=True)
    drawn /= np.linalg.norm(drawn.reshape(number, -1), axis=1).reshape(-1, 1, 1, 1)
    return torch.from_numpy(drawn).permute(0, 3, 1, 2).float().contiguous()


def distance_from_center(size: tuple[int, int]) -> Float[Tensor, "row column"]:
    """In whole cells, rounded down, over the largest."""
    rows, columns = (torch.arange(length) - (length - 1) / 2 for length in size)
    distance = torch.hypot(rows[:, None], columns).floor()
    return distance / distance.max().clamp(min=1)


def _grid(maps: Float[Tensor, "image feature h w"], hierarchy: Hierarchy) -> Grid:
    """Where the features of a hierarchy lie: each layer has every other value of the one below, from the first on."""
    step = float(2 ** len(hierarchy.layers))
    return Grid(Axis(maps.shape[2], 0.0, step), Axis(maps.shape[3], 0.0, step))
