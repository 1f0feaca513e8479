"""The quality of recordings in one picture: what was lost, how precise gaze is, and where people looked first."""

from pathlib import Path

import numpy as np
import pandas as pd

INK, FAINT = "#1f3f66", "#b9c6d6"
ROW = 0.22  # inches of each recording


def draw_quality(quality: pd.DataFrame, path: Path) -> None:
    """Draw a row for each recording, and the drift of all, as a PNG.

    Parameters
    ----------
    quality
        Columns subject, lost (share), precision_deg, drift_x_deg and drift_y_deg.
    path
        Where it is written.
    """
    from matplotlib.figure import Figure  # no display is needed
    from matplotlib.patches import Circle

    figure = Figure(figsize=(9.0, max(2.6, ROW * len(quality) + 1.0)), layout="constrained", dpi=110)
    lost, precision, drift = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
    rows = range(len(quality))
    for ax, values, title in (
        (lost, 100 * quality["lost"], "samples lost, %"),
        (precision, quality["precision_deg"], "precision (RMS-S2S), degrees"),
    ):
        ax.barh(rows, values, color=INK, height=0.6)
        ax.set_title(title, fontsize=9)
        ax.set_ylim(len(quality) - 0.4, -0.6)
        ax.set_xlim(left=0)
    lost.set_yticks(rows, quality["subject"])
    precision.set_yticks(rows, [""] * len(quality))
    for radius in (1, 2):
        drift.add_artist(Circle((0, 0), radius, fill=False, color=FAINT, linewidth=0.8))
    for subject, x, y in zip(quality["subject"], quality["drift_x_deg"], quality["drift_y_deg"], strict=True):
        drift.plot(x, y, "o", color=INK, markersize=4)
        if np.isfinite(x):
            drift.annotate(subject, (x, y), (4, 2), textcoords="offset points", fontsize=6)
    reach = 1.1 * np.nanmax([2.0, *quality["drift_x_deg"].abs(), *quality["drift_y_deg"].abs()])
    drift.set(xlim=(-reach, reach), ylim=(reach, -reach), aspect="equal")
    drift.set_title("first fixation from the center, degrees", fontsize=9)
    for ax in (lost, precision, drift):
        ax.tick_params(labelsize=7)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png")
