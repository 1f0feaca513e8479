"""Accuracy against speed: one trained network that sees photographs at several sizes.

    foveal train fold0.toml --out fold0            # a recipe with held_out = 0
    python benchmarks/working_area.py fold0/foveal-s.safetensors

Information gain on the held-out images of each of the recipe's data sets, as a share of the gold standard's, and the
time of one photograph of 640 x 480. Draws docs/assets/foveal_working_area.png.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from timing import keep, median_seconds

import foveal
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.gaze.folds import held_out_images
from foveal.models import load_model, provenance_of
from foveal.models.deep.foveal_s import FovealS
from foveal.progress import to_nobody
from foveal.training.fits.numbers import unseen_of

PICTURE = Path(__file__).parent.parent / "docs" / "assets" / "foveal_working_area.png"
TIME = "ms, one photograph of 640 x 480"
AREAS = (76_800, 120_000, 192_000, 307_200, 480_000, 750_000)  # px


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    assert isinstance(model, FovealS)
    recipe = provenance_of(arguments.model)["recipe"]
    parts = {}
    for name in recipe["datasets"]:
        data = foveal.load_dataset(name).looked_at()  # as it was trained on
        chosen = held_out_images(data, recipe["held_out"])
        parts[name] = data, chosen, float(np.nanmean(Yardsticks(data).gold_information_gain[chosen]))
    photograph = (np.random.default_rng(0).random((480, 640, 3)) * 255).astype(np.uint8)

    def measured() -> dict[str, float]:
        """Time, and share of the gold standard on each data set."""
        found = {TIME: 1000 * median_seconds(lambda: model.log_density_of([photograph]), 9)}
        for name, (data, chosen, gold) in parts.items():
            # The center bias of all images: a held-out image's own fixations are left out of it.
            unseen = [
                replace(some, log_priors=some.reference) for some in unseen_of(model, data, to_nobody, only=chosen)
            ]
            gain = torch.cat([some.gain([model]) for some in unseen]).mean()
            found[f"{name}, share of gold"] = float(gain) / gold
        return found

    config, rows = model.config, {}
    for area in AREAS:
        model.config = replace(config, working_area=area)
        rows[f"{area} px"] = measured()
    results = {f"{row}: {what}": value for row, found in rows.items() for what, value in found.items()}
    keep("working_area", {**results, "threads": torch.get_num_threads()})
    draw(rows, list(parts))


def draw(rows: dict[str, dict[str, float]], names: list[str]) -> None:
    """Share of the gold standard by time, a curve a data set; above, the areas."""
    figure = Figure(figsize=(6, 4), layout="constrained", dpi=130)
    ax = figure.subplots()
    times = [found[TIME] for found in rows.values()]
    for name, color in zip(names, ("#3b5f8a", "#c1554d", "#6a9a5b"), strict=True):
        share = f"{name}, share of gold"
        ax.plot(times, [found[share] for found in rows.values()], "o-", label=name, color=color)
    ax.set_xscale("log")
    ax.set_xticks([50, 100, 200, 300], ["50", "100", "200", "300"])
    ax.minorticks_off()
    above = ax.secondary_xaxis("top")
    above.set_xticks(times, [f"{area / 1000:.0f}k px" for area in AREAS], rotation=60, fontsize=7, ha="left")
    above.minorticks_off()
    above.spines["top"].set_visible(False)
    ax.set_xlabel(f"ms, one photograph of 640 x 480, threads: {torch.get_num_threads()}")
    ax.set_ylabel("information gain, share of the gold standard's")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="lower right")
    figure.savefig(PICTURE)


if __name__ == "__main__":
    main()
