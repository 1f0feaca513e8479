"""All metrics of networks on photographs that they were not trained on, model by model, and what a prediction takes.

    python benchmarks/deep_family.py salgan-lite run/msi-net-lite.safetensors

Fold 0 of OSIE, which the recipes of the small forms leave out, and every seventh photograph of MIT1003, on which
nothing was trained: all of them would take an hour a model on two cores. Rows of a model that was scored before are
replaced.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from timing import median_seconds

from foveal import evaluate, load_dataset
from foveal.gaze import Dataset
from foveal.models import load_model

FOLD, SOME = "fold0", "every7"
RESULTS = Path(__file__).parents[1] / "docs/results/deep-family.json"
SIZE = 480, 640  # of the image whose prediction is timed


def datasets() -> list[tuple[Dataset, str]]:
    """The data sets, and which part of each is scored."""
    held_out = load_dataset("osie")
    zero_shot = load_dataset("mit1003")
    some = np.arange(0, len(zero_shot), 7)
    return [(held_out, FOLD), (replace(zero_shot, splits={**zero_shot.splits, SOME: some}), SOME)]


def main() -> None:
    """Score the models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="names of models, or .safetensors files")
    models = parser.parse_args().models
    parts = datasets()
    for given in models:
        model = load_model(given)
        rows = []
        for data, split in parts:
            results = evaluate([model], data, split=split)
            rows += [row | {"model": model.name} for row in results.to_dict("records")]
        image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        numbers = {
            "weights": sum(weight.numel() for weight in model.parameters()),
            "milliseconds": 1000 * median_seconds(lambda model=model, image=image: model.predict(image), 5),
        }
        rows += [{"model": model.name, "metric": name, "value": value} for name, value in numbers.items()]
        before = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
        kept = [row for row in before if row["model"] != model.name]
        RESULTS.write_text(json.dumps(kept + rows, indent=2) + "\n")
        print(f"{model.name}: {RESULTS}", flush=True)


if __name__ == "__main__":
    main()
