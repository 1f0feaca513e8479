"""Time of the classical models.

    python benchmarks/classical.py

The saliency map of one photograph of 800 x 600 (of noise, which spares no model anything), on as many threads as
PyTorch takes, and images a second of sixteen together.
"""

import numpy as np
import torch
from timing import keep, median_seconds

from foveal.models import SaliencyMapModel, load_model, model_cards

BATCH = 16


def main() -> None:
    photographs = [(np.random.default_rng(seed).random((600, 800, 3)) * 255).astype(np.uint8) for seed in range(BATCH)]
    results: dict[str, float] = {"threads": torch.get_num_threads()}
    for name in [card.name for card in model_cards() if card.family == "classical"]:
        model = load_model(name)
        assert isinstance(model, SaliencyMapModel)
        results[f"{name}, ms"] = 1000 * median_seconds(lambda: model.saliency_map_of(photographs[:1]), 7)  # noqa: B023
        seconds = median_seconds(lambda: model.saliency_map_of(photographs), 3)  # noqa: B023
        results[f"{name}, images/s of {BATCH} together"] = BATCH / seconds
        print(name, round(results[f"{name}, ms"]), "ms", flush=True)
    keep("classical", results)


if __name__ == "__main__":
    main()
