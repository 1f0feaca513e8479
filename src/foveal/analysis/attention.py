"""What share of people's attention the regions of a picture get, and where its attention is.

A share is the probability that a fixation lands in the region: the density of the model, summed over its pixels.
"""

import csv
import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Int

from foveal.analysis.being_seen import Seen, being_seen
from foveal.datasets.json_file import read_json
from foveal.datasets.picture_regions import PictureRegion
from foveal.errors import FovealError
from foveal.figures.labels import percent
from foveal.figures.levels import SMALLEST_HOTSPOT, in_hotspots
from foveal.files import write_atomically
from foveal.models.prediction import Prediction

SCHEMA = "foveal.attention/1"
FIXATIONS = (1, 3, 5, 10)  # by how many fixations a region was seen
WORTH_A_WIN = 0.1  # of the larger share
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class RegionAttention:
    """What one region gets.

    Attributes
    ----------
    name
        What it is called.
    share
        Probability that a fixation lands in it, from 0 to 1.
    area
        Its share of the picture's pixels.
    per_area
        `share` over `area`: 1 where the picture gives the same to all its parts.
    rank
        1 for the region with the largest share.
    peak
        Column and row of its most probable pixel.
    seen
        By numbers of fixations, the share of observers who look at it within so many (see `being_seen`).
    """

    name: str
    share: float
    area: float
    per_area: float
    rank: int
    peak: tuple[int, int]
    seen: Mapping[int, Seen]


@dataclass(frozen=True)
class PictureAttention:
    """Where the attention of a picture is.

    Attributes
    ----------
    half_in
        Half of the attention is in this share of the picture: the smaller, the more focused.
    focus
        By how many bits the density is sharper than one that is the same everywhere.
    more_focused_than
        Share of photographs whose focus is lower, by the default model; None of other models.
    center_pull
        How much nearer to the middle a fixation is than a random point: 0 as near, 1 all in the middle.
    hotspots
        Number of connected places of the half that hold a hundredth of the attention or more.
    peak
        Column and row of the most probable pixel.
    """

    half_in: float
    focus: float
    more_focused_than: float | None
    center_pull: float
    hotspots: int
    peak: tuple[int, int]

    @property
    def in_words(self) -> str:
        """A sentence or two that a person understands."""
        places = "one place" if self.hotspots == 1 else f"{self.hotspots} places"
        sentence = f"Half of the attention is on {percent(round(self.half_in, 2))} of the picture, in {places}."
        if self.more_focused_than is not None:
            sentence += f" It is more focused than in {percent(round(self.more_focused_than, 2))} of photographs."
        return sentence


@dataclass(frozen=True, eq=False)
class Attention:
    """Regions of a picture, and the picture.

    Attributes
    ----------
    picture, width, height
        What it is called, and its size in px.
    model
        Whose density it is.
    regions
        In the order in which they were given.
    whole
        Where the attention is.
    """

    picture: str
    width: int
    height: int
    model: str
    regions: tuple[RegionAttention, ...]
    whole: PictureAttention

    def to_dict(self) -> dict[str, Any]:
        """As JSON says it, of the version `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "picture": self.picture,
            "width": self.width,
            "height": self.height,
            "model": self.model,
            "whole": asdict(self.whole),
            "regions": [asdict(region) for region in self.regions],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a .json file, or a .csv with a row a region, whose names are as `spreadsheet_text` makes them.

        Raises
        ------
        FovealError
            If the path has another ending, or cannot be written to.
        """
        path = Path(path)
        if path.suffix not in (".json", ".csv"):
            raise FovealError(f"{path}: attention is written as .json or .csv")
        with write_atomically(path) as temporary:
            temporary.write_text(self.to_text(path.suffix[1:]), encoding="utf-8", newline="")

    def to_text(self, kind: str) -> str:
        """What a file holds, "json" or "csv"; a CSV has a row a region."""
        if kind == "json":
            return json.dumps(self.to_dict(), indent=2) + "\n"
        text = StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(self.rows())
        return text.getvalue()

    def rows(self) -> list[list[Any]]:
        """What a .csv says: the names of the columns, and a row a region."""
        numbers = self.regions[0].seen if self.regions else FIXATIONS
        head = ["picture", "name", "share", "area", "per_area", "rank", "peak_x", "peak_y"]
        rows = [
            [
                *map(spreadsheet_text, (self.picture, region.name)),
                region.share,
                region.area,
                region.per_area,
                region.rank,
                *region.peak,
            ]
            + [value for seen in region.seen.values() for value in (seen.probability, seen.low, seen.high)]
            for region in self.regions
        ]
        rows = [[f"{value:.6g}" if isinstance(value, float) else value for value in row] for row in rows]
        return [head + [f"seen_{n}{end}" for n in numbers for end in ("", "_low", "_high")], *rows]


