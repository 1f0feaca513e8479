"""The course of a training run."""

from collections.abc import Sequence
from pathlib import Path


def draw_learning_curve(log: Sequence[dict[str, int | float]], path: Path) -> None:
    """Loss on the fitted images, and information gain on the held-out ones if there are any, by epoch, as a PNG."""
    from matplotlib.figure import Figure  # no display is needed

    figure = Figure(figsize=(8, 3), layout="constrained", dpi=130)
    epochs = [row["epoch"] for row in log]
    titles = {"loss": "loss, fitted images", "IG": "information gain, held-out images, bit"}
    shown = [column for column in titles if column in log[-1]]
    for ax, column in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        ax.plot(epochs, [row[column] for row in log], "o-", color="#3b5f8a", markersize=4)
        ax.set_title(titles[column], fontsize=10, loc="left")
        ax.set_xlabel("epoch")
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png")
