"""The centre bias: where people look whatever the picture shows, as a density on the unit square."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize_scalar
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze.dataset import Dataset
from foveal.gaze.kde import fit_mixture_weights
from foveal.gaze.maps import gaussian_rows

BINS = 256  # per side of the unit square; a bandwidth is eight bins or more on any data set seen so far
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
        positions = [_relative_positions(dataset, image) for image in range(len(dataset))]
        positions = [position for position in positions if len(position)]
        if len(positions) < 2:
            raise FovealError(f"{dataset.name}: a centre bias needs fixations on at least two images")
        counts = [_binned(position) for position in positions]
        total = torch.stack(counts).sum(dim=0)

        def densities_of_the_others(bandwidth: float) -> np.ndarray:
            return np.concatenate(
                [
                    _density_at(position, total - own, bandwidth).numpy()
                    for position, own in zip(positions, counts, strict=True)
                ]
            )

        def fitted_weights(densities: np.ndarray) -> tuple[np.ndarray, float]:
            components = np.stack([densities, np.ones_like(densities)])
            weights = fit_mixture_weights(components)
            return weights, float(np.log(weights @ components).mean())

        search = minimize_scalar(
            lambda log_bandwidth: -fitted_weights(densities_of_the_others(float(np.exp(log_bandwidth))))[1],
            bounds=tuple(np.log(BANDWIDTHS)),
            method="bounded",
            options={"xatol": 0.02},
        )
        bandwidth = float(np.exp(search.x))
        weights, _ = fitted_weights(densities_of_the_others(bandwidth))
        return cls(total, bandwidth, float(weights[1]))

    def log_density(
        self, size: tuple[int, int], without: Float[np.ndarray, "fixation 2"] | None = None
    ) -> Float[Tensor, "height width"]:
        """Log density for an image of this (height, width), without some relative (x, y) positions if so asked."""
        height, width = size
        counts = self.counts if without is None else self.counts - _binned(without)
        centers = (torch.arange(BINS, device=counts.device) + 0.5) / BINS
        rows = gaussian_rows(centers * height - 0.5, height, self.bandwidth * height)
        columns = gaussian_rows(centers * width - 0.5, width, self.bandwidth * width)
        density = rows.T @ (counts / counts.sum()) @ columns
        density = (1 - self.uniform_weight) * density + self.uniform_weight / density.numel()
        return density.log() - density.sum().log()

    def leave_one_image_out(self, dataset: Dataset, image: int) -> Float[Tensor, "height width"]:
        """Log density for one image of the data set that this was fitted on, from all other images."""
        height, width = dataset.stimuli.sizes[image].tolist()
        return self.log_density((height, width), without=_relative_positions(dataset, image))


def _relative_positions(dataset: Dataset, image: int) -> Float[np.ndarray, "fixation 2"]:
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


def _density_at(
    position: Float[np.ndarray, "fixation 2"], counts: Float[Tensor, "row column"], bandwidth: float
) -> Float[Tensor, " fixation"]:
    """Density on the unit square at the positions, of a KDE of the counted fixations."""
    cells = torch.arange(BINS, dtype=torch.float32)
    # A cell's Gaussian, normalised on the line of cells, has its peak on the cell itself.
    peak = gaussian_rows(cells, BINS, bandwidth * BINS).diagonal() * BINS
    at = torch.from_numpy(position).float()

    def kernels(along: Float[Tensor, " fixation"]) -> Float[Tensor, "fixation bin"]:
        distance = (along[:, None] - (cells + 0.5) / BINS) / bandwidth
        return peak * torch.exp(-0.5 * distance.square())

    return (kernels(at[:, 1]) @ (counts / counts.sum()) * kernels(at[:, 0])).sum(dim=1)