def spreadsheet_text(text: str) -> str:
    """A text for a table, with an apostrophe before what a spreadsheet would compute: names come from anywhere.

    >>> spreadsheet_text("=1+1"), spreadsheet_text("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text


def attention(
    prediction: Prediction,
    regions: Sequence[PictureRegion] = (),
    fixations: Sequence[int] = FIXATIONS,
    *,
    whole: PictureAttention | None = None,
) -> Attention:
    """What the regions of a picture get of the attention that a model predicts.

    Parameters
    ----------
    prediction
        Of the picture.
    regions
        Parts of it; they may overlap.
    fixations
        Numbers of fixations within which the regions may be seen.
    whole
        Where the attention of the picture is, if that is known already.

    Raises
    ------
    FovealError
        If a region has no pixel in the picture, or two have the same name.
    """
    density = exact_density(prediction)
    if repeated := [name for name, times in Counter(region.name for region in regions).items() if times > 1]:
        raise FovealError(f"{prediction.name}: two regions are called {repeated[0]!r}")
    pixels = [np.ravel_multi_index(region.pixels(density.shape), density.shape) for region in regions]
    found = [_of_region(inside, density) for inside in pixels]
    shares, areas = (np.array([of_one[column] for of_one in found], dtype=np.float64) for column in (0, 1))
    seen = being_seen(shares, areas, fixations, nested(pixels, density.shape))
    rank = {int(place): number for number, place in enumerate(np.argsort(-shares, kind="stable"), 1)}
    height, width = density.shape
    return Attention(
        prediction.name,
        width,
        height,
        prediction.model,
        tuple(
            RegionAttention(region.name, share, area, share / area, rank[place], peak, seen[place])
            for place, (region, (share, area, peak)) in enumerate(zip(regions, found, strict=True))
        ),
        whole or of_picture(density, prediction.model),
    )


def exact_density(prediction: Prediction) -> Float[np.ndarray, "height width"]:
    """The density in float64: sums over many pixels keep their digits."""
    return np.exp(prediction.log_density.astype(np.float64))


def _of_region(
    pixels: Int[np.ndarray, " pixel"], density: Float[np.ndarray, "height width"]
) -> tuple[float, float, tuple[int, int]]:
    """Share, share of the area, and peak."""
    inside = density.ravel()[pixels]
    row, column = divmod(int(pixels[inside.argmax()]), density.shape[1])
    share = min(1.0, float(inside.sum()))  # the sum of all pixels is 1 up to rounding
    return share, len(pixels) / density.size, (column, row)


def nested(pixels: Sequence[Int[np.ndarray, "..."]], size: tuple[int, int]) -> list[Int[np.ndarray, "..."]]:
    """Of each region, given by its pixels' numbers row by row, the numbers of the others whose pixels are all in it.

    >>> [inside.tolist() for inside in nested([np.array([0, 1, 2]), np.array([1]), np.array([2, 3])], (1, 4))]
    [[1], [], []]
    """
    if not pixels:
        return []
    lengths = np.array([len(of_one) for of_one in pixels])
    # The first and last pixels, and the outermost columns, tell of most pairs that neither lies in the other.
    first, last = (np.array([of_one[end] for of_one in pixels]) for end in (0, -1))
    rightmost = np.array([of_one[(of_one % size[1]).argmax()] for of_one in pixels])
    inside: list[set[int]] = [set() for _ in pixels]
    is_outer = np.zeros(size[0] * size[1], dtype=bool)
    smallest_first = np.argsort(lengths, kind="stable").tolist()
    for place, outer in enumerate(smallest_first):
        is_outer[pixels[outer]] = True
        may = is_outer[first] & is_outer[last] & is_outer[rightmost]
        for inner in reversed(smallest_first[:place]):  # what lies in a larger one needs no look
            if may[inner] and inner not in inside[outer] and is_outer[pixels[inner]].all():
                inside[outer] |= {inner} | inside[inner]
        for inner in inside[outer]:
            if lengths[inner] == lengths[outer]:  # the same pixels
                inside[inner].add(outer)
        is_outer[pixels[outer]] = False
    return [np.array(sorted(numbers), dtype=np.int64) for numbers in inside]


def of_picture(density: Float[np.ndarray, "height width"], model: str = "") -> PictureAttention:
    """Where the attention of a picture is, of its density, which sums to one, by the model of this name."""
    row, column = np.unravel_index(int(density.argmax()), density.shape)
    in_half = in_hotspots(density.astype(np.float32))  # which is what sorts fast
    _, spots = cv2.connectedComponents(in_half.astype(np.uint8))
    shares = np.bincount(spots.ravel(), weights=density.ravel())[1:]
    entropy = -float((density * np.log2(density, where=density > 0, out=np.zeros_like(density))).sum())
    y, x = ((np.arange(side) - (side - 1) / 2) / max(density.shape) for side in density.shape)
    distance = np.hypot(y[:, None], x[None])
    focus = math.log2(density.size) - entropy
    return PictureAttention(
        half_in=float(in_half.mean()),
        focus=focus,
        more_focused_than=more_focused_than(focus, model),
        center_pull=1 - float((density * distance).sum() / distance.mean()) if density.size > 1 else 0.0,
        hotspots=int((shares >= SMALLEST_HOTSPOT).sum()),
        peak=(int(column), int(row)),
    )


@dataclass(frozen=True)
class Compared:
    """One region in two pictures.

    Attributes
    ----------
    name
        What it is called in both.
    a, b
        Its shares.
    """

    name: str
    a: float
    b: float

    @property
    def difference(self) -> float:
        """How much more the first picture gives to it."""
        return self.a - self.b

    @property
    def winner(self) -> str:
        """Which picture gives more to it, by a tenth at least: A, B or neither."""
        if abs(self.difference) < WORTH_A_WIN * max(self.a, self.b):
            return "neither"
        return "A" if self.difference > 0 else "B"


def compared(first: Attention, second: Attention) -> list[Compared]:
    """The regions that two pictures have both, by their names, in the order of the first.

    Raises
    ------
    FovealError
        If both have regions, and none in common.
    """
    shares = {region.name: region.share for region in second.regions}
    found = [
        Compared(region.name, region.share, shares[region.name]) for region in first.regions if region.name in shares
    ]
    if first.regions and shares and not found:
        raise FovealError(f"{first.picture} and {second.picture}: no region has the same name in both")
    return found


def too_low(found: Attention | Sequence[Attention], limits: Mapping[str, float]) -> list[str]:
    """One line for each region that gets less than its limit.

    Parameters
    ----------
    found
        A picture, or the screens of a page. On several screens, the largest share of a name counts.
    limits
        Shares by names of regions.

    Raises
    ------
    FovealError
        If there is no region of such a name.
    """
    screens = [found] if isinstance(found, Attention) else found
    largest: dict[str, tuple[float, str]] = {}
    for screen in screens:
        for name, share in _shares(screen).items():
            largest[name] = max(largest.get(name, (share, screen.picture)), (share, screen.picture))
    if unknown := [name for name in limits if name not in largest]:
        pictures = ", ".join(screen.picture for screen in screens)
        raise FovealError(f"{pictures}: no region {unknown[0]!r} (has {', '.join(largest) or 'none'})")
    return [
        f"{picture}: {name} gets {share:.3f} of the attention, less than {limit:g}"
        for name, limit in limits.items()
        for share, picture in [largest[name]]
        if share < limit
    ]


def fallen(found: Attention, before: Mapping[str, float], max_drop: float) -> list[str]:
    """One line for each region whose share fell by more than `max_drop` since `before`, or that is gone."""
    shares = _shares(found)
    lines = [f"{found.picture}: {name} is gone since the baseline" for name in before if name not in shares]
    return lines + [
        f"{found.picture}: {name} fell from {before[name]:.3f} to {share:.3f}, by more than {max_drop:g}"
        for name, share in shares.items()
        if before.get(name, share) - share > max_drop
    ]


def read_shares(path: str | os.PathLike[str], model: str) -> dict[str, float]:
    """The shares of a file that `Attention.save` wrote as .json, by region.

    Raises
    ------
    FovealError
        If it cannot be read, is another kind of file or of another version, or its shares are of another model.
    """
    path = Path(path)
    if not path.is_file():
        raise FovealError(f"{path}: no such file")
    content = read_json(path)
    none = FovealError(f"{path}: no attention of regions, as `foveal attention` writes it")
    if not isinstance(content, dict) or "schema" not in content:
        raise none
    for name, needed in (("schema", SCHEMA), ("model", model)):
        if content.get(name) != needed:
            raise FovealError(f"{path}: {name} {content.get(name)}, not {needed}")
    try:
        shares = {str(region["name"]): float(region["share"]) for region in content["regions"]}
    except (KeyError, TypeError, ValueError):
        raise none from None
    if not all(0 <= share <= 1 for share in shares.values()):
        raise none
    return shares


def _shares(found: Attention) -> dict[str, float]:
    return {region.name: region.share for region in found.regions}


def more_focused_than(focus: float, model: str) -> float | None:
    """Share of photographs whose focus is lower; None of a model that was not measured (benchmarks/focus.py)."""
    measured = json.loads(resources.files("foveal.analysis").joinpath("focus.json").read_text(encoding="utf-8"))
    if model != measured["model"]:
        return None
    return float(np.interp(focus, measured["percentiles"], np.linspace(0, 1, len(measured["percentiles"]))))
