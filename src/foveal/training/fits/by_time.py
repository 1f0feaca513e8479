"""The few numbers of a network and its center bias as functions of time, fitted to the onsets of fixations.

First, the numbers are fitted to all fixations of a study, as `foveal.training.fits.numbers` fits them. Then, beginning
there, they are fitted to the fixations of each window of time. A number is drawn towards that of all fixations, and so
is the center bias, the more the fewer fixations a window has.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models.deep.by_time import LOG_PRIOR, ByTime
from foveal.models.deep.foveal_s import FovealS
from foveal.training.fits.numbers import Unseen, fit_numbers, with_fixations, with_numbers

WINDOWS = (0, 250, 500, 750, 1000, 1500, 2000, 3000, 5000)  # ms: where one ends, the next begins
FEWEST = 1000  # fixations in a window that is fitted to


def static_of(model: FovealS, unseen: Sequence[Unseen], data: Dataset) -> FovealS:
    """A copy of a model with the numbers and the center bias of all fixations of a study."""
    density = CenterBiasKDE.fit(data)
    changes = fit_numbers(model, with_fixations(unseen, model, data, density))
    return with_numbers(model, changes, density, len(np.unique(data.fixations.image)))


def fit_by_time(
    static: FovealS, unseen: Sequence[Unseen], data: Dataset, windows: Sequence[float | int] = WINDOWS
) -> ByTime:
    """How numbers and center bias of the fixations of each window differ from those of all fixations of a study.

    Parameters
    ----------
    static
        The model with the numbers and the center bias of all fixations (`static_of`).
    unseen
        What it says of the images, whatever its numbers are (`foveal.training.fits.numbers.unseen_of`).
    data
        The study.
    windows
        Where windows begin and end, ms since the picture came on. Those with few fixations are left out.

    Raises
    ------
    FovealError
        If it is not known when the fixations began, or all windows have few.
    """
    times, changes = [], []
    start = data.between(windows[0], windows[-1]).fixations.start
    for begin, end in pairwise(windows):
        n_fixations = int(((start >= begin) & (start < end)).sum())
        if n_fixations < FEWEST:
            continue
        part = data.between(begin, end)
        density = CenterBiasKDE.fit(part)
        change = fit_numbers(static, with_fixations(unseen, static, part, density))
        of_window = with_numbers(static, change, density, len(np.unique(part.fixations.image)))
        times.append((begin + end) / 2)
        changes.append({**change, LOG_PRIOR: of_window.log_prior - static.log_prior})
    if not times:
        raise FovealError(f"{data.name}: no window of time with {FEWEST} fixations, of {len(start)} in all")
    return ByTime(torch.tensor(times), {name: torch.stack([change[name] for change in changes]) for name in changes[0]})
