"""How far and where eyes jump: two histograms."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from foveal.errors import FovealError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOR = "#4a7fb5"
BINS = 40  # of amplitude
SECTORS = 24  # of direction
LONGEST = 99  # percent of saccades that the first histogram reaches


def plot_saccades(saccades: pd.DataFrame, unit: str = "degrees") -> "Figure":
    """Draw a histogram of amplitudes, and one of directions around a circle.

    Parameters
    ----------
    saccades
        As `foveal.gaze.saccades` gives them.
    unit
        Of the amplitudes, as the axis says it.

    Raises
    ------
    FovealError
        If there are none.
    """
    if not len(saccades):
        raise FovealError("plot_saccades: there are no saccades to draw")
    from matplotlib.figure import Figure  # no display is needed

    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    amplitude, direction = saccades["amplitude"].to_numpy(), saccades["direction"].dropna().to_numpy()
    ax = figure.add_subplot(1, 2, 1)
    ax.hist(amplitude, bins=BINS, range=(0, max(np.percentile(amplitude, LONGEST), 1e-9)), color=COLOR)
    ax.axvline(np.median(amplitude), color="black", linewidth=0.8, linestyle=":")
    ax.set_xlabel(f"amplitude ({unit}); dotted: median {np.median(amplitude):.3g}")
    ax.set_ylabel("saccades")
    ax.spines[["top", "right"]].set_visible(False)
    circle = figure.add_subplot(1, 2, 2, projection="polar")
    # A sector is centered on each of the axes: what goes straight to the right is not split in two.
    width = 360 / SECTORS
    counts, _ = np.histogram((direction + width / 2) % 360, bins=SECTORS, range=(0, 360))
    circle.bar(np.radians(width * np.arange(SECTORS)), counts / max(counts.sum(), 1), np.radians(width), color=COLOR)
    circle.set_xticks(np.radians([0, 90, 180, 270]), labels=["right", "up", "left", "down"])
    circle.tick_params(labelsize=8)
    circle.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    return figure
