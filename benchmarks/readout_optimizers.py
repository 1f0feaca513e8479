"""How fast L-BFGS, SFO and Adam find the optimum of DeepGaze I's readout: cost after each pass over the images.

    python benchmarks/readout_optimizers.py [--passes 50]

On the 463 images of MIT1003 (conv5 of AlexNet, λ = .001). Writes docs/assets/readout_optimizers.png, and beside the
other results the cost that each reached and the passes it took to come within 0.1 % of the best.
"""

import argparse
import time
from pathlib import Path

import torch
from matplotlib.figure import Figure
from timing import keep

import foveal
from foveal.features.cache import FeatureCache
from foveal.features.cells import counts_of, log_priors_of
from foveal.features.deviations import standard_deviations
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models.deep.deepgaze1 import DeepGaze1, density_grid
from foveal.models.parts.readout import LinearReadout
from foveal.training.fits.fit_readout import fit_readout
from foveal.training.fits.readout_problem import SPARSITY, ReadoutProblem, objective

PICTURE = Path(__file__).parent.parent / "docs" / "assets" / "readout_optimizers.png"
CLOSE = 1e-3  # of the best cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=50)
    passes = parser.parse_args().passes

    data = foveal.load_dataset("mit1003").split("onesize")
    model = DeepGaze1()
    groups = FeatureCache(model, data).groups()
    priors = log_priors_of(groups, data, CenterBiasKDE.fit(data), density_grid)
    problem = ReadoutProblem(groups, priors, counts_of(groups, data.fixations, density_grid), density_grid)
    std = standard_deviations(groups)
    costs: dict[str, list[float]] = {}
    seconds = {}
    for optimizer in ("lbfgs", "sfo", "adam"):
        readout = LinearReadout(model.readout.channels)
        readout.std = std
        of_this = costs[optimizer] = []

        def look(_: int, __: float, readout: LinearReadout = readout, of_this: list[float] = of_this) -> None:
            with torch.no_grad():  # the cost of all images with the weights as they are now
                of_this.append(objective(readout, problem, SPARSITY))

        start = time.perf_counter()
        fit_readout(readout, problem, optimizer=optimizer, steps=passes, report=look)
        seconds[optimizer] = time.perf_counter() - start

    best = min(min(values) for values in costs.values())
    results: dict[str, float | str] = {"best cost, nats": best}
    for optimizer, values in costs.items():
        close = next((n + 1 for n, value in enumerate(values) if value < best * (1 + CLOSE)), None)
        results |= {
            f"{optimizer}: cost reached": min(values),
            f"{optimizer}: above the best": min(values) / best - 1,
            f"{optimizer}: passes": len(values),
            f"{optimizer}: passes to within 0.1 %": close or "not reached",
            f"{optimizer}: seconds, with one look more a pass": seconds[optimizer],
        }
    keep("readout_optimizers", results)

    figure = Figure(figsize=(6, 3.5), layout="constrained", dpi=130)
    ax = figure.subplots()
    for (optimizer, values), color in zip(costs.items(), ("#1f4e86", "#c1554d", "#5b8c5a"), strict=True):
        ax.plot(range(1, len(values) + 1), [value - best + 1e-6 for value in values], color=color, label=optimizer)
    ax.axhline(CLOSE * best, color="gray", linestyle=":", linewidth=1)
    ax.annotate("0.1 %", (passes * 0.95, CLOSE * best * 1.15), color="gray", ha="right")
    ax.set(yscale="log", xlabel="passes over the 463 images", ylabel="cost above the best, nats")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    figure.savefig(PICTURE)


if __name__ == "__main__":
    main()
