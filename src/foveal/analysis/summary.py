"""What is in a data set: how much was looked at, by whom, for how long and where, and what it does not allow.

Nothing here reads a pixel: sizes, fixations and names are enough.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.spatial import KDTree

from foveal.benchmarking.yardsticks import Yardsticks
from foveal.errors import FovealError
from foveal.figures import overlay
from foveal.files import write_atomically
from foveal.gaze import Dataset, Fixations
from foveal.gaze.center_bias import relative_positions
from foveal.gaze.given import described
from foveal.gaze.maps import gaussian_blur
from foveal.paths import path_of

RADIUS = 1.0  # degrees of visual angle around a fixation: about the fovea, and the error of a good eye tracker
GRID = 48  # rows and columns of the grid on which an image's coverage is counted
MAP_SIDE = 800  # px of the map's longer side
MAP_BLUR = 0.03  # of the map's longer side
DOT = 1  # px: radius of a fixation on the map
SHADES = " .:-=+*#%@"
INK = (40, 40, 40)


@dataclass(frozen=True, eq=False)
class DatasetSummary:
    """What is in a data set.

    Attributes
    ----------
    name, licence, citation
        As the data set says.
    by_image
        A row for each image: image, width and height (px), fixations, observers, duration_ms (the median), coverage
        (share of its area within one degree of a fixation), center_bias (bit per fixation by which the other images'
        fixations predict its own better than the uniform density does). NaN where it cannot be said.
    by_observer
        A row for each observer: observer, images, fixations, duration_ms (the median).
    durations
        Of all fixations, in ms; NaN where it is not known.
    first_at_center
        Share of the first fixations within one degree of the center of their image; NaN if the order or the scale is
        not known.
    pixels_per_degree
        Lowest and highest of all images; None if it is not known.
    scale_is_assumed
        Are these a guess?
    positions
        Relative (x, y) of each fixation: 0 is the left or upper edge of its image, 1 the right or lower one.
    missing
        A line for each thing that does not work with this data set, and what would make it work.
    notes
        A line for each thing that was left out or assumed in reading.
    """

    name: str
    licence: str
    citation: str
    by_image: pd.DataFrame
    by_observer: pd.DataFrame
    durations: Float[np.ndarray, " fixation"]
    first_at_center: float
    pixels_per_degree: tuple[float, float] | None
    scale_is_assumed: bool
    positions: Float[np.ndarray, "fixation 2"]
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """All in numbers and texts that JSON can hold; what is not known is None."""
        fixations = self.by_image["fixations"]
        sizes = self.by_image[["width", "height"]].value_counts().rename("images").reset_index()
        return {
            "name": self.name,
            "images": len(self.by_image),
            "images with fixations": int((fixations > 0).sum()),
            "observers": len(self.by_observer),
            "fixations": int(fixations.sum()),
            "fixations by image": _spread(fixations),
            "fixations by observer": _spread(self.by_observer["fixations"]),
            "sizes": sizes.to_dict("records"),
            "pixels per degree": self.pixels_per_degree,
            "pixels per degree assumed": self.scale_is_assumed,
            "durations in ms": _spread(self.durations),
            "unknown durations": int(np.isnan(self.durations).sum()),
            "first fixations at the center": _known(self.first_at_center),
            "coverage": _known(self.by_image["coverage"].mean()),
            "center bias in bit": _known(self.by_image["center_bias"].mean()),
            "licence": self.licence,
            "citation": self.citation,
            "missing": list(self.missing),
            "notes": list(self.notes),
        }

    def counts(self, rows: int, columns: int) -> Float[np.ndarray, "row column"]:
        """How many fixations fall on each cell of a grid over the images, all brought to one shape."""
        x, y = self.positions.T
        return np.histogram2d(y, x, bins=(rows, columns), range=((0, 1), (0, 1)))[0]

    def map_in_letters(self, rows: int = 12, columns: int = 40) -> list[str]:
        """The lines of a map of all fixations in a frame, in letters: the darker, the more; none without fixations."""
        counts = self.counts(rows, columns)
        if not counts.any():
            return []
        shades = np.ceil(counts / counts.max() * (len(SHADES) - 1)).astype(int)
        edge = f"+{'-' * columns}+"
        return [edge, *(f"|{''.join(SHADES[shade] for shade in row)}|" for row in shades), edge]

    def map(self) -> np.ndarray:
        """A picture of all fixations, (height, width, 3) in RGB: each a dot, over their density.

        It has the shape that most images have.

        Raises
        ------
        FovealError
            If there are no fixations.
        """
        if not len(self.positions):
            raise FovealError(f"{self.name}: no fixations to draw a map of")
        width, height = self.by_image[["width", "height"]].value_counts().index[0]
        scale = MAP_SIDE / max(width, height)
        width, height = max(1, round(scale * width)), max(1, round(scale * height))
        density = gaussian_blur(self.counts(height, width), MAP_BLUR * MAP_SIDE).numpy()
        canvas = np.array(overlay(np.full((height, width, 3), 255, np.uint8), np.log(density + 1e-9 * density.max())))
        dots = canvas.copy()
        for x, y in (self.positions * (width, height)).astype(int):
            cv2.circle(dots, (int(x), int(y)), DOT, INK, -1, cv2.LINE_AA)
        cv2.rectangle(canvas, (0, 0), (width - 1, height - 1), INK)
        opacity = min(1.0, max(0.25, 300 / len(self.positions)))
        return cv2.addWeighted(dots, opacity, canvas, 1 - opacity, 0)


def summarize(dataset: Dataset) -> DatasetSummary:
    """Find out what is in a data set.

    Raises
    ------
    FovealError
        If it is no data set.
    """
    if not isinstance(dataset, Dataset):
        raise FovealError(f"a Dataset is needed to be summarized, not {described(dataset)}")
    fixations, ppd = dataset.fixations, dataset.stimuli.pixels_per_degree
    images = np.unique(fixations.image).tolist()
    positions = [relative_positions(dataset, image) for image in images]
    yardsticks = Yardsticks(dataset)
    return DatasetSummary(
        name=dataset.name,
        licence=dataset.licence,
        citation=dataset.citation,
        by_image=_by_image(dataset, yardsticks),
        by_observer=_by_observer(dataset),
        durations=fixations.duration,
        first_at_center=_first_at_center(dataset),
        pixels_per_degree=None if ppd is None else (float(ppd.min()), float(ppd.max())),
        scale_is_assumed=dataset.stimuli.scale_is_assumed,
        positions=np.concatenate(positions) if positions else np.zeros((0, 2)),
        missing=tuple(_missing(dataset, yardsticks)),
        notes=dataset.notes,
    )


def save_summary(summary: DatasetSummary, folder: str | os.PathLike[str]) -> list[Path]:
    """Write images.csv, observers.csv and fixations.png (the map of all fixations, if there are any) into a folder.

    Raises
    ------
    FovealError
        If one cannot be written.
    """
    folder = path_of(folder, "folder of the summary")
    tables = {"images.csv": summary.by_image, "observers.csv": summary.by_observer}
    for name, table in tables.items():
        with write_atomically(folder / name) as temporary:
            table.to_csv(temporary, index=False, float_format="%.4g")
    if not len(summary.positions):
        return [folder / name for name in tables]
    with write_atomically(folder / "fixations.png") as temporary:
        temporary.write_bytes(cv2.imencode(".png", cv2.cvtColor(summary.map(), cv2.COLOR_RGB2BGR))[1].tobytes())
    return [*(folder / name for name in tables), folder / "fixations.png"]


def _by_image(dataset: Dataset, yardsticks: Yardsticks) -> pd.DataFrame:
    fixations, n_images = dataset.fixations, len(dataset)
    rows = pd.DataFrame({"image": fixations.image, "subject": fixations.subject, "duration_ms": fixations.duration})
    of_images = rows.groupby("image")
    height, width = dataset.stimuli.sizes.T
    unknown = np.full(n_images, np.nan)
    has_no_center_bias = not len(fixations) or yardsticks.why_not("centerbias")
    table = pd.DataFrame(
        {
            "fixations": of_images.size(),
            "observers": rows[rows["subject"] >= 0].groupby("image")["subject"].nunique(),
            "duration_ms": of_images["duration_ms"].median(),
        },
        index=range(n_images),
    )
    return pd.DataFrame(
        {
            "image": dataset.stimuli.ids,
            "width": width,
            "height": height,
            "fixations": table["fixations"].fillna(0).astype(int),
            "observers": table["observers"].fillna(0).astype(int),
            "duration_ms": table["duration_ms"],
            "coverage": [_coverage(dataset, image) for image in range(n_images)],
            "center_bias": unknown if has_no_center_bias else yardsticks.center_bias_log_likelihood,
        }
    )


def _by_observer(dataset: Dataset) -> pd.DataFrame:
    fixations, names = dataset.fixations, dataset.subject_names
    rows = []
    for subject in fixations.subjects.tolist():
        own = fixations.for_subject(subject)
        known = own.duration[np.isfinite(own.duration)]
        duration = np.median(known) if len(known) else np.nan
        rows.append((names[subject] if names else str(subject), len(np.unique(own.image)), len(own), duration))
    return pd.DataFrame(rows, columns=["observer", "images", "fixations", "duration_ms"])


def _coverage(dataset: Dataset, image: int) -> float:
    """Share of an image's area within one degree of a fixation; NaN where nobody looked, or the scale is not known."""
    fixations, ppd = dataset.fixations.for_image(image), dataset.stimuli.pixels_per_degree
    if ppd is None or not len(fixations):
        return float("nan")
    height, width = dataset.stimuli.sizes[image].tolist()
    centers = (np.arange(GRID) + 0.5) / GRID
    cells = np.stack(np.meshgrid(width * centers - 0.5, height * centers - 0.5), axis=-1).reshape(-1, 2)
    tree = KDTree(np.stack([fixations.x, fixations.y], axis=1))
    distances, _ = tree.query(cells, distance_upper_bound=RADIUS * float(ppd[image]))
    return float(np.isfinite(distances).mean())


