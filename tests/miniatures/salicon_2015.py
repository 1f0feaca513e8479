"""SALICON's release of 2015 is laid out as that of 2017."""

from miniatures.salicon_2017 import write

__all__ = ["write"]
