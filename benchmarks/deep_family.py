"""All metrics but EMD of networks on photographs that they were not trained on, and what a prediction takes.

    python benchmarks/deep_family.py salgan-lite run/msi-net-lite.safetensors

Fold 0 of OSIE, which the recipes of the small forms leave out, and every seventh photograph of MIT1003, on which
nothing was trained: all of them would take an hour a model on two cores. EMD alone would double the time. Of OSIE also
the information gain scene by scene. Rows of a model that was scored before are replaced.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from timing import median_seconds

from foveal import evaluate, load_dataset
from foveal.benchmarking.results import Results
from foveal.files import write_atomically
from foveal.gaze import Dataset
from foveal.metrics import list_metrics
from foveal.models import load_model

METRICS = [metric for metric in list_metrics() if metric != "EMD"]
FOLD, SOME = "fold0", "every7"
RESULTS = Path(__file__).parents[1] / "docs/results/deep-family.json"
SIZE = 480, 640  # of the image whose prediction is timed


def datasets() -> list[tuple[Dataset, str]]:
    """The data sets, and which part of each is scored."""
    held_out = load_dataset("osie")
    zero_shot = load_dataset("mit1003")
    some = np.arange(0, len(zero_shot), 7)
    return [(held_out, FOLD), (replace(zero_shot, splits={**zero_shot.splits, SOME: some}), SOME)]


def by_scene(results: Results, data: Dataset) -> list[dict]:
    """Rows of the information gain of each model in each category of photographs, if the data set has categories."""
    scenes = dict(zip(data.stimuli.ids, data.categories, strict=False))
    per_image = results.per_image
    return [
        row | {"category": scene}
        for scene, table in per_image.groupby(per_image["image"].map(scenes))
        for row in Results.of(table, ["IG"], [], 0).to_dict("records")
    ]


def main() -> None:
    """Score the models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="names of models, or .safetensors files")
    models = [load_model(given) for given in parser.parse_args().models]
    rows = []
    for data, split in datasets():
        results = evaluate(models, data, METRICS, split=split)
        rows += results.to_dict("records") + by_scene(results, data)
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    for model in models:
        numbers = {
            "weights": sum(weight.numel() for weight in model.parameters()),
            "milliseconds": 1000 * median_seconds(lambda model=model: model.predict(image), 5),
        }
        rows += [{"model": model.name, "metric": name, "value": value} for name, value in numbers.items()]
    before = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
    scored = {model.name for model in models}
    with write_atomically(RESULTS) as temporary:
        temporary.write_text(json.dumps([row for row in before if row["model"] not in scored] + rows, indent=2) + "\n")
    print(f"{', '.join(sorted(scored))}: {RESULTS}")


if __name__ == "__main__":
    main()
