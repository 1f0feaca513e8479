"""How good a recording is: what was lost, how much gaze jitters while it rests, and how far off the center it began."""

from collections.abc import Sequence

import numpy as np

from foveal.gaze.detection import Grid, TimedFixations, pymovements

Periods = Sequence[tuple[float, float]]  # start and stop of each, in ms


def share_lost(grid: Grid, periods: Periods) -> float:
    """Share of the time without gaze in these periods, that of samples that the tracker did not write included."""
    until = np.append(grid.time[1:], grid.time[-1] + 1000 / grid.rate)
    lost = known = 0.0
    for start, stop in periods:
        cells = grid.within(start, stop)
        cells = slice(max(0, cells.start - 1), cells.stop)  # with the one that lasts into the period
        lasts = (np.minimum(until[cells], stop) - np.maximum(grid.time[cells], start)).clip(0)
        known += lasts.sum()
        lost += lasts[np.isnan(grid.gaze[cells, 0])].sum()
    return float(lost / known) if known else np.nan


def precision(grid: Grid, fixations: TimedFixations) -> float:
    """Root mean square of the distances from sample to sample (RMS-S2S) in px, the median of all fixations.

    Niehorster, Zemblys, Beelders & Holmqvist, *Behavior Research Methods* 52, 2020; measured by pymovements.
    """
    import polars  # pymovements needs it

    measure = pymovements().measure.samples.rms_s2s()
    values = []
    for start, stop in zip(fixations.start, fixations.stop, strict=True):
        gaze = grid.gaze[grid.within(start, stop)]
        gaze = gaze[~np.isnan(gaze[:, 0])]
        if len(gaze) > 1:
            values.append(polars.DataFrame({"position": gaze.tolist()}).select(measure).item())
    return float(np.median(values)) if values else np.nan


def drift(fixations: TimedFixations, periods: Periods, center: tuple[float, float]) -> tuple[float, float]:
    """How far to the right and below of a center people look when a picture appears, in px: medians of all pictures.

    It is the fixation under way when a period begins, or the first that begins in it. An experiment that shows a cross
    in the center first should have about 0.
    """
    offsets: list[np.ndarray] = []
    for start, stop in periods:
        then = np.flatnonzero((fixations.stop > start) & (fixations.start < stop))
        if len(then):
            first = then[np.argmin(fixations.start[then])]
            offsets.append(np.array([fixations.x[first], fixations.y[first]]) - center)
    if not offsets:
        return np.nan, np.nan
    right, below = np.median(offsets, axis=0)
    return float(right), float(below)
