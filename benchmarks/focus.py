"""How focused the attention in photographs is: percentiles of `focus` (foveal.analysis.attention), by foveal-s.

    python benchmarks/focus.py

Of every seventh photograph of MIT1003, none of which foveal-s was trained on. Writes src/foveal/analysis/focus.json.
"""

import json
from pathlib import Path

import numpy as np

from foveal import load_dataset, load_model
from foveal.analysis.attention import of_picture
from foveal.files import write_atomically
from foveal.models.registry import DEFAULT_MODEL

DATASET, EVERY = "mit1003", 7
FILE = Path(__file__).parents[1] / "src/foveal/analysis/focus.json"


def main() -> None:
    """Predict, and write the percentiles."""
    model, stimuli = load_model(DEFAULT_MODEL), load_dataset(DATASET).stimuli
    found = []
    for image in range(0, len(stimuli), EVERY):
        density = np.exp(model.log_density_of([stimuli[image].image], None)[0].double().numpy())
        found.append(of_picture(density).focus)
    percentiles = np.percentile(found, np.arange(101)).round(3).tolist()
    with write_atomically(FILE) as temporary:
        temporary.write_text(json.dumps({"model": DEFAULT_MODEL, "percentiles": percentiles}) + "\n")
    print(f"{len(found)} photographs: {FILE}")


if __name__ == "__main__":
    main()
