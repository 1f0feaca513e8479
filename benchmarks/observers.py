"""A model beside gold standards of fewer and more observers.

    foveal evaluate --predictions run/held_out/osie.hdf5 --resize --dataset osie --metrics IG --per-image osie.csv
    python benchmarks/observers.py osie osie.csv --data-root data

How well n people tell where one more looks, for n from one to all others: the gold standard of n + 1 observers, each
left out in turn. As a share of it, the information gain of a model whose values by image are given. Draws
docs/assets/observers_<data set>.png.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from timing import keep

import foveal
from foveal.benchmark.yardsticks import Yardsticks

ASSETS = Path(__file__).parent.parent / "docs" / "assets"
OTHERS = (1, 2, 3, 5, 7, 10)  # and all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("per_image", type=Path)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    data = foveal.load_dataset(arguments.dataset, arguments.data_root)
    gains = pd.read_csv(arguments.per_image).set_index("image")["IG"]
    judged = np.flatnonzero(np.isin(data.stimuli.ids, gains.index))
    model = float(gains.mean())
    subjects = np.random.default_rng(0).permutation(data.fixations.subjects)
    results = {f"{arguments.dataset}: IG of the model": model}
    golds = {}
    for others in (*(n for n in OTHERS if n < len(subjects) - 1), len(subjects) - 1):
        chosen = np.isin(data.fixations.subject, subjects[: others + 1])
        some = replace(data, fixations=data.fixations.where(chosen))
        golds[others] = float(np.nanmean(Yardsticks(some).gold_information_gain[judged]))
        results[f"{arguments.dataset}: IG of {others} others"] = golds[others]
        results[f"{arguments.dataset}: the model's share of {others} others"] = model / golds[others]
    keep(f"observers_{arguments.dataset}", results)
    figure = Figure(figsize=(5, 3.5), layout="constrained", dpi=130)
    ax = figure.subplots()
    ax.plot(list(golds), list(golds.values()), "o-", color="#3b5f8a", label="n other observers")
    ax.axhline(model, color="#c1554d", label="the model")
    ax.set_ylim(0, None)
    ax.set_xlabel("n")
    ax.set_ylabel("information gain, bit per fixation")
    ax.set_title(f"{arguments.dataset}: where one more person looks", fontsize=10, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    figure.savefig(ASSETS / f"observers_{arguments.dataset}.png")


if __name__ == "__main__":
    main()
