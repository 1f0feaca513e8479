"""Fixations in their order: scanpaths, and the saccades between the fixations."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from foveal.errors import FovealError
from foveal.gaze.fixations import Fixations
from foveal.gaze.given import described, floats


def scanpaths(fixations: Fixations) -> Iterator[Fixations]:
    """Each observer's fixations on each photograph, in their order.

    Raises
    ------
    FovealError
        If the observer or the order of one is not known.

    >>> two = Fixations.of([0, 0, 0], [5, 6, 7], [0, 0, 0], subject=[1, 0, 1], order=[1, 0, 0])
    >>> [path.x.tolist() for path in scanpaths(two)]
    [[6.0], [7.0, 5.0]]
    """
    place = fixations.place()
    # Of the same photograph and observer, so that the place is as good as the order.
    rows = np.lexsort((place, fixations.subject, fixations.image))
    for path in np.split(rows, np.flatnonzero(place[rows] == 0)[1:]):
        if len(path):
            yield fixations.where(path)


def histories(fixations: Fixations, n: int) -> tuple[Int[np.ndarray, " next"], Float[np.ndarray, "next before 2"]]:
    """What each fixation but the first of a scanpath comes after: where its observer looked before.

    Parameters
    ----------
    fixations
        With subjects and orders.
    n
        On how many fixations to look back.

    Returns
    -------
    Rows of the fixations that come after others; and the x and y (px) of up to `n` fixations before each, the most
    recent last. Where there were fewer, NaN comes first.

    Raises
    ------
    FovealError
        If an observer or an order is not known.

    >>> rows, before = histories(Fixations.of([0, 0, 0], [5, 6, 7], [0, 0, 0], subject=[0, 0, 0], order=[0, 1, 2]), 2)
    >>> rows.tolist(), before[..., 0].tolist()
    ([1, 2], [[nan, 5.0], [5.0, 6.0]])
    """
    place = fixations.place()
    sorting = np.lexsort((place, fixations.subject, fixations.image))
    follows = np.flatnonzero(place[sorting] > 0)
    rows = sorting[follows]
    before = np.full((len(rows), n, 2), np.nan)
    for back in range(1, n + 1):
        exists = place[rows] >= back
        at = sorting[follows[exists] - back]
        before[exists, n - back] = np.stack([fixations.x[at], fixations.y[at]], axis=1)
    return rows, before


def saccades(fixations: Fixations, pixels_per_degree: Any = None) -> pd.DataFrame:
    """The saccades between fixations that follow each other, one a row.

    Where a fixation between two was left out (their orders are not successive), there is no saccade.

    Parameters
    ----------
    fixations
        With subjects and orders.
    pixels_per_degree
        Of the photographs: a number, or one for each (`dataset.stimuli.pixels_per_degree`). Without it, amplitudes are
        in px.

    Returns
    -------
    Columns image, subject, order (of the fixation at which the saccade begins); x, y, to_x, to_y (px); amplitude
    (degrees of visual angle, or px), and direction (degrees: 0 is to the right, 90 up, 180 left, 270 down; NaN of a
    saccade that goes nowhere).

    Raises
    ------
    FovealError
        If an observer or an order is not known, or the scales are not one of each photograph.

    >>> path = Fixations.of([0, 0, 0], [0, 30, 30], [0, 0, 40], subject=[0, 0, 0], order=[0, 1, 2])
    >>> saccades(path, 10)[["amplitude", "direction"]].to_numpy().tolist()
    [[3.0, 0.0], [4.0, 270.0]]
    """
    place = fixations.place()
    rows = np.lexsort((place, fixations.subject, fixations.image))
    before, after = rows[:-1], rows[1:]
    follows = (place[after] > 0) & (fixations.order[after] == fixations.order[before] + 1)
    begin, end = fixations.where(before[follows]), fixations.where(after[follows])
    x, y = end.x - begin.x, end.y - begin.y
    direction = np.degrees(np.arctan2(-y, x)) % 360
    return pd.DataFrame(
        {
            "image": begin.image,
            "subject": begin.subject,
            "order": begin.order,
            "x": begin.x,
            "y": begin.y,
            "to_x": end.x,
            "to_y": end.y,
            "amplitude": np.hypot(x, y) / _scale(pixels_per_degree, begin),
            "direction": np.where((x == 0) & (y == 0), np.nan, direction),
        }
    )


def _scale(pixels_per_degree: Any, fixations: Fixations) -> np.ndarray:
    """Px per unit of amplitude, of each of the fixations."""
    if pixels_per_degree is None:
        return np.ones(len(fixations))
    scale = floats(pixels_per_degree, "saccades: pixels_per_degree")
    if scale.ndim > 1 or (scale.ndim == 1 and len(scale) <= fixations.image.max(initial=-1)) or not (scale > 0).all():
        raise FovealError(
            f"saccades: pixels_per_degree: a positive number, or one of each photograph, not {described(scale)}"
        )
    return np.broadcast_to(scale, len(fixations)) if scale.ndim == 0 else scale[fixations.image]
