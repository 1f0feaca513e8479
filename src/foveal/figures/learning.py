"""The course of a training run."""

from collections.abc import Sequence
from pathlib import Path

MARKED = 40  # epochs at most that have a point each


def draw_learning_curve(log: Sequence[dict[str, int | float]], path: Path) -> None:
    """Losses on the fitted images, and how good it is on held-out ones if there are any, by epoch, as a PNG."""
    from matplotlib.figure import Figure  # no display is needed
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in log]
    titles = {
        "loss": "loss, fitted images",
        "discriminator": "loss of the discriminator",
        "IG": "information gain, held-out images, bit",
        "NSS": "NSS of the map, held-out images",
    }
    shown = [column for column in titles if column in log[-1]]
    figure = Figure(figsize=(4 * len(shown), 3), layout="constrained", dpi=130)
    for ax, column in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        ax.plot(
            epochs, [row[column] for row in log], "o-" if len(log) <= MARKED else "-", color="#3b5f8a", markersize=4
        )
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_title(titles[column], fontsize=10, loc="left")
        ax.set_xlabel("epoch")
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png")
