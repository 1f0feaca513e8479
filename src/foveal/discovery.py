"""Adding a model, a metric or a data set is adding a file: what lies in a package is imported, and so registers itself.

Another distribution adds its own by an entry point whose group is called like the package, such as "foveal.metrics".
"""

import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.abc import InspectLoader
from importlib.metadata import entry_points
from importlib.util import find_spec
from pkgutil import walk_packages

from foveal.errors import FovealNote, first_line


@cache
def import_all(package: str, word: str = "") -> None:
    """Import every module of a package whose source has this word in it, and those that entry points name, once."""
    for module, _ in sources(package, word):
        import_module(module)
    import_entry_points(package)


def sources(package: str, word: str = "") -> Iterator[tuple[str, str | None]]:
    """Name and source of every module of a package, and of the packages in it, whose source has this word in it.

    The source is None where it is not there to be read.
    """
    for module in walk_packages(import_module(package).__path__, prefix=f"{package}."):
        spec = find_spec(module.name)
        loader = spec and spec.loader
        source = loader.get_source(module.name) if isinstance(loader, InspectLoader) else None
        if source is None or word in source:
            yield module.name, source


def import_entry_points(package: str) -> None:
    """Import what other distributions add to a package; what cannot be imported is left out, with a note."""
    for entry_point in entry_points(group=package):
        try:
            entry_point.load()
        except Exception as error:  # whatever somebody else's code makes Python say
            note = (
                f"entry point {entry_point.name!r} of {package} is left out: {entry_point.value} ({first_line(error)})"
            )
            warnings.warn(note, FovealNote, stacklevel=4)
