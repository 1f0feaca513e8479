"""Adding a model or a data set is adding a file: whatever lies in a package is imported, and so registers itself."""

from functools import cache
from importlib import import_module
from pkgutil import walk_packages


@cache
def import_all(package: str) -> None:
    """Import every module of a package and of the packages in it, once."""
    for module in walk_packages(import_module(package).__path__, prefix=f"{package}."):
        import_module(module.name)
