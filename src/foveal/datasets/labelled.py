"""Labels that come with the package: what somebody saw in the photographs of a data set."""

import csv
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from foveal.errors import FovealError


@cache
def scenes_of(name: str) -> MappingProxyType[str, str]:
    """The kind of scene of each photograph of a data set, by its id.

    Those of OSIE come with the package: 21 kinds, labelled for this project.

    Raises
    ------
    FovealError
        If no labels of such a data set come with the package.
    """
    labels = labels_of(name, "scenes")
    rows = csv.DictReader(labels.read_text(encoding="utf-8").splitlines())
    return MappingProxyType({row["image"]: row["scene"] for row in rows})


def has_labels(name: str, what: str) -> bool:
    """Do the "regions" or the "scenes" of a data set come with the package?"""
    return name in _tables(what)


def labels_of(name: str, what: str) -> Traversable:
    """The table with the labels of a data set: its "regions" or its "scenes".

    Raises
    ------
    FovealError
        If no such labels of such a data set come with the package.
    """
    tables = _tables(what)
    if name not in tables:
        raise FovealError(f"{name}: no {what} of this data set come with Foveal (known: {', '.join(sorted(tables))})")
    return tables[name]


def _tables(what: str) -> dict[str, Traversable]:
    folders = resources.files("foveal.datasets").joinpath("labels").iterdir()
    return {folder.name: table for folder in folders if (table := folder.joinpath(f"{what}.csv")).is_file()}
