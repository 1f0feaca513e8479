"""At what sizes a network sees a picture: as shares of the picture, and in degrees of the observer's field of view.

What is large on a screen counts by both: a face is looked at because it fills much of the picture, and because it is
many degrees wide (Kümmerer, Khanuja & Bethge 2025, "Modeling saliency dataset bias", arXiv:2505.10169).
"""

from dataclasses import dataclass
from functools import lru_cache

TYPICAL_AREA = 33.3 * 25  # square degrees that a picture is taken to fill if nobody says how it was seen
TYPICAL_FIELD = "33 by 25 degrees of visual angle"  # in words
SMALLEST_SIDE = 64  # px
LARGEST_AREA = 1_500_000  # px; a picture that is said to fill much more of the eye's field is not enlarged further


@dataclass(frozen=True)
class Viewing:
    """How a picture is seen.

    Attributes
    ----------
    pixels_per_degree
        Of visual angle, of the picture's own px; None where nobody knows.
    zoom
        By how much larger than usual the network sees it.
    """

    pixels_per_degree: float | None = None
    zoom: float = 1.0


USUAL = Viewing()


@dataclass(frozen=True)
class Size:
    """One size at which a network sees pictures.

    Attributes
    ----------
    share
        Of the side of the usual working image.
    in_degrees
        Is this size kept in degrees? Then a picture that fills more of the field of view is seen larger; else every
        picture is brought to one area.
    """

    share: float
    in_degrees: bool = False

    def working_size(self, size: tuple[int, int], viewing: Viewing, working_area: int) -> tuple[int, int]:
        """Height and width at which a picture of this (height, width) is seen."""
        return _size(self, size, viewing, working_area)

    def times(self, share: float) -> "Size":
        """A size that is so much larger."""
        return Size(self.share * share, self.in_degrees)


WHOLE = Size(1.0)  # the usual working image


def typical_pixels_per_degree(size: tuple[int, int]) -> float:
    """Scale of a picture of this (height, width), if it fills as much of the field of view as is typical.

    >>> round(typical_pixels_per_degree((600, 800)), 1)
    24.0
    """
    return float((size[0] * size[1] / TYPICAL_AREA) ** 0.5)


@dataclass(frozen=True)
class SeenScale:
    """At what scale a model took a photograph to be seen.

    Attributes
    ----------
    pixels_per_degree
        Of visual angle.
    is_assumed
        Did nobody say it?
    """

    pixels_per_degree: float
    is_assumed: bool

    @classmethod
    def of(cls, size: tuple[int, int], pixels_per_degree: float | None) -> "SeenScale":
        """Of a photograph of this (height, width), as it is said, or else as is typical."""
        if pixels_per_degree is None:
            return cls(typical_pixels_per_degree(size), is_assumed=True)
        return cls(pixels_per_degree, is_assumed=False)


@lru_cache(maxsize=4096)  # a network asks for the same at every picture of a size
def _size(size_seen: Size, size: tuple[int, int], viewing: Viewing, working_area: int) -> tuple[int, int]:
    area = size[0] * size[1]
    whole = (working_area / area) ** 0.5
    scale = size_seen.share * viewing.zoom * whole
    if size_seen.in_degrees and viewing.pixels_per_degree is not None:
        scale *= typical_pixels_per_degree(size) / viewing.pixels_per_degree
        scale = min(scale, (LARGEST_AREA / area) ** 0.5)
    # A small picture is seen larger, in its own shape; only if it is very long, its shorter side alone.
    scale = max(scale, min(SMALLEST_SIDE / min(size), whole))
    return max(SMALLEST_SIDE, round(size[0] * scale)), max(SMALLEST_SIDE, round(size[1] * scale))
