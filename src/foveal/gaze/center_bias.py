"""The center bias: where people look whatever the picture shows, as a density on the unit square."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze.dataset import Dataset
from foveal.gaze.kde import (
    CELLS,
    cell_kernels,
    counted_in_cells,
    density_in_cells,
    fit_bandwidth,
    relative_position,
)

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
            raise FovealError(f"{dataset.name}: a center bias needs fixations on at least two images")
        positions = {image: relative_positions(dataset, image) for image in images}
        looked_at = {image: dataset.fixations.for_image(image) for image in images}
        pixels = {image: (fixations.pixel_x, fixations.pixel_y) for image, fixations in looked_at.items()}
        total = torch.zeros(CELLS, CELLS)
        for own in positions.values():
            total += counted_in_cells(own)

        def densities(bandwidth: float) -> np.ndarray:
            """Every fixation under the other images' KDE and the uniform density, relative to the latter."""
            parts = []
            for image, own in positions.items():
                size = tuple(dataset.stimuli.sizes[image].tolist())
                others = total - counted_in_cells(own)
                density = density_in_cells(*pixels[image], others, *_kernels(size, bandwidth))
                parts.append(density * math.prod(size))
            of_others = np.concatenate(parts)
            return np.stack([of_others, np.ones_like(of_others)])

        bandwidth, weights = fit_bandwidth(densities, BANDWIDTHS)
        return cls(total, bandwidth, float(weights[1]))

    def log_density(
        self, size: tuple[int, int], without: Float[np.ndarray, "fixation 2"] | None = None
    ) -> Float[Tensor, "height width"]:
        """Log density for an image of this (height, width), without some relative (x, y) positions if so asked."""
        counts = self.counts if without is None else self.counts - counted_in_cells(without)
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
        counts = self.counts - counted_in_cells(relative_positions(dataset, image))
        density = density_in_cells(fixations.pixel_x, fixations.pixel_y, counts, *_kernels(size, self.bandwidth))
        return np.log(self._mixed(torch.from_numpy(density), size).numpy())


def relative_positions(dataset: Dataset, image: int) -> Float[np.ndarray, "fixation 2"]:
    """Relative x and y in (0, 1) of one image's fixations."""
    fixations = dataset.fixations.for_image(image)
    return relative_position(fixations.x, fixations.y, tuple(dataset.stimuli.sizes[image].tolist()))


def _kernels(
    size: tuple[int, int], bandwidth: float
) -> tuple[Float[Tensor, "row height"], Float[Tensor, "column width"]]:
    """Those of the cells, whose width is a share of the image's height and width."""
    height, width = size
    return cell_kernels(size, (bandwidth * height, bandwidth * width))
