"""Recipes that differ in one thing: how fast each learns, and how far it comes, on photographs that were held out.

    python benchmarks/recipes.py losses --data-root data
    python benchmarks/recipes.py freezing --data-root data

"losses": a readout of frozen features, trained for each of the registered losses (the course of AUC by loss, as Jetley,
Murray & Vig 2016 drew it, "End-to-end saliency mapping via probability distribution prediction"). "freezing": a readout
that is trained alone at first, then with no block of the network, the last, the last few, or all (as He, Tavakoli,
Borji, Mi & Pugeault 2019, "Understanding and visualizing deep visual saliency models"). Both on OSIE, its first fold
held out. Draws docs/assets/recipes_<experiment>.png.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure
from timing import keep

from foveal.training import Phase, Recipe, train_by_recipe
from foveal.training.losses import list_losses

ASSETS = Path(__file__).parent.parent / "docs" / "assets"
NETWORK = {
    "backbone": "efficientnet_lite0",
    "taps": ("block4", "block7", "block10", "block14", "block15"),
    "channels": (40, 80, 112, 192, 320),
    "working_area": 307_200,
    "scales": (1.0,),
}
TRAINED = {"none": "", "1": "block15", "5": "block11", "11": "block5", "all": "stem"}  # blocks: the lowest of them


def experiments() -> dict[str, dict[str, Recipe]]:
    """Recipes by what is different about them."""
    readout = Recipe(("osie",), held_out=0, config=NETWORK | {"first_trained": ""}, phases=(Phase(10, 2e-3),))
    return {
        "losses": {loss: replace(readout, loss=loss) for loss in list_losses()},
        "freezing": {
            number: replace(
                readout, config=NETWORK | {"first_trained": first}, phases=(Phase(4, 2e-3), Phase(3, 1e-3, 3e-4))
            )
            for number, first in TRAINED.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=list(experiments()))
    parser.add_argument("--out", type=Path, default=Path("recipes"))
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    results: dict[str, list[float]] = {}
    figure = Figure(figsize=(9, 3.8), layout="constrained", dpi=130)
    panels = dict(zip(("AUC", "IG"), figure.subplots(1, 2), strict=True))
    for number, (name, recipe) in enumerate(experiments()[arguments.experiment].items()):
        out = arguments.out / arguments.experiment / name
        log = train_by_recipe(recipe, out=out, data_root=arguments.data_root, resume=True).log
        for column, ax in panels.items():
            values = [row[column] for row in log]
            results[f"{name}: {column}"] = values
            ax.plot([row["epoch"] for row in log], values, ("-", "--")[number // 6], label=name, color=f"C{number % 6}")
        results[f"{name}: s, last epoch"] = [log[-1]["seconds"]]
    for column, ax in panels.items():
        ax.set_title(f"{column}, held-out photographs", fontsize=10, loc="left")
        ax.set_xlabel("epoch")
        ax.spines[["top", "right"]].set_visible(False)
    panels["IG"].set_ylim(max(-0.5, panels["IG"].get_ylim()[0]), None)
    panels["IG"].legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    keep(f"recipes_{arguments.experiment}", results)
    figure.savefig(ASSETS / f"recipes_{arguments.experiment}.png")


if __name__ == "__main__":
    main()
