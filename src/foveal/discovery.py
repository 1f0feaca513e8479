"""Adding a model, a metric or a data set is adding a file: what lies in a package is imported, and so registers itself.

Another distribution adds its own by an entry point whose group is called like the package, such as "foveal.metrics".
"""

import warnings
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import walk_packages

from foveal.errors import FovealNote, first_line


@cache
def import_all(package: str) -> None:
    """Import every module of a package and of the packages in it, and those that entry points name, once.

    What another distribution names and cannot be imported is left out, with a note.
    """
    for module in walk_packages(import_module(package).__path__, prefix=f"{package}."):
        import_module(module.name)
    for entry_point in entry_points(group=package):
        try:
            entry_point.load()
        except Exception as error:  # whatever somebody else's code makes Python say
            note = (
                f"entry point {entry_point.name!r} of {package} is left out: {entry_point.value} ({first_line(error)})"
            )
            warnings.warn(note, FovealNote, stacklevel=3)
