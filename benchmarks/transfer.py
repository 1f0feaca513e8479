"""How well a recipe's model does on photographs of another kind: each of its data sets left out in turn.

    python benchmarks/transfer.py src/foveal/training/recipes/foveal-s.toml --out transfer

Trains once for each data set, without it (started again, it goes on where it was), and says how much of the gold
standard's information the model has on the data set that it did not see: as it is published, with the data set's own
center bias, and after its few numbers were fitted to 10, 25, 50 images or half of all (see adaptation.py). Then which
sizes win it back: the last row again, with the maps of some sizes only. And what temperature and weight of the center
bias each data set asks for. Draws docs/assets/<model>_reliability.png and <model>_adaptation.png.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from adaptation import SIZES, Adaptation, rows_of
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from timing import keep, say

import foveal
from foveal.analysis.reliability import observed_shares
from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealS
from foveal.training import Recipe, train_by_recipe
from foveal.training.fits.numbers import changed, fit_numbers, networks_of
from foveal.training.recipe import read_recipe

ASSETS = Path(__file__).parent.parent / "docs" / "assets"
PREDICTED = torch.linspace(0.05, 0.95, 19)
SUBSETS = {"relative sizes": False, "sizes in degrees": True}


def model_without(recipe: Recipe, left_out: str, out: Path) -> FovealS:
    """The model that was trained without a data set."""
    datasets = tuple(name for name in recipe.datasets if name != left_out)
    path = train_by_recipe(recipe.of_datasets(datasets), out=out / left_out, resume=True, progress=say).path
    model = load_model(path)
    assert isinstance(model, FovealS)
    return model


def of_subsets(adaptation: Adaptation) -> dict[str, float]:
    """Shares after fitting to half of the images, with the maps of some sizes only."""
    map_sizes = adaptation.model.config.map_sizes
    subsets = {
        kind: [number for number, size in enumerate(map_sizes) if size.in_degrees is degrees]
        for kind, degrees in SUBSETS.items()
    }
    subsets |= {f"{kind}, the first only": numbers[:1] for kind, numbers in subsets.items()}
    return {
        name: float(np.mean(adaptation.only(numbers).fitted_to(None))) for name, numbers in subsets.items() if numbers
    }


def asked_for(adaptation: Adaptation) -> dict[str, float]:
    """Temperature and weight of the center bias that the whole data set asks for: what a recipe may give its model."""
    (network,) = networks_of(adaptation.model)
    numbers = changed(network.numbers(), fit_numbers(adaptation.model, adaptation.unseen))
    return {"temperature": float((-numbers["log_sharpness"]).exp()), "prior_weight": float(numbers["prior_weight"])}


def draw_reliability(ax: Axes, adaptation: Adaptation) -> None:
    """Observed share of fixations for each predicted one, as published and with fitted numbers."""
    members, fitted = networks_of(adaptation.model), fit_numbers(adaptation.model, adaptation.unseen)
    ways = {
        "as published": (adaptation.as_published(), None),
        "numbers fitted to itself": (adaptation.unseen, fitted),
    }
    ax.plot([0, 1], [0, 1], color="gray", linewidth=1)
    for (way, (unseen, changes)), color in zip(ways.items(), ("#c1554d", "#3b5f8a"), strict=True):
        shares = [observed_shares(part.log_density(members, changes), part.counts, PREDICTED) for part in unseen]
        ax.plot(PREDICTED, torch.cat(shares).mean(dim=0), label=way, color=color)
    ax.set_xlabel("predicted share of fixations")
    ax.set_aspect("equal")


def draw_adaptation(ax: Axes, rows: Mapping[str, float]) -> None:
    """Share of the gold standard by the number of images that the numbers were fitted to."""
    names = ["its own center bias", *(f"{n} images" for n in SIZES), "half of the images"]
    ax.plot(range(len(names)), [100 * rows[name] for name in names], marker="o", color="#3b5f8a")
    ax.axhline(100 * rows["as published"], color="#c1554d", linestyle="--")
    ax.set_xticks(range(len(names)), ["0", *map(str, SIZES), "half"])
    ax.set_xlabel("images that the numbers are fitted to")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe)
    assert isinstance(recipe, Recipe)
    reliability, adapted = (Figure(figsize=(12, 4), layout="constrained", dpi=130) for _ in range(2))
    results: dict[str, float] = {}
    for number, name in enumerate(recipe.datasets):
        adaptation = Adaptation(model_without(recipe, name, arguments.out), foveal.load_dataset(name).looked_at())
        rows = rows_of(adaptation)
        results |= {f"{name}: {row}": value for row, value in rows.items()}
        results |= {f"{name}: half of the images, {kind}": share for kind, share in of_subsets(adaptation).items()}
        results |= {f"{name}: {number}": value for number, value in asked_for(adaptation).items()}
        for figure, draw, what in ((reliability, draw_reliability, adaptation), (adapted, draw_adaptation, rows)):
            ax = figure.add_subplot(1, len(recipe.datasets), number + 1)
            draw(ax, what)
            ax.set_title(f"{name}, left out of the training", fontsize=10, loc="left")
            ax.spines[["top", "right"]].set_visible(False)
    reliability.axes[0].set_ylabel("observed share")
    reliability.axes[0].legend(frameon=False)
    adapted.axes[0].set_ylabel("share of the gold standard, %")
    reliability.savefig(ASSETS / f"{recipe.model}_reliability.png")
    adapted.savefig(ASSETS / f"{recipe.model}_adaptation.png")
    keep(f"transfer_{recipe.model}", results)


if __name__ == "__main__":
    main()