def _first_at_center(dataset: Dataset) -> float:
    fixations, ppd = dataset.fixations, dataset.stimuli.pixels_per_degree
    if ppd is None or not len(fixations) or (fixations.order < 0).any():
        return float("nan")
    first = fixations.where(_is_first(fixations))
    height, width = dataset.stimuli.sizes[first.image].T
    distance = np.hypot(first.x - (width - 1) / 2, first.y - (height - 1) / 2)
    return float((distance <= RADIUS * ppd[first.image]).mean())


def _is_first(fixations: Fixations) -> np.ndarray:
    """Which fixations are the first of an observer on an image."""
    rows = pd.DataFrame({"image": fixations.image, "subject": fixations.subject, "order": fixations.order})
    return (rows["order"] == rows.groupby(["image", "subject"])["order"].transform("min")).to_numpy()


def _missing(dataset: Dataset, yardsticks: Yardsticks) -> list[str]:
    """What does not work, and what would make it work."""
    fixations = dataset.fixations
    if not len(fixations):
        return ["no scores: there are no fixations (columns image, x, y)"]
    lines = []
    if yardsticks.why_not("centerbias"):
        lines.append("no center bias, IG and sAUC: they need fixations on two images or more")
    if not fixations.has_subjects:
        lines.append("no gold standard and explained_information: they need the column subject in every row")
    elif yardsticks.why_not("gold") and dataset.stimuli.pixels_per_degree is not None:
        lines.append("no gold standard and explained_information: they need two observers or more on an image")
    if (fixations.order < 0).any():
        lines.append("no scanpaths, and first fixations are not known: they need the column order in every row")
    if np.isnan(fixations.duration).all():
        lines.append("no durations: they need the column duration_ms")
    if np.isnan(fixations.start).all():
        lines.append("no windows of time: they need the column start_ms (or subject, order and duration_ms)")
    if dataset.stimuli.pixels_per_degree is None:
        lines.append("no gold standard and no coverage: they need pixels_per_degree (dataset.toml)")
    return lines


def _spread(values: Any) -> dict[str, float | int] | None:
    """Smallest, median and largest of what is known."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    return {what: float(of(known)) for what, of in (("min", np.min), ("median", np.median), ("max", np.max))}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
