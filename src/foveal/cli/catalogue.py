"""`foveal models` and `foveal datasets`: what there is."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import show, tell, tell_json
from foveal.cli.options import Strict, tell_problems
from foveal.errors import FovealError

AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def models(
    name: Annotated[str | None, typer.Argument(help="Only this one, or a .safetensors file: its card.")] = None,
    results: Annotated[
        list[Path] | None, typer.Option(help="On the card, a table of `evaluate --json`; can be repeated.")
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """List every model: name, family, year, paper, trainable, weights, licence; or print the card of one."""
    if name is not None:
        from foveal.benchmark.card import model_card_text

        tell(*model_card_text(name, results or []).rstrip("\n").split("\n"))
        return
    from foveal.models import model_cards

    cards = model_cards()
    if as_json:
        tell_json([asdict(card) for card in cards])
        return
    rows = [
        (
            *(card.name, card.family, str(card.year or ""), "yes" if card.trainable else "no"),
            *(card.weights, card.licence, card.paper),
        )
        for card in cards
    ]
    show(("model", "family", "year", "trainable", "weights", "licence", "paper"), rows)


def datasets(
    name: Annotated[str | None, typer.Argument(help="Only this one and how to get it; or what is in a folder.")] = None,
    data_root: Annotated[Path | None, typer.Option(help="Where data sets lie (default: $FOVEAL_DATA).")] = None,
    strict: Strict = False,
    as_json: AsJSON = False,
) -> None:
    """List every data set: name, images, observers, licence, where it comes from, found locally or not."""
    from foveal.datasets import dataset_card, dataset_cards, default_root, is_found, list_datasets

    if name is not None and name not in list_datasets() and os.path.isdir(name):  # noqa: PTH112
        _tell_of_folder(name, as_json, strict)
        return
    cards = [dataset_card(name)] if name else dataset_cards()
    root = data_root or default_root()
    entries = [asdict(card) | {"found": is_found(card.name, root)} for card in cards]
    if name and entries[0]["found"]:
        entries[0]["splits"] = _splits(name, root)
    if as_json:
        tell_json(entries)
        return
    if name:
        for key, value in entries[0].items():
            tell(f"{key.replace('_', ' ')}: {', '.join(value) if isinstance(value, list | tuple) else value}")
        tell(f"data root: {root}")
        return
    rows = [
        (
            *(entry["name"], str(entry["images"]), str(entry["observers"]), entry["licence"]),
            *("yes" if entry["found"] else "no", entry["url"]),
        )
        for entry in entries
    ]
    show(("data set", "images", "observers", "licence", "found", "where it comes from"), rows)
    tell(f"data root: {root}")


def _splits(name: str, root: str | os.PathLike[str]) -> list[str]:
    """A data set's parts and their sizes; or why it cannot be read, which is no reason to say no more of it."""
    from foveal.datasets import load_dataset

    try:
        splits = load_dataset(name, root).splits
    except FovealError as error:
        return [f"cannot be read ({error})"]
    return [f"{split} ({len(images)} images)" for split, images in splits.items()]


def _tell_of_folder(folder: str, as_json: bool, strict: bool) -> None:
    """What is in a data set of one's own, and what in it cannot be used."""
    from foveal.datasets import load_dataset

    data = load_dataset(folder)
    summary = {
        "name": data.name,
        "images": len(data),
        "images with fixations": len(set(data.fixations.image.tolist())),
        "observers": len(data.fixations.subjects),
        "fixations": len(data.fixations),
        "licence": data.licence,
        "citation": data.citation,
    }
    if as_json:
        tell_json(summary)
    else:
        tell(*(f"{key}: {value}" for key, value in summary.items()))
    tell_problems(data.problems, strict=strict)
