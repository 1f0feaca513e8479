"""What is computed once of where people looked: fixations and center biases on the cells of images."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.gaze import Dataset, Fixations
from foveal.gaze.cells import cells_of
from foveal.gaze.center_bias import CenterBiasKDE, relative_positions
from foveal.gaze.maps import gaussian_rows
from foveal.models.parts.geometry import Grid, GridOf


@runtime_checkable
class OfOneSize(Protocol):
    """Images of one size of a data set."""

    @property
    def size(self) -> tuple[int, int]:
        """Their height and width, or those of what is seen of them, px."""

    @property
    def images(self) -> list[int]:
        """Their positions in the data set."""


def log_priors_of(
    groups: Sequence[OfOneSize],
    data: Dataset,
    density: CenterBiasKDE,
    grid_of: GridOf,
    unseen: Sequence[int] = (),
) -> list[Float[Tensor, "image row column"]]:
    """The center bias on each image's cells, without its own fixations; `unseen` images had no part in it anyway."""

    def of_image(image: int, grid: Grid) -> Float[Tensor, "row column"]:
        shape = grid.rows.length, grid.columns.length
        return density.log_density(shape, None if image in unseen else relative_positions(data, image))

    return [torch.stack([of_image(image, grid_of(group.size)) for image in group.images]) for group in groups]


def counts_of(
    groups: Sequence[OfOneSize], fixations: Fixations, grid_of: GridOf
) -> list[Float[Tensor, "image row column"]]:
    """How many of the fixations fall into each cell."""
    counts = []
    for group in groups:
        grid = grid_of(group.size)
        of_group = torch.zeros(len(group.images), grid.rows.length, grid.columns.length)
        for number, image in enumerate(group.images):
            part = fixations.for_image(image)
            rows = cells_of(part.pixel_y, grid.rows.step, grid.rows.length)
            columns = cells_of(part.pixel_x, grid.columns.step, grid.columns.length)
            np.add.at(of_group[number].numpy(), (rows, columns), 1)
        counts.append(of_group)
    return counts


def empirical_maps(
    counts: Float[Tensor, "image row column"], group: OfOneSize, data: Dataset
) -> Float[Tensor, "image row column"]:
    """A Gaussian of one degree on every fixation that was counted, summing to one in each image."""
    ppd = torch.tensor([data.stimuli[image].assumed_pixels_per_degree for image in group.images])
    # Cells need not be squares.
    rows, columns = (
        gaussian_rows(torch.arange(n, dtype=counts.dtype), n, ppd * n / side)
        for n, side in zip(counts.shape[1:], group.size, strict=True)
    )
    blurred = rows.mT @ counts @ columns
    return blurred / blurred.sum(dim=(1, 2), keepdim=True).clamp(min=1e-12)
