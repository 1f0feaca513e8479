"""Raw maps of models on 50 images of OSIE, the forced first fixations counted: as their published codes were scored."""

import argparse
from dataclasses import replace
from pathlib import Path

from timing import keep

from foveal import evaluate, load_dataset
from foveal.datasets.matlab import read_fixation_structs

METRICS = ["AUC", "sAUC", "NSS", "CC"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="names of models that compute maps")
    parser.add_argument("--data-root", type=Path, required=True)
    arguments = parser.parse_args()
    folder = arguments.data_root / "osie/data"
    contents = read_fixation_structs(
        folder / "eye/fixations.mat", folder / "stimuli", pixels_per_degree=None, first_is_forced=False
    )
    dataset = replace(load_dataset("osie", root=arguments.data_root), fixations=contents.fixations)
    results = evaluate(arguments.models, dataset, METRICS, split="every14", raw=True)
    for name, of_model in results.groupby("model", sort=False):
        keep(f"published_scores_{name}", dict(zip(of_model["metric"], of_model["value"], strict=True)))


if __name__ == "__main__":
    main()
