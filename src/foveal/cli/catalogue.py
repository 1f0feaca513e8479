"""`foveal models` and `foveal datasets`: what there is."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from foveal.cli.console import show, tell, tell_json
from foveal.cli.options import Strict, tell_problems
from foveal.errors import FovealError

SIZES = 3  # so many sizes of images are told

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
        from foveal.benchmarking.card import model_card_text

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
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables by image and by observer, and a map of all fixations.")
    ] = None,
    strict: Strict = False,
    as_json: AsJSON = False,
) -> None:
    """List every data set, or tell of one: how to get it, or what is in a folder and what will not work with it."""
    from foveal.datasets import dataset_card, dataset_cards, default_root, is_found, list_datasets

    if out is not None and name is None:
        raise typer.BadParameter("say which data set", param_hint="--out")
    is_folder = name is not None and name not in list_datasets() and os.path.isdir(name)  # noqa: PTH112
    if name is not None and (is_folder or out is not None):
        _tell_of_contents(name, data_root, out, as_json, strict)
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
            if value != "":
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


def _tell_of_contents(name: str, data_root: Path | None, out: Path | None, as_json: bool, strict: bool) -> None:
    """What is in a data set, and what in it cannot be used: all pictures are read to know."""
    from foveal.analysis.summary import save_summary, summarize
    from foveal.datasets import load_dataset

    data = load_dataset(name, data_root).readable()
    summary = summarize(data)
    files = save_summary(summary, out) if out else []
    if as_json:
        tell_json(summary.as_dict())
    else:
        tell(*_facts(summary.as_dict()), *summary.map_in_letters(), *map(str, files))
    tell_problems(data.problems, strict=strict)


def _facts(facts: dict[str, Any]) -> Iterator[str]:
    """A line for each thing that is known."""
    sizes, ppd = facts["sizes"], facts["pixels per degree"]
    yield from (f"{key}: {facts[key]}" for key in ("name", "images", "images with fixations", "observers", "fixations"))
    yield from (f"{key}: {_spread(facts[key])}" for key in ("fixations by image", "fixations by observer"))
    sizes_told = ", ".join(f"{size['width']} x {size['height']} px ({size['images']} images)" for size in sizes[:SIZES])
    yield f"sizes: {sizes_told}{f' and {len(sizes) - SIZES} others' if len(sizes) > SIZES else ''}"
    scales = [f"{value:.3g}" for value in ppd or ()]
    assumed = " (assumed)" if facts["pixels per degree assumed"] else ""
    yield f"pixels per degree: {' to '.join(dict.fromkeys(scales)) or 'unknown'}{assumed}"
    yield f"durations: {_spread(facts['durations in ms'], ' ms')}; {facts['unknown durations']} unknown"
    yield f"first fixations within 1 degree of the center: {_percent(facts['first fixations at the center'])}"
    yield f"area within 1 degree of a fixation: {_percent(facts['coverage'])}"
    bias = facts["center bias in bit"]
    yield f"center bias: {'unknown' if bias is None else f'{bias:.2f} bit per fixation above uniform'}"
    yield from (f"{key}: {facts[key]}" for key in ("licence", "citation"))
    yield from facts["missing"]


def _spread(values: dict[str, float] | None, unit: str = "") -> str:
    return f"median {values['median']:g}{unit} ({values['min']:g} to {values['max']:g})" if values else "unknown"


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"
