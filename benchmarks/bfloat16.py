"""What bfloat16 gains here, and what it costs.

    python benchmarks/bfloat16.py --data-root data

A photograph of OSIE by foveal-s, in float32 and as `predict` computes it, which is in bfloat16 where the processor has
instructions for that: the time, how much a photograph's log density differs at most, and by how much the
log-likelihood of where people looked, mean over 100 photographs. Then forward and backward pass of a step that trains
the network's last blocks, in both precisions (`precision` of a recipe).
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import torch
from timing import keep, median_seconds_in_turn

import foveal
from foveal.metrics import FixationBatch, log_likelihood
from foveal.models import load_model
from foveal.models.base import stacked
from foveal.models.deep.foveal_s import FovealS
from foveal.models.parts.precision import computes_in_bfloat16

PHOTOGRAPHS = 100
BATCH = 8
REPEATS = 11


def step_of_training(model: FovealS, images: torch.Tensor) -> Callable[[], None]:
    """A call that goes from the features that are kept forwards to the density, and back to the gradients."""
    with torch.no_grad():
        features = model.see(images)
    kept = {layer: features[layer] for layer in model.frozen_layers}
    model.train().backbone.unfreeze(model.config.first_trained)
    return lambda: model(kept, (images.shape[2], images.shape[3])).float().square().mean().backward()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    data = foveal.load_dataset("osie", arguments.data_root).limit(PHOTOGRAPHS)
    images = [stacked([stimulus.image]) for stimulus in data.stimuli]
    fixations = FixationBatch.stack([data.fixations.for_image(image) for image in range(len(data))])
    model = load_model("foveal-s")
    assert isinstance(model, FovealS)

    def log_densities(mode: type[torch.no_grad | torch.inference_mode], some: Sequence[torch.Tensor]) -> torch.Tensor:
        with mode():
            return torch.cat([model.log_density(image) for image in some])

    modes = {"float32": torch.no_grad, "as predict does": torch.inference_mode}
    found = {name: log_densities(mode, images) for name, mode in modes.items()}
    likelihood = {name: float(log_likelihood(maps, fixations).mean()) for name, maps in found.items()}
    largest = (found["as predict does"] - found["float32"]).abs().amax(dim=(1, 2))  # of each photograph
    predicting = {name: partial(log_densities, mode, images[:1]) for name, mode in modes.items()}
    step = step_of_training(model, torch.cat(images[:BATCH]))
    training = {"float32": step, "bfloat16": torch.autocast("cpu", torch.bfloat16)(step)}
    results: dict[str, float | str] = {
        f"prediction, {name}, ms": 1000 * seconds
        for name, seconds in median_seconds_in_turn(predicting, REPEATS).items()
    }
    results["difference of the log-likelihood, bit"] = likelihood["as predict does"] - likelihood["float32"]
    results["largest difference of a log density, median over photographs"] = float(largest.median())
    results["largest difference of a log density, of all photographs"] = float(largest.max())
    for name, seconds in median_seconds_in_turn(training, REPEATS).items():
        results[f"step of fine-tuning, {name}, ms an image"] = 1000 * seconds / BATCH
    results["threads"] = torch.get_num_threads()
    results["instructions"] = torch.backends.cpu.get_cpu_capability()
    results["predict computes in"] = "bfloat16" if computes_in_bfloat16() else "float32"
    keep("bfloat16", results)


if __name__ == "__main__":
    main()
