"""Psychometric curves: how well a target is found, by how much it differs, one panel a model."""

from pathlib import Path

import numpy as np
import pandas as pd

COLORS = "#8fb3d9", "#4a7fb5", "#1f3f66"  # of set sizes, the smallest first
ACROSS = 5  # panels beside each other
LABELS = {"NMM": "NMM (SD)", "found": "share of arrays found"}


def draw_curves(curves: pd.DataFrame, value: str, path: Path) -> None:
    """Draw a value by the difference, a line for each set size, as a PNG.

    Parameters
    ----------
    curves
        Columns line (a panel's title), set_size, share (of the largest difference), and the value with `_low` and
        `_high`.
    value
        "NMM" or "found". Of the latter, dotted lines are chance: one item of each set size.
    path
        Where it is written.
    """
    from matplotlib.figure import Figure  # no display is needed

    titles = list(dict.fromkeys(curves["line"]))
    rows = -(-len(titles) // ACROSS)
    figure = Figure(figsize=(2.6 * min(ACROSS, len(titles)) + 0.6, 2.1 * rows + 0.8), layout="constrained", dpi=110)
    axes = figure.subplots(rows, min(ACROSS, len(titles)), squeeze=False, sharex=True, sharey=True).ravel()
    sizes, shares = sorted(curves["set_size"].unique()), sorted(curves["share"].unique())
    for ax, title in zip(axes, titles, strict=False):
        for size, color in zip(sizes, _colors(len(sizes)), strict=True):
            part = curves[(curves["line"] == title) & (curves["set_size"] == size)].sort_values("share")
            ends = np.abs(part[[f"{value}_low", f"{value}_high"]].to_numpy().T - part[value].to_numpy())
            # Each a little to the side, so that intervals do not hide each other.
            at = [shares.index(share) + 0.1 * (sizes.index(size) - (len(sizes) - 1) / 2) for share in part["share"]]
            ax.errorbar(at, part[value], ends, fmt="o-", color=color, markersize=3, linewidth=1.2, label=f"{size}")
            if value == "found":
                ax.axhline(1 / size, color=color, linestyle=":", linewidth=0.8)
        ax.set_title(title, fontsize=8)
        ax.set_xticks(range(len(shares)), [f"{share:g}" for share in shares])
        ax.set_xlim(-0.4, len(shares) - 0.6)
        ax.tick_params(labelsize=7)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[len(titles) :]:
        ax.set_visible(False)
    lines, labels = axes[0].get_legend_handles_labels()
    figure.legend(lines, labels, title="items", loc="outside right upper", frameon=False, fontsize=8, title_fontsize=8)
    figure.supxlabel("difference between target and distractors, as a share of the largest", fontsize=9)
    figure.supylabel(LABELS[value], fontsize=9)
    figure.savefig(path, format="png")


def _colors(count: int) -> list[str]:
    """The darker, the larger the set; of a single size, the darkest."""
    places = np.linspace(0, len(COLORS) - 1, count) if count > 1 else [len(COLORS) - 1]
    return [COLORS[round(float(place))] for place in places]
