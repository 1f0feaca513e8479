"""Fig. 5 and Fig. 8 of DeepGaze I: one row a kind of subset, explained information left, shuffled AUC right."""

from pathlib import Path

import numpy as np
import pandas as pd

SHOWN = (
    (
        "explained information",
        {"explained_training_subjects": "training subjects", "explained_test_subjects": "left-out subjects"},
    ),
    ("sAUC, uniform prior", {"sAUC_fitted_images": "fitted images", "sAUC_held_out_images": "held-out images"}),
)
TITLES = {
    "a": "layers from a depth up",
    "b": "layers up to a depth",
    "c": "layers of one depth",
    "d": "layers of one type",
    "e": "each layer alone",
    "λ": "sparsity penalty λ",
}


def draw_sweep(table: pd.DataFrame, path: Path) -> None:
    """Draw the table of `foveal layers` as a PNG; the dotted line is the best subset's, by its last column."""
    from matplotlib.figure import Figure  # no display is needed

    kinds = list(dict.fromkeys(table.figure))
    best = table.iloc[int(table.sAUC_held_out_images.argmax())]
    figure = Figure(figsize=(9, 2.5 * len(kinds)), layout="constrained", dpi=130)
    axes = figure.subplots(len(kinds), 2, squeeze=False)
    for row, kind in zip(axes, kinds, strict=True):
        of_kind = table[table.figure == kind]
        # A path of penalties is one line; subsets with several penalties are one line each, the later the fainter.
        parts = [of_kind] if kind == "λ" else [of_kind[of_kind.penalty == p] for p in of_kind.penalty.unique()]
        labels = [f"{penalty:g}" for penalty in of_kind.penalty] if kind == "λ" else list(parts[0].label)
        for ax, (what, lines) in zip(row, SHOWN, strict=True):
            for part, alpha in zip(parts, np.linspace(1, 0.4, len(parts)), strict=True):
                for color, (column, name) in zip(("#8fb3d9", "#1f4e86"), lines.items(), strict=True):
                    label = name if len(parts) == 1 else f"{name}, λ = {part.penalty.iloc[0]:g}"
                    ax.plot(range(len(part)), part[column], "o-", color=color, label=label, markersize=4, alpha=alpha)
            label = "of the best on held-out images"
            ax.axhline(best[list(lines)[1]], color="#1f4e86", linestyle=":", linewidth=1, label=label)
            ax.set_xticks(range(len(labels)), labels, rotation=45 if len(labels) > 8 else 0)
            ax.set_ylabel(what)
            ax.set_title(f"({kind}) {TITLES[kind]}", loc="left", fontsize=10)
            ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[0]:
        ax.legend(frameon=False, fontsize=8)
    figure.savefig(path, format="png")
