"""How models of scanpaths are fitted: maximum likelihood of each fixation given those before, on cells.

The static density stays as it is. It is computed once for each picture.

A density has thousands of cells, and every fixation has its own. So only every fourth row and column of cells is
computed, those among which the fixated cell is: what is maximised is the likelihood of this cell among these, a
composite likelihood (Besag 1975, *The Statistician* 24). Given enough fixations, its maximum is at the same numbers.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.gaze import Dataset
from foveal.gaze.cells import cells_of
from foveal.gaze.scanpaths import histories
from foveal.models import SaliencyModel
from foveal.models.parts.geometry import Axis, Grid
from foveal.models.scanpaths.base import REMEMBERED, ScanpathModel, cells_over, to_cells
from foveal.models.scanpaths.static import Static
from foveal.progress import Report, to_nobody

EVERY = 4  # rows and columns of cells, of which one is computed in fits
BATCH_SIZE = 32  # fixations a step
AT_ONCE = 8  # fixations that are judged together: more do not fit into the processor's cache


@dataclass(frozen=True)
class NextFixations:
    """Fixations that come after others, on pictures of one size, on cells.

    Attributes
    ----------
    longer_side
        Of the pictures, px.
    cells
        Where the cells lie in them.
    static
        Log of the static density in each cell of each picture, up to a constant.
    rows
        Where each fixation stands in the data set's.
    picture
        On which of these pictures it is.
    before
        x and y (px) of the fixations before it, the most recent last; NaN where there was none.
    row, column
        The cell that it falls on.
    """

    longer_side: int
    cells: Grid
    static: Float[Tensor, "picture row column"]
    rows: Int[np.ndarray, " fixation"]
    picture: Int[Tensor, " fixation"]
    before: Float[Tensor, "fixation before 2"]
    row: Int[Tensor, " fixation"]
    column: Int[Tensor, " fixation"]

    def __len__(self) -> int:
        return len(self.rows)

    def thinned(self, every: int) -> list["NextFixations"]:
        """In parts, each with every so many-th row and column of the cells, and the fixations on these."""
        return [self._every(every, row, column) for row in range(every) for column in range(every)]

    def _every(self, every: int, row: int, column: int) -> "NextFixations":
        rows, columns = self.cells.rows, self.cells.columns
        static = self.static[:, row::every, column::every]
        chosen = (self.row % every == row) & (self.column % every == column)
        return NextFixations(
            self.longer_side,
            Grid(
                Axis(static.shape[1], rows.first + row * rows.step, rows.step * every),
                Axis(static.shape[2], columns.first + column * columns.step, columns.step * every),
            ),
            static,
            self.rows[chosen.numpy()],
            self.picture[chosen],
            self.before[chosen],
            self.row[chosen] // every,
            self.column[chosen] // every,
        )

    def log_likelihood(self, model: ScanpathModel, chosen: Int[Tensor, " some"]) -> Float[Tensor, " some"]:
        """Log of the probability of the cells that some of the fixations fell on, nats."""
        static = self.static[self.picture[chosen]]
        logits = static + model.on_cells(static, self.before[chosen], self.cells, self.longer_side)
        at = logits[torch.arange(len(chosen)), self.row[chosen], self.column[chosen]]
        return at - logits.flatten(1).logsumexp(dim=1)


Statics = Mapping[int, Float[Tensor, "row column"]]  # log density on cells, by the picture's position in its data set


@torch.no_grad()  # not inference mode: what comes of it is used in fits
def statics_of(model: SaliencyModel, data: Dataset, progress: Report = to_nobody) -> Statics:
    """A model's log density on the cells of every picture of a data set.

    Raises
    ------
    FovealError
        If a picture cannot be read.
    """
    statics = {}
    for number, stimulus in enumerate(data.stimuli):
        log_density = model.log_density_of([stimulus.image], stimulus.known_pixels_per_degree)
        statics[number] = to_cells(log_density)[0].cpu().clone()
        progress(data.name, number + 1, len(data))
    return statics


def next_fixations(data: Dataset, statics: Statics, images: Sequence[int] | np.ndarray) -> list[NextFixations]:
    """The fixations that come after others on some images of a data set, image size by image size.

    Raises
    ------
    FovealError
        If an observer or an order is not known.
    """
    rows, before = histories(data.fixations, REMEMBERED)
    parts = []
    for size, of_size in data.stimuli.by_size(np.asarray(images).tolist()).items():
        number = np.full(len(data), -1)
        number[of_size] = np.arange(len(of_size))
        chosen = number[data.fixations.image[rows]] >= 0
        there = data.fixations.where(rows[chosen])  # sorted by image, as the rows are
        cells = cells_over(size)
        row, column = (
            torch.from_numpy(cells_of(pixels, axis.step, axis.length))
            for pixels, axis in ((there.pixel_y, cells.rows), (there.pixel_x, cells.columns))
        )
        parts.append(
            NextFixations(
                max(size),
                cells,
                torch.stack([statics[image] for image in of_size]),
                rows[chosen],
                torch.from_numpy(number[there.image]),
                torch.from_numpy(before[chosen]).float(),
                row,
                column,
            )
        )
    return parts


def fit_scanpath_model(
    model: ScanpathModel, parts: Sequence[NextFixations], seed: int = 0, progress: Report = to_nobody
) -> None:
    """Fit a model's numbers to fixations: Adam, the learning rate falling to zero as a cosine's half."""
    generator = torch.Generator().manual_seed(seed)
    thinned = [few for part in parts for few in part.thinned(EVERY)]
    n_steps = model.epochs * sum(math.ceil(len(few) / BATCH_SIZE) for few in thinned)
    optimizer = torch.optim.Adam(model.parameters(), model.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    step = 0
    for _ in range(model.epochs):
        for few, chosen in _shuffled(thinned, generator):
            optimizer.zero_grad()
            loss = -few.log_likelihood(model, chosen).mean()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            progress(f"{model.name}: steps", step, n_steps)


def _shuffled(
    parts: Sequence[NextFixations], generator: torch.Generator
) -> Iterator[tuple[NextFixations, Int[Tensor, " some"]]]:
    """All fixations once, some of one part at a time."""
    batches = [
        (part, chosen)
        for part in parts
        if len(part)
        for chosen in torch.randperm(len(part), generator=generator).split(BATCH_SIZE)
    ]
    for number in torch.randperm(len(batches), generator=generator).tolist():
        yield batches[number]


@torch.no_grad()
def gain_of_images(model: ScanpathModel, parts: Sequence[NextFixations], data: Dataset) -> Float[np.ndarray, " image"]:
    """By how much fixations are more likely than under the static density, bit per fixation: means of the images."""
    parts, static = [part for part in parts if len(part)], Static()
    if not parts:
        return np.zeros(0)
    differences = [
        part.log_likelihood(model, chosen) - part.log_likelihood(static, chosen)
        for part in parts
        for chosen in torch.arange(len(part)).split(AT_ONCE)
    ]
    image = data.fixations.image[np.concatenate([part.rows for part in parts])]
    _, number = np.unique(image, return_inverse=True)
    return np.bincount(number, torch.cat(differences).double().numpy()) / np.bincount(number) / math.log(2)
