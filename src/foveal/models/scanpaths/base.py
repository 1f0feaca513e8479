"""What a model of scanpaths is: a photograph and the fixations before in, the log density of the next fixation out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.gaze.given import described, floats, whole_number
from foveal.images import ImageSource
from foveal.models.base import SaliencyModel
from foveal.models.parts.finalizer import normalize_log_density, resize_maps
from foveal.models.parts.geometry import Grid
from foveal.models.registry import load_model

STATIC = "foveal-s"  # the model whose density a history changes, if no other is given
REMEMBERED = 4  # fixations on which the next one depends, the last ones: DeepGaze III
CELLS = 80  # along the longer side of a picture, on which a history's effect is computed
LEAST = 1e-12  # of the peak: a density that is lower has no logarithm in float32

History = Sequence[tuple[float | int, float | int]]  # fixations of one viewer, x and y in px, the most recent last


class Offsets(NamedTuple):
    """Where the cells of pictures lie, seen from each of the last fixations.

    x and y are in longer sides of the picture, to the right and down. Saccades grow with the picture (von Wartburg et
    al. 2007, *Perception* 36), so that this needs no viewing distance. The most recent fixation comes first. Where
    there was none, `exists` is False, and the others mean nothing.
    """

    x: Float[Tensor, "path back 1 column"]
    y: Float[Tensor, "path back row 1"]
    exists: Bool[Tensor, "path back"]

    @property
    def distance(self) -> Float[Tensor, "path back row column"]:
        """From each fixation."""
        return torch.hypot(self.x, self.y)


class ScanpathModel(nn.Module, ABC):
    """A model of where somebody looks next: a static density, changed by where they looked before.

    Subclasses say `change`. A history without fixations changes nothing: the first fixation follows the static density.

    Parameters
    ----------
    static
        The model of the static density; by default `STATIC`, loaded when it is needed.
    """

    name: ClassVar[str]
    epochs: ClassVar[int] = 0  # in which it is fitted; 0 has nothing to fit
    learning_rate: ClassVar[float] = 0.0
    here: Float[Tensor, "0"]

    def __init__(self, static: SaliencyModel | None = None) -> None:
        super().__init__()
        # In a list, so that its weights are not written with the model's.
        self._static = [] if static is None else [static]
        self.register_buffer(
            "here", torch.empty(0), persistent=False
        )  # moves with the model, which may have no numbers

    @property
    def static(self) -> SaliencyModel:
        """The model of the static density, where this one computes."""
        if not self._static:
            self._static.append(load_model(STATIC))
        return self._static[0].to(self.device)

    @property
    def device(self) -> torch.device:
        """Where the model's tensors are."""
        return self.here.device

    @abstractmethod
    def change(self, saliency: Float[Tensor, "path row column"], offsets: Offsets) -> Float[Tensor, "path row column"]:
        """What a history adds to the static log density (`saliency`, up to a constant), before all is normalised."""

    def on_cells(
        self,
        saliency: Float[Tensor, "path row column"],
        histories: Float[Tensor, "path before 2"],
        cells: Grid,
        longer_side: int,
    ) -> Float[Tensor, "path row column"]:
        """What histories add, over cells of pictures with this longer side (px): nothing without any fixation."""
        offsets = offsets_of(histories, cells, longer_side)
        change = self.change(saliency, offsets)
        return torch.where(offsets.exists.any(dim=1)[:, None, None], change, 0.0)

    def given(
        self, static: Float[Tensor, "#path height width"], histories: Float[Tensor, "path before 2"]
    ) -> Float[Tensor, "path height width"]:
        """Log density of the next fixation, given static log densities.

        Parameters
        ----------
        static
            Of each history's picture, or of the one picture of all.
        histories
            x and y in px, the most recent last; NaN where there was no fixation.
        """
        size = static.shape[1], static.shape[2]
        saliency = to_cells(static).expand(len(histories), -1, -1)
        change = self.on_cells(saliency, histories, cells_over(size), max(size))
        return normalize_log_density(static + resize_maps(change, size))

    def conditional_log_density(
        self,
        images: Float[Tensor, "image 3 height width"],
        histories: Float[Tensor, "image before 2"],
        pixels_per_degree: float | None = None,
    ) -> Float[Tensor, "image height width"]:
        """Natural log of the density of the next fixation over the pixels of each image.

        Parameters
        ----------
        images
            RGB in [0, 1].
        histories
            The fixations before on each image: x and y in px, the most recent last. NaN stands for no fixation.
        pixels_per_degree
            Scale of the images, for the static model; None where it is not known.
        """
        return self.given(self.static.log_density(images, pixels_per_degree), histories)

    @torch.inference_mode()
    def conditional_log_density_of(
        self, image: ImageSource, histories: Sequence[History], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "path height width"]:
        """The same of one photograph and any number of histories on it.

        Raises
        ------
        FovealError
            If the photograph cannot be read, or a history is no list of pairs.
        """
        static = self.static.log_density_of([image], pixels_per_degree)
        return self.given(static, padded(histories).to(static.device))

    @torch.inference_mode()
    def sample(
        self,
        image: ImageSource,
        n: int,
        seed: int = 0,
        *,
        viewers: int = 1,
        first: tuple[float | int, float | int] | None = None,
        pixels_per_degree: float | None = None,
    ) -> Fixations:
        """Whole scanpaths on a photograph, each fixation drawn from its density given those before.

        Parameters
        ----------
        image
            The photograph.
        n
            Number of fixations of each path, from 1.
        seed
            The same seed gives the same paths. A viewer's path does not depend on how many other viewers there are.
        viewers
            Number of paths.
        first
            x and y (px) where every path begins; by default, it is drawn from the static density.
        pixels_per_degree
            Scale of the photograph, for the static model; None where it is not known.

        Returns
        -------
        The viewers are its subjects; fixations are on the centers of pixels.

        Raises
        ------
        FovealError
            If the photograph cannot be read, `n` or `viewers` is less than 1, or `first` is no pair of numbers.
        """
        begin = [] if first is None else [first]
        static = self.static.log_density_of([image], pixels_per_degree)
        return self.sample_given(static, n, seed, [begin] * whole_number(viewers, "viewers", 1))

    @torch.inference_mode()
    def sample_given(
        self, static: Float[Tensor, "1 height width"], n: int, seed: int, begun: Sequence[History]
    ) -> Fixations:
        """Scanpaths of `n` fixations on a photograph whose static log density is known, one for each that has begun."""
        n, seed = whole_number(n, "n", 1), whole_number(seed, "seed")
        paths = [list(path) for path in begun]
        padded(paths)  # complains of what is no path
        for viewer, path in enumerate(paths):
            rng = np.random.default_rng([seed, viewer])
            while len(path) < n:
                path.append(_drawn(self.given(static, padded([path]).to(static.device))[0], rng))
        x, y = np.array([path[:n] for path in paths], dtype=float).reshape(-1, 2).T
        subject, order = np.divmod(np.arange(len(x)), n)
        return Fixations.of(np.zeros(len(x), int), x, y, subject=subject, order=order)


