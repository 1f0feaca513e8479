"""A classifier of low- and high-level features (Judd, Ehinger, Durand & Torralba 2009).

"Learning to predict where humans look", ICCV 2009. Of every place of the image at 200 px, 31 features are known: the
amplitudes of band-pass filters of four orientations and three scales, and the low-pass (13); how rare they are within
the image (Torralba's saliency: their Mahalanobis distance); the conspicuity of color, intensity and orientation of
Itti, Koch & Niebur (3), which look at the image's own pixels; red, green and blue, and the probability of each (6); the
probability of the color in the image, itself and median-filtered at four widths (5); a face; the distance from the
center; and the distance from the horizon, whose row is told by the gist of the scene. A linear support vector machine
weighs them, see `training.learning.classifier`.

Differs from the paper in: no detectors of cars and of people, for which no weights come with Foveal; the horizon is
learned as the row that people look at on average (see `training.learning.horizon`), for none is labelled; log-Gabor
filters in place of a steerable pyramid; faces from Foveal's own detector (see `models.deep.faces`), not from that of
Viola & Jones; the longer side has 200 px, where the paper makes squares of all photographs; places at the border are
learned from as well.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from foveal.gaze.maps import gaussian_blur
from foveal.models.catalogue import register_model
from foveal.models.classical.itti import Itti
from foveal.models.config import ModelConfig
from foveal.models.deep.faces import shipped_detector
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.frequencies import log_gabor_amplitudes
from foveal.models.parts.gist import N_NUMBERS, gist
from foveal.models.parts.pixel_readout import PixelReadoutModel
from foveal.models.parts.whitening import whitened
from foveal.models.parts.working_size import resized, shrunk

N_FEATURES = 31
ORIENTATIONS = 4
RADIAL_WIDTH = 0.55  # of a log-Gabor filter: an octave and a half
ANGULAR_WIDTH = 30.0  # degrees
NO_RESPONSE = 1e-8  # variance of a subband, of an image in [0, 1], that is rounding


@dataclass(frozen=True)
class JuddConfig(ModelConfig):
    """Sizes in px of the image as the model sees it, where nothing else is said."""

    working_side: int = 200  # the longer side
    periods: tuple[float, ...] = (4.0, 8.0, 16.0)  # of the band-pass filters
    bins: int = 8  # of a color histogram, along each of its axes
    median_widths: tuple[int, ...] = (1, 3, 5, 9, 17)
    horizon_width: float = 0.15  # deviation of the Gaussian around its row, as a share of the image's height


@register_model(
    "judd",
    family="classical",
    year=2009,
    paper="Judd, Ehinger, Durand & Torralba, Learning to predict where humans look, ICCV 2009",
    trainable=True,
    weights="package",
)
class Judd(PixelReadoutModel):
    """A linear classifier of contrast, color, faces, and the distances from the center and the horizon."""

    Config = JuddConfig
    reads = ("faces",)
    config: JuddConfig

    def __init__(self, config: JuddConfig | None = None) -> None:
        super().__init__(config, N_FEATURES, nn.Conv2d(N_FEATURES, 1, 1))
        # From the gist to its row, 0 at the upper border and 1 at the lower; fitted apart from the readout.
        self.horizon = nn.Linear(N_NUMBERS, 1).requires_grad_(False)

    def make_ready(self) -> None:
        """Load the detector of faces."""
        shipped_detector(self.device).make_ready()

    def features(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image 31 h w"]:
        """The features in the order of the module's first lines."""
        seen = shrunk(images, self.config.working_side)
        size = seen.shape[2], seen.shape[3]
        bands = self._subbands(seen.mean(dim=1))
        rarity = whitened(bands, NO_RESPONSE).square().sum(dim=1, keepdim=True).sqrt()
        conspicuities = resized(Itti().conspicuity_maps(images), size)
        face = resize_maps(shipped_detector(images.device).face_map(images), size)[:, None]
        distance = _distance_from_center(size).to(seen).expand(len(seen), 1, -1, -1)
        places = [face, distance, self._near_horizon(images, size)]
        return torch.cat([bands, rarity, conspicuities, seen, *self._probabilities(seen), *places], dim=1)

    def _subbands(self, intensity: Float[Tensor, "image h w"]) -> Float[Tensor, "image 13 h w"]:
        """The amplitude of each orientation and scale, and what is coarser than all."""
        periods = list(self.config.periods)
        amplitudes = log_gabor_amplitudes(intensity, periods, RADIAL_WIDTH, ORIENTATIONS, ANGULAR_WIDTH)
        return torch.cat([*amplitudes, gaussian_blur(intensity, periods[-1] / 2)[:, None]], dim=1)

    def _probabilities(self, seen: Float[Tensor, "image 3 h w"]) -> list[Float[Tensor, "image 1 h w"]]:
        """Of red, green and blue alone, and of the color at each of the median filter's widths."""
        pixels = (255 * seen).round().byte()
        found = [probability(pixels[:, [channel]], self.config.bins) for channel in range(3)]
        on_cpu = pixels.permute(0, 2, 3, 1).cpu().numpy()
        for width in self.config.median_widths:
            filtered = np.stack([cv2.medianBlur(image, width) for image in on_cpu])
            found.append(probability(torch.from_numpy(filtered).permute(0, 3, 1, 2).to(seen.device), self.config.bins))
        return found

    def _near_horizon(
        self, images: Float[Tensor, "image 3 height width"], size: tuple[int, int]
    ) -> Float[Tensor, "image 1 h w"]:
        """A Gaussian of the vertical distance from the horizon, 1 on it."""
        rows = (torch.arange(size[0], device=images.device) + 0.5) / size[0]
        distance = (rows - self.horizon(gist(images))) / self.config.horizon_width
        return torch.exp(-distance.square() / 2)[:, None, :, None].expand(-1, -1, -1, size[1])


def probability(values: UInt8[Tensor, "image channel h w"], bins: int) -> Float[Tensor, "image 1 h w"]:
    """Of each place, what share of its image has the same values, in a histogram with so many bins along each axis."""
    n_images, n_channels, height, width = values.shape
    codes = torch.zeros_like(values[:, 0], dtype=torch.long)
    for channel in values.unbind(dim=1):
        codes = codes * bins + channel.long() * bins // 256
    n_codes = bins**n_channels
    codes = codes.flatten(1) + n_codes * torch.arange(n_images, device=values.device)[:, None]
    counts = torch.bincount(codes.flatten(), minlength=n_images * n_codes)
    return (counts[codes] / (height * width)).view(n_images, 1, height, width)


def _distance_from_center(size: tuple[int, int]) -> Float[Tensor, "h w"]:
    """In halves of the image's diagonal."""
    rows, columns = (torch.arange(length) + 0.5 - length / 2 for length in size)
    return torch.hypot(rows[:, None], columns) / (math.hypot(*size) / 2)
