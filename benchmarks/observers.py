r"""Models beside gold standards of fewer and more observers.

    python benchmarks/cross_validation.py --out cv
    python benchmarks/observers.py osie --model foveal-s cv/*/held_out/osie.hdf5 \
        --model foveal-l cv/*/teacher/held_out/osie.hdf5

How well n people tell where one more looks, for n from one to all others: the gold standard of n + 1 observers, each
left out in turn, for several choices of them by chance. As a share of it, each model's information gain on the same
fixations; all above the center bias of all observers, on the images whose densities are in the models' files. Draws
docs/assets/observers_<data set>.png.
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
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.gaze import Dataset
from foveal.models.parts.finalizer import resize_log_density
from foveal.training.runs.one_run import read_maps

ASSETS = Path(__file__).parent.parent / "docs" / "assets"
OTHERS = (1, 2, 3, 5, 7, 10)  # and all
CHOICES = 3  # of the observers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument(
        "--model", nargs="+", action="append", required=True, metavar=("NAME", "DENSITIES.hdf5"), dest="models"
    )
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    data = foveal.load_dataset(arguments.dataset, arguments.data_root)
    center_bias = Yardsticks(data).center_bias.log_likelihoods
    models = {}
    for name, *files in arguments.models:
        maps = {image: map_ for file in files for image, map_ in read_maps(Path(file)).items()}
        models[name] = log_likelihoods(data, maps)
    subjects = data.fixations.subjects
    generator = np.random.default_rng(0)
    gains = []
    for others in (*(n for n in OTHERS if n < len(subjects) - 1), len(subjects) - 1):
        for _ in range(CHOICES if others < len(subjects) - 1 else 1):
            chosen = np.isin(data.fixations.subject, generator.choice(subjects, others + 1, replace=False))
            some = replace(data, fixations=data.fixations.where(chosen))
            found = {"the gold standard": Yardsticks(some).gold.log_likelihoods}
            found |= {name: values[chosen] for name, values in models.items()}
            table = pd.DataFrame(found).sub(center_bias[chosen], axis=0).dropna() / math.log(2)
            mean = table.groupby(some.fixations.image[table.index]).mean().mean()
            gains.append(mean.to_frame(others).T)
    mean = pd.concat(gains).groupby(level=0).mean()
    shares = mean[list(models)].div(mean["the gold standard"], axis=0)
    results = {f"IG of {name}, {n} others": value for name in mean for n, value in mean[name].items()}
    results |= {f"share of {name}, {n} others": value for name in shares for n, value in shares[name].items()}
    keep(f"observers_{arguments.dataset}", results)
    figure = Figure(figsize=(5, 3.5), layout="constrained", dpi=130)
    ax = figure.subplots()
    ax.set_prop_cycle(color=("#c1554d", "#e0a34a", "#6b8f5e"))
    for name in shares:
        ax.plot(shares.index, 100 * shares[name], "o-", label=name)
    ax.axhline(100, color="#3b5f8a", linewidth=0.8)
    ax.set_xlabel("n other observers in the gold standard")
    ax.set_ylabel("information, % of the gold standard's")
    ax.set_title(f"{arguments.dataset}: models and n people, on where one more looks", fontsize=10, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
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
