"""UEyes: 1,980 screenshots of web pages, desktop and mobile programs, and posters, 62 observers."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.errors import FovealError
from foveal.gaze import Fixations, Stimuli
from foveal.images import find_images

if TYPE_CHECKING:
    from foveal.datasets.table import Table

SCREEN = (1200, 1920)  # height and width, px
SCREEN_PIXELS_PER_DEGREE = 40.0  # the sigma of the authors' maps, which their code says is one degree
NUMBERS = ("FPOGX", "FPOGY", "FPOGD", "FPOGV")
TYPES = ("image_types.csv", "info.csv")
NAME, CATEGORY, SPLIT = "Image Name", "Category", "Train/Test"

CARD = DatasetCard(
    name="ueyes",
    title="UEyes",
    images=1980,
    observers=62,
    licence="see the record at Zenodo",
    citation="Jiang, Leiva, Tavakoli, Houssel, Kylmälä & Oulasvirta, UEyes: Understanding visual saliency across user "
    "interface types, CHI 2023",
    url="https://zenodo.org/records/8010312",
    pixels_per_degree=None,
    how_to_get="unpack UEyes_dataset.zip and put what is in it into <data root>/ueyes; needed are the pictures "
    "images/*.png and *.jpg, eyetracker_logs/*_fixations.csv and image_types.csv or info.csv",
    found_by=("eyetracker_logs",),
    facts="Seven seconds a picture, about ten of the observers each. Pictures filled the height or the width of a "
    "screen of 1920 x 1200, on which 40 px are one degree.",
)


@register_dataset(CARD)
def read_ueyes(folder: Path) -> Contents:
    """Read the tracker's logs, `<block>_kh<observer>_fixations.csv`, and what type each picture is.

    FPOGX and FPOGY are fractions of the screen, in whose middle the picture stands, as large as it fits. FPOGD is in
    seconds. Rows with FPOGV = 0, where the tracker lost the eyes, and rows beyond the picture are left out. Splits, as
    the authors' table says: `train`, `test`.

    Differs from the maps of the authors in: they have the best estimate of the gaze at the end of each fixation (BPOGX,
    BPOGY), these the mean of the fixation.
    """
    if not (folder / "images").is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder / "images"))
    sources, left_out = find_images(folder / "images")
    position = {source.name: image for image, source in enumerate(sources)}
    if not sources:
        raise FovealError(f"{folder / 'images'}: no .png or .jpg in it")
    if len(position) < len(sources):
        raise FovealError(f"{folder / 'images'}: {len(sources)} pictures with {len(position)} names")
    ids = [source.name for source in sources]
    sizes = Stimuli(sources, ids).sizes
    fitted = np.min(SCREEN / sizes, axis=1)
    stimuli = Stimuli(sources, ids, SCREEN_PIXELS_PER_DEGREE / fitted)
    fixations, notes = _read_logs(folder / "eyetracker_logs", position, sizes)
    categories, splits = _read_types(folder, position)
    return Contents(stimuli, fixations, splits, notes, categories, problems=tuple(left_out))


def on_picture(
    share: Float[np.ndarray, " row"], screen: int, length: Int[np.ndarray, " row"], fitted: Float[np.ndarray, " row"]
) -> Float[np.ndarray, " row"]:
    """A position in px of the picture, the center of its first pixel at 0, from a fraction of the screen.

    `screen` and `length` are the widths (or heights) of screen and picture, `fitted` how many px of the screen one of
    the picture takes.

    >>> on_picture(np.array([0.25, 0.5]), 1920, np.array([600, 600]), np.array([2.0, 2.0]))
    array([ 59.5, 299.5])
    """
    return (share * screen - (screen - length * fitted) / 2) / fitted - 0.5


def _read_logs(
    folder: Path, position: dict[str, int], sizes: Int[np.ndarray, "image 2"]
) -> tuple[Fixations, tuple[str, ...]]:
    """All valid fixations, and lines on rows that cannot be used."""
    from foveal.datasets.table import read_table  # pandas and pyarrow are not for who lists data sets

    logs = {
        path: re.fullmatch(r"\d+_(?:kh|hk)(\w+)_fixations", path.stem, re.IGNORECASE) for path in _csv_files(folder)
    }
    observer_of = {path: match[1] for path, match in logs.items() if match}
    if not observer_of:
        raise FileNotFoundError(2, "no such file", str(folder / "*_fixations.csv"))
    number = {observer: number for number, observer in enumerate(sorted(set(observer_of.values())))}
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("image", "subject", "order", *NUMBERS)}
    unknown = broken = 0
    for path, observer in observer_of.items():
        table = read_table(path, needed=("MEDIA_NAME", *NUMBERS), texts=("MEDIA_NAME",), numbers=NUMBERS)
        image = table.texts["MEDIA_NAME"].map(position).fillna(-1).to_numpy(np.int64)
        unknown += int((image < 0).sum())
        broken += sum(table.left_out.values())
        rows = np.flatnonzero((image >= 0) & (table.numbers["FPOGV"] == 1) & _are_known(table))
        columns["image"].append(image[rows])
        columns["subject"].append(np.full(len(rows), number[observer]))
        columns["order"].append(_order(image[rows]))
        for name in NUMBERS:
            columns[name].append(table.numbers[name][rows])
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    height, width = sizes[joined["image"]].T
    fitted = np.minimum(SCREEN[0] / height, SCREEN[1] / width)
    fixations = Fixations.of(
        joined["image"],
        on_picture(joined["FPOGX"], SCREEN[1], width, fitted),
        on_picture(joined["FPOGY"], SCREEN[0], height, fitted),
        joined["subject"],
        joined["order"],
        1000 * joined["FPOGD"],
        np.full(len(height), np.nan),  # durations do not add up where the tracker lost the eyes
    )
    reasons = {"their picture is not in images": unknown, "they have more fields than the header": broken}
    return fixations, tuple(f"{folder}: {count} rows left out: {why}" for why, count in reasons.items() if count)


def _csv_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.csv") if not path.name.startswith("."))


def _are_known(table: "Table") -> np.ndarray:
    return np.isfinite(table.numbers["FPOGX"]) & np.isfinite(table.numbers["FPOGY"])


def _order(image: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """Which fixation on its image each row is, from 0."""
    order = np.zeros(len(image), dtype=np.int64)
    for one in np.unique(image):
        order[image == one] = np.arange((image == one).sum())
    return order


def _read_types(folder: Path, position: dict[str, int]) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """The category of each picture, and the splits."""
    from foveal.datasets.table import read_table

    path = next((folder / name for name in TYPES if (folder / name).is_file()), folder / TYPES[0])
    table = read_table(path, needed=(NAME, CATEGORY), texts=(NAME, CATEGORY, SPLIT))
    row_of = {name: row for row, name in enumerate(table.texts[NAME])}
    unlisted = [name for name in position if name not in row_of]
    if unlisted:
        raise FovealError(f"{path}: says nothing of {unlisted[0]}")
    categories = tuple(str(table.texts[CATEGORY][row_of[name]]) for name in position)
    if SPLIT not in table.texts:
        return categories, {}
    said = np.array([table.texts[SPLIT][row_of[name]].strip().lower() for name in position])
    return categories, {split: np.flatnonzero(said == split) for split in ("train", "test")}
