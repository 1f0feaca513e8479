"""`foveal attention`: from files of pictures and regions to pictures and files of what the regions get."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from foveal.analysis.attention import Attention, Compared, RegionAttention, attention, spreadsheet_text
from foveal.datasets.picture_regions import PictureRegion, read_picture_regions
from foveal.figures.difference import difference_map
from foveal.figures.labels import percent
from foveal.figures.lines import Outline
from foveal.files import make_writable_folder, write_atomically
from foveal.images import encode_png
from foveal.models.base import SaliencyModel
from foveal.models.prediction import Prediction

SMALLEST_LABELLED = 0.01  # share

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
    picture = begun.with_name(f"{begun.name}.png")
    with write_atomically(picture) as temporary:
        temporary.write_bytes(attention_picture(prediction, regions, found))
    return [*files, picture]


def attention_picture(
    prediction: Prediction,
    regions: Sequence[PictureRegion],
    found: Attention,
    *,
    style: str | None = None,
    file_format: str = "png",
    color_bar: bool = False,
) -> bytes:
    """The picture with its regions outlined and labeled with their shares, as a file's content.

    The same arguments give the same bytes. As an array it is what `figures.overlay` draws with `attention_outlines`.

    Parameters
    ----------
    prediction
        Of the picture.
    regions, found
        Its regions, and what `attention` says of them.
    style
        As `figures.overlay` takes it. None is "heatmap", with the hotspots if there are no regions.
    file_format
        "png", "png2x", "pdf" or "svg": see `Prediction.picture`.
    color_bar
        Say below the picture what its colors and lines mean.

    Raises
    ------
    FovealError
        If there is no such style or format.
    """
    outlines = attention_outlines(regions, found)
    return prediction.picture(file_format, style=style or style_of(regions), color_bar=color_bar, outlines=outlines)


def style_of(regions: Sequence[PictureRegion]) -> str:
    """The style of a picture with these regions: without any, its hotspots are drawn."""
    return "heatmap" if regions else "heatmap+hotspots"


def attention_outlines(regions: Sequence[PictureRegion], found: Attention) -> list[Outline]:
    """The regions as `figures.overlay` and `figures.plot_density` outline them: "12 % name", and their polygons."""
    return [(_label(of_one), region.polygons) for region, of_one in zip(regions, found.regions, strict=True)]


def _label(region: RegionAttention) -> str:
    """Share and name of a region that gets a share worth reading, on one line."""
    if region.share < SMALLEST_LABELLED:
        return ""
    return f"{percent(round(region.share, 2))} {' '.join(region.name.splitlines())}"


def write_screens(screens: Sequence[Attention], path: str | os.PathLike[str]) -> Path:
    """Write one table of the regions of all screens of a page, in reading order; its column `screen` counts from 1."""
    path = Path(path)
    with write_atomically(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["screen", *screens[0].rows()[0]])
        for number, screen in enumerate(screens, 1):
            writer.writerows([number, *row] for row in screen.rows()[1:])
    return path


def write_comparison(
    first: Prediction, second: Prediction, rows: Sequence[Compared], out: str | os.PathLike[str]
) -> list[Path]:
    """Write `against.csv` (if there are regions) and `against.png`, the difference map, into `out`; their paths."""
    folder = make_writable_folder(out)
    picture, table = folder / "against.png", folder / "against.csv"
    with write_atomically(picture) as temporary:
        temporary.write_bytes(
            encode_png(difference_map(first.image, (first.density, second.density), (first.name, second.name)))
        )
    if not rows:
        return [picture]
    with write_atomically(table) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "a", "b", "difference", "winner"])
        writer.writerows([spreadsheet_text(row.name), row.a, row.b, row.difference, row.winner] for row in rows)
    return [table, picture]
