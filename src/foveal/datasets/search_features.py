"""What a target of a search array can differ in, and by how much."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from foveal.datasets.search_items import Look

THIN = 0.18  # of an item's size: width of its lines


@dataclass(frozen=True)
class Feature:
    """One way to stand out.

    Attributes
    ----------
    unit
        Of the difference between the target and the distractors.
    largest
        The largest difference.
    distractor
        What a distractor looks like, of an item's size in px. If it has a hue, that is drawn by chance.
    changed
        What it looks like with a difference.
    conjoined
        Of a conjunction, the two changes that the target has both; each distractor has one of them.
    turns
        Are items turned by chance, by quarters?
    """

    unit: str
    largest: float
    distractor: Callable[[float], Look]
    changed: Callable[[Look, float], Look]
    conjoined: tuple[Callable[[Look, float], Look], Callable[[Look, float], Look]] | None = None
    turns: bool = False


def _bar(size: float) -> Look:
    return Look("bar", size, THIN * size)


def _gray_disc(share: float, lightness: float = 85.0) -> Callable[[float], Look]:
    return lambda size: Look("disc", share * size, THIN * size, lightness=lightness)


def _colored_bar(size: float) -> Look:
    return replace(_bar(size), lightness=65.0, hue=0.0)


def _colored_disc(size: float) -> Look:
    return Look("disc", 0.8 * size, THIN * size, lightness=65.0, hue=0.0)


def _hue(look: Look, degrees: float) -> Look:
    return replace(look, hue=(look.hue or 0.0) + degrees)


def _tilt(look: Look, degrees: float) -> Look:
    return replace(look, tilt=look.tilt + degrees)


FEATURES: Mapping[str, Feature] = {
    "color": Feature("degrees of hue", 180.0, _colored_disc, _hue),
    "orientation": Feature("degrees", 90.0, _bar, _tilt),
    "size": Feature(
        "octaves of diameter", 1.0, _gray_disc(0.65), lambda look, octaves: replace(look, size=look.size * 2**octaves)
    ),
    "luminance": Feature(
        "L*", 35.0, _gray_disc(0.8, 65.0), lambda look, more: replace(look, lightness=look.lightness + more)
    ),
    "curvature": Feature(
        "degrees that the line turns",
        180.0,
        lambda size: Look("arc", 1.1 * size, 0.14 * size),
        lambda look, degrees: replace(look, bend=degrees),
    ),
    "density": Feature(
        "octaves of dots an area",
        2.0,
        lambda size: Look("dots", 1.1 * size, 0.09 * size, spacing=0.28 * size),
        # The area of a dot's cell is its spacing's square.
        lambda look, octaves: replace(look, spacing=look.spacing * 2 ** (-octaves / 2)),
    ),
    "intersection": Feature(
        "share of the way from an L to a plus",
        1.0,
        lambda size: Look("cross", 0.85 * size, 0.14 * size),
        lambda look, share: replace(look, crossing=share),
        turns=True,
    ),
    "closure": Feature(
        "degrees of a ring's gap",
        90.0,
        lambda size: Look("ring", 0.85 * size, 0.14 * size),
        lambda look, degrees: replace(look, gap=degrees),
        turns=True,
    ),
    "shape": Feature(
        "share of the way from a disc to a square",
        1.0,
        _gray_disc(0.8),
        lambda look, share: replace(look, squareness=share),
    ),
    "conjunction": Feature(
        "share of 180 degrees of hue and of 90 degrees of orientation",
        1.0,
        _colored_bar,
        lambda look, share: _tilt(_hue(look, 180 * share), 90 * share),
        (lambda look, share: _hue(look, 180 * share), lambda look, share: _tilt(look, 90 * share)),
    ),
}
