"""How many photographs a second networks learn from, end to end, with other processes that read ahead.

    python benchmarks/training_steps.py --data-root data
    python benchmarks/training_steps.py --data-root data --model mlnet --config height=240 width=320 --steps 6

Steps of 8 photographs of OSIE, of which those of the first one are not counted. Reading and learning take turns without
other processes; with them, reading is hidden where there are cores for it.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from timing import keep, say

import foveal
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.runs.prepare import prepare
from foveal.training.runs.reading import Steps, read

BATCH = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--model", default="mlnet")
    parser.add_argument("--config", nargs="*", default=["height=240", "width=320"])
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    arguments = parser.parse_args()
    config = {name: int(value) for name, value in (pair.split("=") for pair in arguments.config)}
    data = foveal.load_dataset("osie", root=arguments.data_root).limit(BATCH * arguments.steps)
    recipe = Recipe(("osie",), model=arguments.model, config=config, phases=(Phase(1, 1e-4, 1e-5),), batch_size=BATCH)
    run = prepare(recipe, [data], recipe.views, Accelerator(cpu=True), Progress(say))
    run.begin(0)
    run.model.train()
    results = {"network": arguments.model, **asdict(run.model.model.config), "threads": torch.get_num_threads()}
    for workers in arguments.workers:
        steps = list(run.examples.steps(BATCH, torch.Generator().manual_seed(0)))
        seconds, before = [], time.perf_counter()
        for number, parts in enumerate(read(Steps(steps, run.layers, 0, 0, 1), workers)):
            run.step(number, parts)
            seconds.append(time.perf_counter() - before)
            before = time.perf_counter()
        results[f"photographs a second, {workers} workers"] = BATCH / float(np.median(seconds[1:]))
    keep(f"training_steps_{arguments.model}", results)


if __name__ == "__main__":
    main()
