"""How well a recipe's model does on photographs of another kind: each of its data sets left out in turn.

    python benchmarks/transfer.py recipes/foveal-s.toml --out transfer

Trains once for each data set, without it (started again, it goes on where it was), and says how much of the gold
standard's information each model has on the data set that it did not see: with the temperature and the weight of the
centre bias as trained, with those that the *other* left-out data sets ask for, and with its own best. The mean of what
all ask for is what the recipe is to give the finished model. Draws docs/assets/foveal_reliability.png.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from timing import keep

import foveal
from foveal.analysis.reliability import observed_shares
from foveal.benchmark.yardsticks import Yardsticks
from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealS
from foveal.training import Recipe, train_by_recipe
from foveal.training.transfer import Transfer, Unseen, fit_transfer, unseen_of

PICTURE = Path(__file__).parent.parent / "docs" / "assets" / "foveal_reliability.png"
PREDICTED = torch.linspace(0.05, 0.95, 19)


def unseen_by(recipe: Recipe, left_out: str, out: Path) -> tuple[list[Unseen], Transfer, float]:
    """What a model trained without a data set says of it, what the training gave, and the gold standard's gain."""
    others = tuple(name for name in recipe.datasets if name != left_out)
    done = train_by_recipe(replace(recipe, datasets=others), out=out / left_out, resume=True, progress=say)
    model = load_model(done.path)
    assert isinstance(model, FovealS)
    as_trained = Transfer(float(model.temperature), float(model.prior_weight))
    data = foveal.load_dataset(left_out)
    unseen = unseen_of(model, data, say)
    images = np.concatenate([some.images for some in unseen])
    return unseen, as_trained, float(Yardsticks(data).gold_information_gain[images].mean())


def say(what: str, done: int, total: int) -> None:
    """Progress, now and then."""
    if done == total:
        print(f"{what}: {done} of {total}", flush=True)


def mean_of(transfers: list[Transfer]) -> Transfer:
    """Geometric of the temperatures, arithmetic of the weights."""
    temperature = math.exp(np.mean([math.log(transfer.temperature) for transfer in transfers]))
    return Transfer(temperature, float(np.mean([transfer.prior_weight for transfer in transfers])))


def share(unseen: list[Unseen], transfer: Transfer, gold: float) -> float:
    """Of the gold standard's information gain."""
    gains = torch.cat([some.gain(1 / transfer.temperature, transfer.prior_weight) for some in unseen])
    return float(gains.mean()) / gold


def reliability(unseen: list[Unseen], transfer: Transfer) -> torch.Tensor:
    """Observed share of fixations, mean over images, for each predicted one."""
    shares = [
        observed_shares(some.log_density(1 / transfer.temperature, transfer.prior_weight), some.counts, PREDICTED)
        for some in unseen
    ]
    return torch.cat(shares).mean(dim=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    recipe = replace(Recipe.read(arguments.recipe), temperature=1.0, prior_weight=None)
    found = {name: unseen_by(recipe, name, arguments.out) for name in recipe.datasets}
    best = {name: fit_transfer(unseen) for name, (unseen, _, _) in found.items()}
    results: dict[str, float] = {}
    figure = Figure(figsize=(4 * len(found), 4), layout="constrained", dpi=130)
    for ax, (name, (unseen, as_trained, gold)) in zip(figure.subplots(1, len(found)), found.items(), strict=True):
        by_others = mean_of([transfer for other, transfer in best.items() if other != name])
        ways = {"as trained": as_trained, "as the others ask for": by_others, "its own best": best[name]}
        ax.plot([0, 1], [0, 1], color="gray", linewidth=1)
        for (way, transfer), color in zip(ways.items(), ("#c1554d", "#3b5f8a", "#a0a0a0"), strict=True):
            results[f"{name}: share of gold, {way}"] = share(unseen, transfer, gold)
            ax.plot(PREDICTED, reliability(unseen, transfer), label=way, color=color)
        results[f"{name}: temperature"], results[f"{name}: weight"] = best[name].temperature, best[name].prior_weight
        ax.set_title(f"{name}, left out of the training", fontsize=10, loc="left")
        ax.set_xlabel("predicted share of fixations")
        ax.set_aspect("equal")
        ax.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("observed share")
    figure.axes[0].legend(frameon=False)
    shipped = mean_of(list(best.values()))
    keep("transfer", results | {"temperature": shipped.temperature, "prior_weight": shipped.prior_weight})
    figure.savefig(PICTURE)


if __name__ == "__main__":
    main()
