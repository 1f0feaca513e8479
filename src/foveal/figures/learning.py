"""The course of a training run."""

from collections.abc import Sequence
from pathlib import Path


def draw_learning_curve(log: Sequence[dict[str, int | float]], path: Path) -> None:
    """Loss on the fitted images, and information gain on the held-out ones, after each epoch, as a PNG."""
    from matplotlib.figure import Figure  # no display is needed

    figure = Figure(figsize=(8, 3), layout="constrained", dpi=130)
    epochs = [row["epoch"] for row in log]
    titles = {"loss": "loss, fitted images", "IG": "information gain, held-out images, bit"}
    for ax, (column, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        ax.plot(epochs, [row[column] for row in log], "o-", color="#3b5f8a", markersize=4)
        ax.set_title(title, fontsize=10, loc="left")
        ax.set_xlabel("epoch")
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png")
