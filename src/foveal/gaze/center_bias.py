"""The centre bias: where people look whatever the picture shows, as a density on the unit square."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze.dataset import Dataset
from foveal.gaze.kde import fit_bandwidth
from foveal.gaze.maps import gaussian_rows

BINS = 256  # per side of the unit square; the bandwidth of every data set seen so far is more than six of them
BANDWIDTHS = (0.005, 0.3)  # of the image's side: the range that is searched


@dataclass(frozen=True)
class CenterBiasKDE:
    """Gaussian KDE of relative fixation positions (x over width, y over height), mixed with the uniform density.

    Fixations are kept as counts on a grid of 256 x 256 cells, each shared linearly among its four neighbours. A
    density is then two small matrix products at any image size, and leaving one image out is a subtraction of counts.

    Attributes
    ----------
    counts
        Fixations of all images, (row, column) on the unit square.
    bandwidth
        Standard deviation of the Gaussian, as a share of the image's height and width.
    uniform_weight
        Share of the uniform density in the mixture.
    """

    counts: Float[Tensor, "row column"]
    bandwidth: float
    uniform_weight: float

    @classmethod
    def fit(cls, dataset: Dataset) -> "CenterBiasKDE":
        """Choose bandwidth and uniform weight by the likelihood of each image's fixations under all other images'.

        Raises
        ------
        FovealError
            If fewer than two images have fixations.
        """
        # Size by size, so that the kernels of one serve all its images.
        sizes = dataset.stimuli.sizes
        images = sorted(np.unique(dataset.fixations.image).tolist(), key=lambda image: tuple(sizes[image]))
        if len(images) < 2:
            raise FovealError(f"{dataset.name}: a centre bias needs fixations on at least two images")
        positions = {image: relative_positions(dataset, image) for image in images}
        total = torch.zeros(BINS, BINS)
        for own in positions.values():
            total += _binned(own)

        def densities(bandwidth: float) -> np.ndarray:
            """Every fixation under the other images' KDE and the uniform density, relative to the latter."""
            parts = []
            for image, own in positions.items():
                size = tuple(dataset.stimuli.sizes[image].tolist())
                fixations = dataset.fixations.for_image(image)
                density = _density_at(fixations.pixel_x, fixations.pixel_y, size, total - _binned(own), bandwidth)
                parts.append(density * math.prod(size))
            others = np.concatenate(parts)
            return np.stack([others, np.ones_like(others)])

        bandwidth, weights = fit_bandwidth(densities, BANDWIDTHS)
        return cls(total, bandwidth, float(weights[1]))

    def log_density(
        self, size: tuple[int, int], without: Float[np.ndarray, "fixation 2"] | None = None
    ) -> Float[Tensor, "height width"]:
        """Log density for an image of this (height, width), without some relative (x, y) positions if so asked."""
        counts = self.counts if without is None else self.counts - _binned(without)
        rows, columns = _kernels(size, self.bandwidth)
        density = rows.T @ (counts / counts.sum()) @ columns
        return self._mixed(density, size).log()

    def _mixed(self, density: Float[Tensor, "*shape"], size: tuple[int, int]) -> Float[Tensor, "*shape"]:
        return (1 - self.uniform_weight) * density + self.uniform_weight / math.prod(size)

    def leave_one_image_out(self, dataset: Dataset, image: int) -> Float[Tensor, "height width"]:
        """Log density for one image of the data set that this was fitted on, from all other images."""
        height, width = dataset.stimuli.sizes[image].tolist()
        return self.log_density((height, width), without=relative_positions(dataset, image))

    def leave_one_image_out_at_fixations(self, dataset: Dataset, image: int) -> Float[np.ndarray, " fixation"]:
        """The same at the image's own fixations only: sums over the cells, no map is rendered."""
        size = tuple(dataset.stimuli.sizes[image].tolist())
        fixations = dataset.fixations.for_image(image)
        counts = self.counts - _binned(relative_positions(dataset, image))
        density = _density_at(fixations.pixel_x, fixations.pixel_y, size, counts, self.bandwidth)
        return np.log(self._mixed(torch.from_numpy(density), size).numpy())


def relative_positions(dataset: Dataset, image: int) -> Float[np.ndarray, "fixation 2"]:
    """Relative x and y in (0, 1) of one image's fixations."""
    height, width = dataset.stimuli.sizes[image]
    fixations = dataset.fixations.for_image(image)
    return np.stack([(fixations.x + 0.5) / width, (fixations.y + 0.5) / height], axis=1)


def _binned(position: Float[np.ndarray, "fixation 2"]) -> Float[Tensor, "row column"]:
    """Counts on the grid, each fixation shared among the four nearest cells in proportion to its nearness."""
    at = np.clip(position * BINS - 0.5, 0, BINS - 1)
    low = np.minimum(at.astype(np.int64), BINS - 2)
    share = at - low
    counts = np.zeros((BINS, BINS), dtype=np.float32)
    for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = np.abs(1 - dx - share[:, 0]) * np.abs(1 - dy - share[:, 1])
        np.add.at(counts, (low[:, 1] + dy, low[:, 0] + dx), weight)
    return torch.from_numpy(counts)


@lru_cache(maxsize=16)  # two megabytes each
def _kernels(
    size: tuple[int, int], bandwidth: float
) -> tuple[Float[Tensor, "row height"], Float[Tensor, "column width"]]:
    """Gaussians on the centers of the cells, one row a cell, at the pixels of an image of this (height, width)."""
    height, width = size
    centers = (torch.arange(BINS) + 0.5) / BINS
    return (
        gaussian_rows(centers * height - 0.5, height, bandwidth * height),
        gaussian_rows(centers * width - 0.5, width, bandwidth * width),
    )


def _density_at(
    x: Int[np.ndarray, " fixation"],
    y: Int[np.ndarray, " fixation"],
    size: tuple[int, int],
    counts: Float[Tensor, "row column"],
    bandwidth: float,
) -> Float[np.ndarray, " fixation"]:
    """Density of a KDE of the counted fixations, at some pixels of an image of this (height, width)."""
    rows, columns = _kernels(size, bandwidth)
    at = rows[:, y].T @ (counts / counts.sum())
    return (at * columns[:, x].T).sum(dim=1).double().numpy()
