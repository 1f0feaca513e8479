"""A value of every layer of networks, one line a network."""

from pathlib import Path

import numpy as np
import pandas as pd


def draw_layers(table: pd.DataFrame, path: Path) -> None:
    """Draw NMM with its interval by layer as a PNG; a panel for each network, whose layers have names of their own.

    Parameters
    ----------
    table
        Columns network, layer, NMM, NMM_low and NMM_high, layers from the image up.
    path
        Where it is written.
    """
    from matplotlib.figure import Figure  # no display is needed

    networks = list(dict.fromkeys(table["network"]))
    figure = Figure(figsize=(9, 2.8 * len(networks)), layout="constrained", dpi=110)
    axes = figure.subplots(len(networks), 1, squeeze=False, sharey=True)[:, 0]
    for ax, network in zip(axes, networks, strict=True):
        part = table[table["network"] == network]
        ends = np.abs(part[["NMM_low", "NMM_high"]].to_numpy().T - part["NMM"].to_numpy())
        ax.errorbar(range(len(part)), part["NMM"], ends, fmt="o-", color="#1f4e86", markersize=4, linewidth=1.2)
        ax.set_xticks(range(len(part)), part["layer"], rotation=45, ha="right", fontsize=8)
        ax.set_ylabel("NMM, ten best maps", fontsize=9)
        ax.set_title(Path(network).name, loc="left", fontsize=10)
        ax.axhline(0, color="#999999", linewidth=0.8)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png")
