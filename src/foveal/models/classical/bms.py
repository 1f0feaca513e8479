"""Boolean map saliency (Zhang & Sclaroff, "Saliency Detection: A Boolean Map Approach", ICCV 2013).

What is surrounded attracts the eye: the image is thresholded in every color channel, and the parts of each Boolean map
that no path connects to the border are attended.

Parameters and order of steps are those of the paper's section 3; where it leaves a detail open, the authors' published
C++ settles it: working width 400 px, covariance regularised by 50, principal axes, 3 x 3 median filter, attended ones
and attended zeros of a Boolean map normalised apart, 8-connected regions, Gaussian kernel cut at 51 px. It also reads
pixels as BGR and converts them to Lab as if they were RGB; that is kept, because the published maps and scores depend
on it (`tests/models/test_bms.py` holds the correlation with them). Left out: its random inward jumps of the border.

OpenCV's flood fill, one a Boolean map and polarity, is several times faster here than one grayscale reconstruction a
channel and polarity with scikit-image (`benchmarks/bms.py`).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig

COVARIANCE_REGULARISATION = 50.0  # added to the variance of each Lab channel, 8-bit units
LARGEST_KERNEL = 51  # px, of the final Gaussian blur

Channel = UInt8[np.ndarray, "height width"]
SaliencyMap = Float[np.ndarray, "height width"]


@dataclass(frozen=True)
class BMSConfig(ModelConfig):
    """The paper's parameters, at the working size."""

    working_side: int = 400  # px, the longer side
    step: int = 8  # δ: between thresholds of a channel scaled to 0..255
    median_width: int = 3
    dilation_width_1: int = 7  # ω_d1: of each attention map
    dilation_width_2: int = 9  # ω_d2: of their mean
    blur_sigma: float = 20.0  # σ of the final blur


@register_model(
    "bms",
    family="classical",
    year=2013,
    paper="Zhang & Sclaroff, Saliency Detection: A Boolean Map Approach, ICCV 2013",
    trainable=True,
    weights="package",
)
class BooleanMapSaliency(SaliencyMapModel):
    """BMS, as used for predicting fixations. It computes on the CPU, images of a batch in parallel."""

    Config = BMSConfig
    together_on_cpu = True
    config: BMSConfig

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Mean attention map, dilated and blurred, in [0, 1]."""
        pixels = (images * 255).round().to("cpu", torch.uint8).permute(0, 2, 3, 1).numpy()
        with ThreadPoolExecutor() as pool:  # OpenCV works outside the interpreter's lock
            maps = list(pool.map(self._saliency_map, pixels))
        return torch.from_numpy(np.stack(maps)).to(images.device)

    def _saliency_map(self, image: UInt8[np.ndarray, "height width 3"]) -> SaliencyMap:
        config = self.config
        height, width = image.shape[:2]
        scale = config.working_side / max(height, width)
        working_size = max(1, int(width * scale)), max(1, int(height * scale))
        small = cv2.resize(image, working_size, interpolation=cv2.INTER_AREA)

        attention = np.zeros(small.shape[:2], dtype=np.float32)
        for channel in whitened_channels(small, config.median_width):
            for boolean_map in boolean_maps(channel, config.step):
                for polarity in (boolean_map, cv2.bitwise_not(boolean_map)):
                    attended = dilate(surrounded(polarity), config.dilation_width_1)
                    if area := cv2.countNonZero(attended):
                        # L2 normalisation: a small attended region is worth more.
                        cv2.scaleAdd(attended.astype(np.float32), 1 / (255 * area**0.5), attention, attention)

        if (peak := attention.max()) > 0:
            attention = (attention - attention.min()) / max(peak - attention.min(), np.finfo(np.float32).tiny)
        attention = dilate(attention, config.dilation_width_2)
        kernel_width = min(4 * int(config.blur_sigma) + 1, LARGEST_KERNEL)
        blurred = cv2.GaussianBlur(attention, (kernel_width, kernel_width), config.blur_sigma)
        return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)


def whitened_channels(image: UInt8[np.ndarray, "height width 3"], median_width: int) -> list[Channel]:
    """The image's three decorrelated color channels, each scaled to 0..255 and median filtered (section 3.1)."""
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)  # of an RGB image: see the note on BGR at the top
    colors = lab.reshape(-1, 3).astype(np.float32)
    covariance = np.cov(colors, rowvar=False, bias=True) + COVARIANCE_REGULARISATION * np.eye(3)
    variances, axes = np.linalg.eigh(covariance)
    whitened = (colors @ (axes / np.sqrt(variances)).astype(np.float32)).reshape(lab.shape)
    low = whitened.min(axis=(0, 1))
    span = np.maximum(whitened.max(axis=(0, 1)) - low, np.finfo(np.float32).tiny)
    scaled = np.round(255 * (whitened - low) / span).astype(np.uint8)
    return [cv2.medianBlur(np.ascontiguousarray(scaled[..., k]), median_width) for k in range(3)]


def boolean_maps(channel: Channel, step: int) -> Iterator[Channel]:
    """The channel thresholded at every `step` of its range: 255 above, 0 elsewhere."""
    for threshold in range(int(channel.min()), int(channel.max()), step):
        yield cv2.threshold(channel, threshold, 255, cv2.THRESH_BINARY)[1]


def surrounded(boolean_map: Channel) -> Channel:
    """The 255s of a Boolean map without those that a path of 255s connects to the border (8-connected).

    >>> ring = np.pad(np.full((1, 1), 255, np.uint8), 2)
    >>> int(surrounded(ring).sum()), int(surrounded(cv2.bitwise_not(ring)).sum())
    (255, 0)
    """
    # A frame of 255s joins all the regions at the border; filling from its corner then takes them all.
    framed = cv2.copyMakeBorder(boolean_map, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    cv2.floodFill(framed, None, (0, 0), 0, flags=8)
    return framed[1:-1, 1:-1]


def dilate(image: np.ndarray, width: int) -> np.ndarray:
    """Maximum over a square of this width."""
    return cv2.dilate(image, np.ones((width, width), np.uint8))
