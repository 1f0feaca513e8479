"""The catalogue: which data sets there are, where they lie, and how one is loaded."""

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from foveal.discovery import import_all
from foveal.errors import FovealError, RowsLeftOut
from foveal.files import cache_folder
from foveal.gaze import Dataset, Fixations, Heads, Stimuli
from foveal.paths import path_of
from foveal.registry import Registry, no_such

ROOT_VARIABLE = "FOVEAL_DATA"

Gaze = Literal["by observer", "by observer, numbered anew in each image", "of all observers together", "not public"]


@dataclass(frozen=True)
class DatasetCard:
    """What is known of a data set before it is loaded.

    Attributes
    ----------
    name, title
        Its registered name, and what its authors call it.
    images, observers
        How many photographs, and how many people looked at each.
    licence, citation, url
        What one may do with it, whom to cite, where its authors publish it.
    pixels_per_degree
        Scale of the photographs as they were shown; None where it differs from image to image.
    how_to_get
        What to put where, one or two sentences.
    found_by
        Files or folders below the data set's folder, one of which is there if the data set is.
    gaze
        What is published of where people looked. Observers "numbered anew in each image" can be told from each other
        in one image, and have no identity beyond it.
    facts
        What one should know before using it, one or two sentences.
    """

    name: str
    title: str
    images: int
    observers: int
    licence: str
    citation: str
    url: str
    pixels_per_degree: float | None
    how_to_get: str
    found_by: tuple[str, ...]
    gaze: Gaze = "by observer"
    facts: str = ""


@dataclass(frozen=True)
class Contents:
    """What a reader of a published layout returns; the card has the rest.

    `notes` are lines on fixations that had to be left out, `problems` on pictures.
    """

    stimuli: Stimuli
    fixations: Fixations
    splits: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    heads: tuple[Heads, ...] = ()
    problems: tuple[str, ...] = ()


Reader = Callable[[Path], Contents]
_DATASETS = Registry[tuple[DatasetCard, Reader]]("data set")


def register_dataset(card: DatasetCard) -> Callable[[Reader], Reader]:
    """Enter a data set into the catalogue; the decorated function reads its folder.

    Raises
    ------
    FovealError
        If another data set has the name.
    """

    def register(reader: Reader) -> Reader:
        _DATASETS.add(card.name, (card, reader), of=reader)
        return reader

    return register


def list_datasets() -> list[str]:
    """Names of all data sets in the catalogue."""
    return [card.name for card in dataset_cards()]


def dataset_cards() -> list[DatasetCard]:
    """The cards of all data sets, sorted by name."""
    import_all("foveal.datasets", "register_dataset")
    return sorted((card for card, _ in _DATASETS.values()), key=lambda card: card.name)


def dataset_card(name: str) -> DatasetCard:
    """The card of one data set.

    Raises
    ------
    FovealError
        If the catalogue has none of that name.
    """
    import_all("foveal.datasets", "register_dataset")
    if name not in _DATASETS:
        raise FovealError(
            no_such("data set", name, list_datasets(), also="or a folder, of which none is called so here")
        )
    return _DATASETS.get(name)[0]


def default_root() -> Path:
    """Where data sets are looked for: $FOVEAL_DATA, else the user's cache folder."""
    return Path(os.environ.get(ROOT_VARIABLE) or cache_folder(ROOT_VARIABLE) / "data")


def is_found(name: str, root: str | os.PathLike[str] | None = None) -> bool:
    """Does this data set lie where it would be looked for?"""
    folder = Path(root or default_root()) / name
    return any((folder / place).exists() for place in dataset_card(name).found_by)


def load_dataset(name: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> Dataset:
    """Load a data set of the catalogue from `root`/`name`, or a folder of one's own.

    Parameters
    ----------
    name
        One of `list_datasets()`, or the path of a folder laid out as `load_folder` says.
    root
        The folder that holds the data sets of the catalogue; $FOVEAL_DATA or the user's cache folder by default.

    Raises
    ------
    FovealError
        If there is no such data set, or its files are not where they should be or not what they should be.
    """
    import_all("foveal.datasets", "register_dataset")
    path_of(name, "data set")
    name = os.fspath(name)
    if root is not None:
        path_of(root, "folder of data sets")
    if name not in _DATASETS:
        if os.path.isdir(name):  # noqa: PTH112 (Path.is_dir raises where a name is too long, or may not be looked up)
            from foveal.datasets.folder import load_folder  # pandas and pyarrow are not for who lists data sets

            return load_folder(name)
        if os.sep in name:
            raise FovealError(f"{name}: no such folder")
    card = dataset_card(name)
    reader = _DATASETS.get(name)[1]
    folder = Path(root or default_root()) / name
    try:
        contents = reader(folder)
    except FileNotFoundError as error:
        missing = os.path.relpath(str(error.filename), folder)
        raise FovealError(
            f"{name}: no {missing} under {folder} "
            f"(set --data-root or {ROOT_VARIABLE}; foveal datasets {name} says how to get it)"
        ) from None
    except FovealError as error:
        if str(folder) in str(error):
            raise
        raise FovealError(f"{name}: {folder}: {error}") from error
    except Exception as error:  # a layout that only looks like the published one can break a reader anywhere
        raise FovealError(f"{name}: the files under {folder} are not laid out as published ({error!r})") from error
    for note in contents.notes:
        warnings.warn(note, RowsLeftOut, stacklevel=2)
    fixations = contents.fixations.inside(contents.stimuli.sizes)
    return Dataset(
        name,
        contents.stimuli,
        fixations,
        licence=card.licence,
        citation=card.citation,
        splits=contents.splits,
        categories=contents.categories,
        heads=contents.heads,
        notes=contents.notes,
        problems=contents.problems,
    )
