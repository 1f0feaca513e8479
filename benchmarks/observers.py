"""A model beside gold standards of fewer and more observers.

    foveal train foveal-s --out run --folds 10
    python benchmarks/observers.py osie run/held_out/osie.hdf5 --data-root data

How well n people tell where one more looks, for n from one to all others: the gold standard of n + 1 observers, each
left out in turn, for several choices of them by chance. As a share of it, the model's information gain on the same
fixations; both above the centre bias of all observers. Draws docs/assets/observers_<data set>.png.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from timing import keep

import foveal
from foveal.benchmark.yardsticks import Yardsticks
from foveal.gaze import Dataset
from foveal.models.parts.finalizer import resize_log_density
from foveal.training.train_deep import read_maps

ASSETS = Path(__file__).parent.parent / "docs" / "assets"
OTHERS = (1, 2, 3, 5, 7, 10)  # and all
CHOICES = 3  # of the observers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    data = foveal.load_dataset(arguments.dataset, arguments.data_root)
    center_bias = Yardsticks(data).center_bias.log_likelihoods
    model = log_likelihoods(data, read_maps(arguments.predictions))
    subjects = data.fixations.subjects
    generator = np.random.default_rng(0)
    results, golds, shares = {}, {}, {}
    for others in (*(n for n in OTHERS if n < len(subjects) - 1), len(subjects) - 1):
        gains = []
        for _ in range(CHOICES if others < len(subjects) - 1 else 1):
            chosen = np.isin(data.fixations.subject, generator.choice(subjects, others + 1, replace=False))
            some = replace(data, fixations=data.fixations.where(chosen))
            table = pd.DataFrame(
                {
                    "image": some.fixations.image,
                    "gold": Yardsticks(some).gold.log_likelihoods - center_bias[chosen],
                    "model": model[chosen] - center_bias[chosen],
                }
            )
            gains.append(table.dropna().groupby("image").mean().mean() / math.log(2))
        mean = pd.DataFrame(gains).mean()
        golds[others], shares[others] = mean["gold"], mean["model"] / mean["gold"]
        results[f"IG of {others} others"] = float(mean["gold"])
        results[f"IG of the model on the same fixations, {others} others"] = float(mean["model"])
        results[f"the model's share of {others} others"] = float(shares[others])
    keep(f"observers_{arguments.dataset}", results)
    figure = Figure(figsize=(5, 3.5), layout="constrained", dpi=130)
    ax = figure.subplots()
    ax.plot(list(shares), [100 * share for share in shares.values()], "o-", color="#c1554d")
    ax.axhline(100, color="#3b5f8a", linewidth=0.8)
    ax.set_xlabel("n other observers in the gold standard")
    ax.set_ylabel("information, % of the gold standard's")
    ax.set_title(f"{arguments.dataset}: the model and n people, on where one more looks", fontsize=10, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(ASSETS / f"observers_{arguments.dataset}.png")


def log_likelihoods(data: Dataset, log_densities: dict[str, np.ndarray]) -> np.ndarray:
    """Of every fixation under the density of its image, per px; NaN where there is none."""
    values = np.full(len(data.fixations), np.nan)
    for image in np.unique(data.fixations.image).tolist():
        one = log_densities.get(data.stimuli.ids[image])
        if one is not None:
            height, width = data.stimuli.sizes[image].tolist()
            fixations = data.fixations.for_image(image)
            whole = resize_log_density(torch.from_numpy(one)[None], (height, width))[0].numpy()
            values[data.fixations.rows_of(image)] = whole[fixations.pixel_y, fixations.pixel_x]
    return values


if __name__ == "__main__":
    main()
