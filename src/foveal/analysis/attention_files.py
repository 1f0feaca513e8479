"""`foveal attention`: from files of pictures and regions to files of what the regions get."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from foveal.analysis.attention import Attention, Compared, RegionAttention, attention
from foveal.datasets.picture_regions import PictureRegion, read_picture_regions
from foveal.figures import overlay
from foveal.figures.labels import font_of, percent
from foveal.files import make_writable_folder, write_atomically
from foveal.images import RGBImage, encode_png
from foveal.models.base import SaliencyModel
from foveal.models.prediction import Prediction

MORE, LESS = (255, 110, 20), (30, 110, 255)  # orange and blue, which the color-blind tell apart
SMALLEST_LABELLED = 0.01  # share
STRONGEST = 0.85  # opacity of the largest difference
LEGEND = 32  # px of its height
MOST_PIXELS = 2**20  # that a difference is drawn with

Pictured = tuple[Prediction, tuple[PictureRegion, ...], Attention]


def attention_of(
    image: str | os.PathLike[str],
    model: SaliencyModel,
    regions: str | os.PathLike[str] | None = None,
    pixels_per_degree: float | None = None,
) -> Pictured:
    """The prediction of a picture, its regions, and what they get.

    Raises
    ------
    FovealError
        If something cannot be read, or a region has no pixel in the picture.
    """
    named = read_picture_regions(regions, image) if regions is not None else ()
    prediction = model.predict(image, pixels_per_degree)
    return prediction, named, attention(prediction, named)


def write_attention(
    prediction: Prediction, regions: Sequence[PictureRegion], found: Attention, out: str | os.PathLike[str]
) -> list[Path]:
    """Write `<name>.attention.json`, `.csv` (if there are regions) and `.png` into the folder `out`; their paths."""
    begun = make_writable_folder(out) / f"{prediction.name}.attention"
    files = [begun.with_name(f"{begun.name}{ending}") for ending in (".json", ".csv")[: 2 if regions else 1]]
    for path in files:
        found.save(path)
    outlines = [(_label(of_one), region.polygons) for region, of_one in zip(regions, found.regions, strict=True)]
    style = "heatmap" if regions else "heatmap+hotspots"
    picture = begun.with_name(f"{begun.name}.png")
    with write_atomically(picture) as temporary:
        temporary.write_bytes(
            encode_png(overlay(prediction.image, prediction.log_density, style=style, outlines=outlines))
        )
    return [*files, picture]


def _label(region: RegionAttention) -> str:
    """Share and name of a region that gets a share worth reading."""
    return f"{percent(round(region.share, 2))} {region.name}" if region.share >= SMALLEST_LABELLED else ""


def write_comparison(
    first: Prediction, second: Prediction, rows: Sequence[Compared], out: str | os.PathLike[str]
) -> list[Path]:
    """Write `against.csv` (if there are regions) and `against.png`, the difference map, into `out`; their paths."""
    folder = make_writable_folder(out)
    picture, table = folder / "against.png", folder / "against.csv"
    with write_atomically(picture) as temporary:
        temporary.write_bytes(encode_png(difference_map(first, second)))
    if not rows:
        return [picture]
    with write_atomically(table) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "a", "b", "difference", "winner"])
        writer.writerows([row.name, row.a, row.b, row.difference, row.winner] for row in rows)
    return [table, picture]


def difference_map(first: Prediction, second: Prediction) -> RGBImage:
    """Over the first picture in gray: orange where it gets more attention than the second, blue where less; a legend.

    The color is full where one gets the density of the higher of the two peaks, and the other nothing. The second is
    stretched to the size of the first.
    """
    height, width = first.log_density.shape
    scale = min(1.0, (MOST_PIXELS / (height * width)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    a, b = (cv2.resize(one.density, size, interpolation=cv2.INTER_AREA) for one in (first, second))
    a, b = a / a.sum(), b / b.sum()
    difference = a - b
    strength = STRONGEST * np.sqrt(np.abs(difference) / max(a.max(), b.max()))[..., None]
    gray = cv2.cvtColor(cv2.resize(first.image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    below = np.repeat(gray[..., None].astype(np.float32), 3, axis=2)
    color = np.where(difference[..., None] > 0, np.array(MORE, np.float32), np.array(LESS, np.float32))
    drawn = np.rint(below + strength * (color - below)).astype(np.uint8)
    return np.vstack([drawn, _legend(drawn.shape[1], ((first.name, MORE), (second.name, LESS)))])


def _legend(width: int, colors: Sequence[tuple[str, tuple[int, int, int]]]) -> RGBImage:
    """A strip that says whose color is whose."""
    strip = Image.new("RGB", (width, LEGEND), (255, 255, 255))
    pen, font, left = ImageDraw.Draw(strip), font_of(LEGEND / 2), LEGEND // 3
    for letter, (name, color) in zip("AB", colors, strict=True):
        text = f"{letter} {name} gets more"
        pen.rectangle((left, LEGEND // 4, left + LEGEND // 2, 3 * LEGEND // 4), color)
        pen.text((left + 2 * LEGEND // 3, LEGEND // 2), text, (20, 20, 20), font, anchor="lm")
        left += LEGEND + int(font.getlength(text))
    return np.array(strip)
