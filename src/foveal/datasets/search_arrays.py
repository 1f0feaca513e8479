"""Search arrays: a target among distractors, generated, with the masks of what is drawn.

A target that differs in one basic feature pops out: it is found at once, however many distractors there are (Treisman &
Gelade 1980, *Cognitive Psychology* 12; Wolfe & Horowitz 2004, *Nature Reviews Neuroscience* 5). A conjunction of two
features does not. He et al. (CVPR 2019, section 7) use 80 such arrays to compare models of saliency.
"""

from dataclasses import replace
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import model_validator
from pydantic.dataclasses import dataclass

from foveal.datasets.search_features import FEATURES
from foveal.datasets.search_items import Look, coverage, filled
from foveal.errors import FovealError
from foveal.images import RGBImage
from foveal.settings import STRICT, Amount, Count, InOneLine, Positive, Whole

CLEARANCE = 2.0  # px between an item and the border of its cell, which anti-aliasing does not reach
SHARES = 1.0, 0.5, 0.25  # of a feature's largest difference, in the standard arrays
SEEDS_APART = 1000  # from a set of standard arrays to the next; each array of a set has a seed of its own
VERSION = 1  # goes up when the same settings are drawn another way
SET_SIZES = 12, 24, 48  # 3 x 4, 4 x 6 and 6 x 8 items
# The target has what distractors lack, or lacks what they have: one is easier to find for people.
ASYMMETRIC = "orientation", "size", "curvature", "intersection", "closure"


@dataclass(frozen=True, config=STRICT)
class SearchArraySettings(metaclass=InOneLine):
    """All that an array depends on.

    Attributes
    ----------
    feature
        What the target differs in: a name of `FEATURES`.
    difference
        Between target and distractors, in the feature's unit.
    set_size
        Number of items, the target among them.
    swapped
        The target looks as distractors do otherwise, and they as the target: a vertical bar among tilted ones.
    jitter
        How far an item's center is moved at most, across and down, px.
    item_size
        Of a usual item, px.
    background
        Its RGB, from 0 to 255.
    size
        Height and width of the picture, px.
    seed
        Of what is left to chance: places, hues, directions. The same seed gives the same array.

    Raises
    ------
    FovealError
        If a value is none that it could be. What does not fit into the picture is found when it is drawn.
    """

    feature: str
    difference: Positive
    set_size: Count = 24
    swapped: bool = False
    jitter: Amount = 6.0
    item_size: Positive = 36.0
    background: tuple[Whole, Whole, Whole] = (128, 128, 128)
    size: tuple[Count, Count] = (480, 640)
    seed: Whole = 0

    @model_validator(mode="after")
    def _check(self) -> "SearchArraySettings":
        if self.feature not in FEATURES:
            raise ValueError(f"feature: {self.feature!r} (needs one of {', '.join(FEATURES)})")
        of = FEATURES[self.feature]
        if self.difference > of.largest:
            raise ValueError(f"difference: {self.difference:g} ({self.feature} goes up to {of.largest:g} {of.unit})")
        if max(self.background) > 255:
            raise ValueError(f"background: {list(self.background)} (needs three numbers from 0 to 255)")
        if FEATURES[self.feature].conjoined and self.swapped:
            raise ValueError(f"swapped: a {self.feature} has distractors of two kinds, which cannot be the target")
        return self

    @property
    def name(self) -> str:
        """What an array is called; no two of `standard_arrays` alike."""
        swapped = "-swapped" if self.swapped else ""
        return f"{self.feature}{swapped}-{self.difference:g}-of-{self.set_size}-seed-{self.seed}"

    @property
    def share(self) -> float:
        """The difference as a share of the feature's largest."""
        return self.difference / FEATURES[self.feature].largest


@dataclass(frozen=True, eq=False, config={"arbitrary_types_allowed": True})
class SearchArray:
    """A picture of a target among distractors.

    Attributes
    ----------
    settings
        What it was made of.
    image
        The picture, RGB.
    items
        For every pixel the number of the item that it belongs to: 1 the target, 2 and up the distractors, 0 none. An
        item is what is drawn and what that encloses, such as the inside of a ring.
    centers
        (x, y) of the items' centers, px, the target's first.
    """

    settings: SearchArraySettings
    image: RGBImage
    items: Int[np.ndarray, "height width"]
    centers: Float[np.ndarray, "item 2"]

    @property
    def target(self) -> Bool[np.ndarray, "height width"]:
        """Which pixels are the target's."""
        return self.items == 1


