"""How well a recipe's model does on photographs of another kind: each of its data sets left out in turn.

    python benchmarks/transfer.py src/foveal/training/recipes/foveal-s.toml --out transfer

Trains once for each data set, without it (started again, it goes on where it was), and says how much of the gold
standard's information the model, and its teacher if it has one, have on the data set that they did not see: with the
temperature and the weight of the center bias as trained, with those that the *other* left-out data sets ask for, and
with its own best. The mean of what all ask for is what the recipe is to give the finished model. Draws
docs/assets/<model>_reliability.png.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from timing import keep, say

import foveal
from foveal.analysis.reliability import observed_shares
from foveal.benchmark.yardsticks import Yardsticks
from foveal.models import load_model
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealS
from foveal.training import Recipe, train_by_recipe
from foveal.training.fits.transfer import Transfer, Unseen, fit_transfer, networks_of, unseen_of
from foveal.training.recipe import Mixture, read_recipe
from foveal.training.runs.tree import TEACHER

ASSETS = Path(__file__).parent.parent / "docs" / "assets"
PREDICTED = torch.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class LeftOut:
    """A data set that a model did not see: what it says of it, what the training gave, the gold standard's gain."""

    unseen: list[Unseen]
    as_trained: Transfer
    gold: float

    def share(self, transfer: Transfer) -> float:
        """The model's information gain, of the gold standard's."""
        gains = torch.cat([some.gain(1 / transfer.temperature, transfer.prior_weight) for some in self.unseen])
        return float(gains.mean()) / self.gold

    def reliability(self, transfer: Transfer) -> torch.Tensor:
        """Observed share of fixations, mean over images, for each predicted one."""
        shares = [
            observed_shares(some.log_density(1 / transfer.temperature, transfer.prior_weight), some.counts, PREDICTED)
            for some in self.unseen
        ]
        return torch.cat(shares).mean(dim=0)


def models_without(recipe: Recipe | Mixture, left_out: str, out: Path) -> dict[str, Path]:
    """Files of the model that was trained without a data set, and of its teacher, by their names."""
    datasets = tuple(name for name in recipe.examples[0] if name != left_out)
    paths = [train_by_recipe(recipe.of_datasets(datasets), out=out / left_out, resume=True, progress=say).path]
    if isinstance(recipe, Recipe) and recipe.teacher is not None:
        paths += (out / left_out / TEACHER).glob("*.safetensors")
    return {path.stem: path for path in paths}


def left_out_of(path: Path, name: str) -> LeftOut:
    """What the model in a file says of a data set."""
    model = load_model(path)
    assert isinstance(model, FovealS | FovealL)
    as_trained = mean_of([Transfer(float(one.temperature), float(one.prior_weight)) for one in networks_of(model)])
    data = foveal.load_dataset(name)
    unseen = unseen_of(model, data, say)
    images = np.concatenate([some.images for some in unseen])
    return LeftOut(unseen, as_trained, float(Yardsticks(data).gold_information_gain[images].mean()))


def mean_of(transfers: list[Transfer]) -> Transfer:
    """Geometric of the temperatures, arithmetic of the weights."""
    temperature = math.exp(np.mean([math.log(transfer.temperature) for transfer in transfers]))
    return Transfer(temperature, float(np.mean([transfer.prior_weight for transfer in transfers])))


def report(model: str, found: dict[str, LeftOut]) -> dict[str, float]:
    """Shares of the gold standard and the reliability diagram of one model; returned is what to keep."""
    best = {name: fit_transfer(one.unseen) for name, one in found.items()}
    results: dict[str, float] = {}
    figure = Figure(figsize=(4 * len(found), 4), layout="constrained", dpi=130)
    for ax, (name, one) in zip(figure.subplots(1, len(found)), found.items(), strict=True):
        by_others = mean_of([transfer for other, transfer in best.items() if other != name])
        ways = {"as trained": one.as_trained, "as the others ask for": by_others, "its own best": best[name]}
        ax.plot([0, 1], [0, 1], color="gray", linewidth=1)
        for (way, transfer), color in zip(ways.items(), ("#c1554d", "#3b5f8a", "#a0a0a0"), strict=True):
            results[f"{name}: share of gold, {way}"] = one.share(transfer)
            ax.plot(PREDICTED, one.reliability(transfer), label=way, color=color)
        results[f"{name}: temperature"], results[f"{name}: weight"] = best[name].temperature, best[name].prior_weight
        ax.set_title(f"{name}, left out of the training", fontsize=10, loc="left")
        ax.set_xlabel("predicted share of fixations")
        ax.set_aspect("equal")
        ax.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("observed share")
    figure.axes[0].legend(frameon=False)
    figure.savefig(ASSETS / f"{model}_reliability.png")
    shipped = mean_of(list(best.values()))
    return results | {"temperature": shipped.temperature, "prior_weight": shipped.prior_weight}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe).unfinished  # temperatures of 1, weights as trained
    names = recipe.examples[0]
    paths = {name: models_without(recipe, name, arguments.out) for name in names}
    for model in paths[names[0]]:
        found = {name: left_out_of(paths[name][model], name) for name in names}
        keep(f"transfer_{model}", report(model, found))


if __name__ == "__main__":
    main()