def to_cells(log_density: Float[Tensor, "image height width"]) -> Float[Tensor, "image row column"]:
    """Log of the mean density in each of a picture's cells, up to a constant."""
    cells = cells_over((log_density.shape[1], log_density.shape[2]))
    density = (log_density - log_density.amax(dim=(1, 2), keepdim=True)).exp()
    means = F.adaptive_avg_pool2d(density, (cells.rows.length, cells.columns.length))
    return means.clamp(min=LEAST).log()


def cells_over(size: tuple[int, int]) -> Grid:
    """The cells of a picture of this (height, width): at most one a pixel."""
    height, width = size
    side = max(1.0, max(size) / CELLS)
    return Grid.over(size, (max(1, round(height / side)), max(1, round(width / side))))


def offsets_of(histories: Float[Tensor, "path before 2"], cells: Grid, longer_side: int) -> Offsets:
    """Where cells of pictures with this longer side (px) lie, seen from the last fixations."""
    missing = max(0, REMEMBERED - histories.shape[1])
    last = F.pad(histories[:, -REMEMBERED:].flip(1), (0, 0, 0, missing), value=torch.nan)
    exists = last.isfinite().all(dim=2)
    at = last.nan_to_num().float()
    rows, columns = (
        axis.first + axis.step * torch.arange(axis.length, device=at.device) for axis in (cells.rows, cells.columns)
    )
    x, y = columns - at[..., None, :1], rows[:, None] - at[..., 1:, None]
    return Offsets(x / longer_side, y / longer_side, exists)


def padded(histories: Sequence[History]) -> Float[Tensor, "path before 2"]:
    """The last fixations of each history as a tensor, with NaN before where there were fewer.

    Raises
    ------
    FovealError
        If a history is no list of pairs of numbers.
    """
    together = torch.full((len(histories), REMEMBERED, 2), torch.nan)
    for row, history in zip(together, histories, strict=True):
        if len(history):
            pairs = floats(history, "history")
            if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.isfinite(pairs).all():
                raise FovealError(f"history: a list of (x, y) in px, the most recent last, not {described(history)}")
            row[-len(pairs) :] = torch.from_numpy(pairs[-REMEMBERED:])
    return together


def _drawn(log_density: Float[Tensor, "height width"], rng: np.random.Generator) -> tuple[float, float]:
    """Column and row of a pixel, drawn from a density."""
    mass = log_density.double().exp().flatten().cumsum(dim=0).cpu().numpy()
    number = int(np.searchsorted(mass, rng.random() * mass[-1], side="right"))
    row, column = divmod(min(number, len(mass) - 1), log_density.shape[1])
    return float(column), float(row)