def make_search_array(settings: SearchArraySettings) -> SearchArray:
    """Draw an array: items in the cells of a grid over the whole picture, the target in one that is drawn by chance.

    Raises
    ------
    FovealError
        If so many items do not fit into the picture.
    """
    chance = np.random.default_rng(settings.seed)
    looks = _looks(settings, chance)
    centers = _places(settings, max(look.reach for look in set(looks)), chance)
    turns = chance.integers(4, size=len(looks)) if FEATURES[settings.feature].turns else np.zeros(len(looks), int)
    background = np.array(settings.background, np.float64)
    picture = np.broadcast_to(background, (*settings.size, 3)).copy()
    items = np.zeros(settings.size, np.int32)
    for number, (look, center, turn) in enumerate(zip(looks, centers, turns, strict=True), start=1):
        turned = replace(look, tilt=look.tilt + 90.0 * int(turn))
        part, share = coverage(turned.outlines(), (float(center[0]), float(center[1])), settings.size)
        picture[part] += share[..., None] * (turned.color - background)
        items[part][filled(share > 0)] = number
    return SearchArray(settings, np.rint(picture).astype(np.uint8), items, centers)


def empty_array(settings: SearchArraySettings) -> RGBImage:
    """The picture of an array without its items."""
    return np.broadcast_to(np.array(settings.background, np.uint8), (*settings.size, 3)).copy()


def standard_arrays(seed: int = 0) -> list[SearchArraySettings]:
    """The arrays that models are compared on: 90, and 45 in which target and distractors are swapped.

    Every feature with three differences and three set sizes; the largest differences come first, so that the first few
    arrays show all features. Those with swapped roles come last; each has the same difference, set size and seed as
    one of the others. Arrays of two seeds share nothing.
    """
    every = list(product(SHARES, SET_SIZES, FEATURES))
    arrays = [
        SearchArraySettings(feature, share * FEATURES[feature].largest, set_size, seed=SEEDS_APART * seed + number)
        for number, (share, set_size, feature) in enumerate(every)
    ]
    return [*arrays, *(replace(array, swapped=True) for array in arrays if array.feature in ASYMMETRIC)]


def _looks(settings: SearchArraySettings, chance: np.random.Generator) -> list[Look]:
    """What the target and each distractor look like."""
    feature = FEATURES[settings.feature]
    plain = feature.distractor(settings.item_size)
    if plain.hue is not None:
        plain = replace(plain, hue=float(chance.uniform(0, 360)))
    changed = feature.changed(plain, settings.difference)
    n_distractors = settings.set_size - 1
    if feature.conjoined:
        kinds = [change(plain, settings.difference) for change in feature.conjoined]
        first = int(chance.integers(2))  # the kind of which there is one more, if they are odd
        return [changed, *(kinds[(number + first) % 2] for number in range(n_distractors))]
    target, distractor = (plain, changed) if settings.swapped else (changed, plain)
    return [target, *[distractor] * n_distractors]


def _places(settings: SearchArraySettings, reach: float, chance: np.random.Generator) -> Float[np.ndarray, "item 2"]:
    """Centers (x, y) of the items, the target's first."""
    height, width = settings.size
    side = 2 * (reach + settings.jitter + CLEARANCE)
    most_rows, most_columns = int(height // side), int(width // side)
    if settings.set_size > most_rows * most_columns:
        raise FovealError(
            f"set_size: {settings.set_size} items of {2 * reach:.0f} px with a jitter of {settings.jitter:g} px do not "
            f"fit into {width} x {height} px (at most {most_rows * most_columns})"
        )
    rows, columns = _grid(settings.set_size, settings.size, most_rows, most_columns)
    cells = chance.permutation(rows * columns)[: settings.set_size]
    centers = np.stack([(cells % columns + 0.5) * width / columns, (cells // columns + 0.5) * height / rows], axis=1)
    return centers - 0.5 + chance.uniform(-settings.jitter, settings.jitter, size=centers.shape)


def _grid(set_size: int, size: tuple[int, int], most_rows: int, most_columns: int) -> tuple[int, int]:
    """Rows and columns of a grid that holds so many items, with few empty cells, which are nearly squares.

    >>> _grid(24, (480, 640), 6, 8), _grid(48, (480, 640), 6, 8)
    ((4, 6), (6, 8))
    """
    grids = [(rows, -(-set_size // rows)) for rows in range(1, most_rows + 1)]
    possible = [(rows, columns) for rows, columns in grids if columns <= most_columns]

    def cost(grid: tuple[int, int]) -> float:
        rows, columns = grid
        stretch = abs(np.log((size[1] / columns) / (size[0] / rows)))
        return float(stretch + (rows * columns - set_size) / set_size)

    return min(possible, key=cost)
