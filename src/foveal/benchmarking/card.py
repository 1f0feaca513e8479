"""The card of a model: what it is, what it was trained on and how, what was measured."""

import inspect
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from foveal.benchmarking.results import COLUMNS
from foveal.errors import FovealError, first_line
from foveal.models import load_model
from foveal.models.registry import datasets_of, has_weights, how_weights_are_made, provenance_of, trainings_of
from foveal.training.recipe import published_recipes
from foveal.training.runs.checkpoint import RECIPE

NUMBERS = ("value", "ci_low", "ci_high")  # columns
SMALL = "-lite"  # ends the name of a small form
BITS = "bit per fixation above uniform"
NAMES = {
    "log_likelihood": f"on the images that it was fitted to, {BITS}",
    "held_out_log_likelihood": f"on images that were held out, {BITS}",
    "center_bias_log_likelihood": f"of the center bias, each image left out in turn, {BITS}",
    "published_log_likelihood": f"of the model as it was before, {BITS}",
    "gain": f"what fitting gains on images that were held out, {BITS}",
    "intervals": "95 % intervals over images",
    "held_out": "fold that was held out (image i belongs to fold i modulo 10)",
}
COURSE = {  # of the epoch whose weights were kept
    "loss": "loss of the recipe, on the fitted images",
    "IG": "information gain on the held-out images, bit per fixation",
    "NSS": "NSS of the map before calibration, on the held-out images",
    "CC": "correlation of the map before calibration with the empirical one, on the held-out images",
    "AUC": "AUC on the held-out images",
}


def model_card_text(model: str, results: Sequence[str | os.PathLike[str]] = ()) -> str:
    """Markdown, from what was written with the weights and from tables that `foveal evaluate --json` wrote.

    Parameters
    ----------
    model
        A name, or a file of weights.
    results
        The tables; every row of them is shown, under the name that the model has there.

    Raises
    ------
    FovealError
        If there is no such model, or a table cannot be read.
    """
    loaded = load_model(model, fitted=has_weights(model))
    card = loaded.card
    n_numbers = sum(parameter.numel() for parameter in loaded.state_dict().values())
    lines = [f"# {card.name}{f' ({model})' * (model != card.name)}", "", inspect.getdoc(type(loaded)) or ""]
    lines += ["", f"{card.paper}. {card.family.capitalize()} model of {card.year or 'all times'}, "]
    lines[-1] += f"{n_numbers:,} numbers; licence of what comes with Foveal: {card.licence}."
    if card.made_by and not has_weights(model):
        lines += ["", f"It comes without weights: {how_weights_are_made(type(loaded))}."]
    if card.name.endswith(SMALL):
        network = card.name.removesuffix(SMALL)
        lines += ["", f"It is a small form of {network}: what follows is said of that, with other parameters."]
    lines += ["", "## What it does", "", inspect.getdoc(inspect.getmodule(type(loaded))) or ""]
    if loaded.Config is not None:
        lines += [
            "",
            "## Parameters",
            "",
            *(f"- {key}: {_short(value)}" for key, value in asdict(loaded.config).items()),
        ]
    own = provenance_of(model).get("members") or {"": None}
    for name, training in trainings_of(model).items():
        lines += ["", f"## Training{': ' * bool(name)}{name}", "", *_trained_on(training), ""]
        # A model that this one reads has a card of its own.
        lines += _trained_by(training) if name in own else [f"More: `foveal models {name}`."]
    lines += ["", "## Commands", "", *_commands(model, card.needs_fixations)]
    if results:
        lines += ["", "## Measured", "", *_measured(results)]
    return "\n".join(lines) + "\n"


def _trained_on(provenance: dict[str, Any]) -> list[str]:
    lines = ["| data set | licence | images that were fitted to |", "|---|---|---|"]
    return lines + [f"| {data['name']} | {data['licence']} | {data['images']} |" for data in datasets_of(provenance)]


def _trained_by(provenance: dict[str, Any]) -> list[str]:
    told = {
        key: value
        for key, value in provenance.items()
        if key not in ("datasets", "dataset", "licence", "n_images", "photographs")
    }
    recipe = dict(told.pop("recipe", {}))
    course = told.pop("last_epoch", {})
    if not told.get("teachers"):
        recipe.pop("taught", None)  # counts what a teacher says
    lines = []
    for what, values, names in (("", told, NAMES), ("recipe: ", recipe, NAMES), ("kept weights: ", course, COURSE)):
        lines += [
            f"- {what}{names.get(key, key.replace('_', ' '))}: {_short(value)}"
            for key, value in values.items()
            if value not in (None, [], {})
        ]
    return lines


def _commands(model: str, needs_fixations: bool) -> list[str]:
    """Predict, measure, and train anew: by the recipe in the package, or by that beside a run's weights."""
    ready = model if has_weights(model) or model not in published_recipes() else f"{model}/{model}.safetensors"
    lines = [] if needs_fixations else [f"    foveal predict photo.jpg --model {ready}"]
    lines.append(f"    foveal evaluate --model {ready} --dataset mit1003")
    recipe = Path(model).parent / RECIPE
    if model in published_recipes():
        lines.insert(0 if ready != model else len(lines), f"    foveal train {model} --out {model}")
    elif Path(model).is_file() and recipe.is_file():
        lines.append(f"    foveal train {recipe} --out anew")
    return lines


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple | dict) else str(value)


def _measured(results: Sequence[str | os.PathLike[str]]) -> list[str]:
    rows = []
    for path in results:
        try:
            for row in json.loads(Path(path).read_text(encoding="utf-8")):
                # What is no number, null is written for.
                numbers = {column: float("nan" if row[column] is None else row[column]) for column in NUMBERS}
                rows.append({column: row[column] for column in COLUMNS} | numbers)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise FovealError(f"{path}: no table of results ({first_line(error)})") from None
    table = pd.DataFrame(rows)
    lines = ["| model | data set | images | metric | value | 95 % interval |", "|---|---|---|---|---|---|"]
    for row in table.itertuples():
        interval = f"{row.ci_low:.4f} … {row.ci_high:.4f}"
        lines.append(f"| {row.model} | {row.dataset} | {row.n_images} | {row.metric} | {row.value:.4f} | {interval} |")
    return lines
