r"""What knowing the time of a fixation is worth, and what is seen first: foveal-s at a time against all times.

    python benchmarks/by_time.py

Fits the numbers and the center bias of foveal-s to windows of time of OSIE and EyeCrowd, and writes their mean into the
package (models/weights/foveal-s.by-time.safetensors), which `foveal predict --at` uses. Then measures, on images that
were held out of these fits in folds: the log-likelihood of each fixation at the time when it began, above that of the
static density of foveal-s with the numbers and the center bias of the data set. The network itself was trained on these
data sets: only the gain is meant. On MIT1003, which nothing was fitted to, the static density is foveal-s as published;
each of its fixations is taken to begin when those of its number begin on average in OSIE, where its data do not say it.
Gains are means over images in bit per fixation with 95 % bootstrap intervals over images: by the number of the fixation
and by windows of 250 ms. Writes benchmarks/results/by_time.json, and docs/assets/by_time.png: what share of the density
and of the fixations is on faces, on text and in the middle of the picture.
"""

import argparse
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from timing import keep, say

import foveal
from foveal.analysis.region_choice import FACE, HEADS, choose_regions
from foveal.errors import FovealNote
from foveal.gaze import Dataset, Fixations
from foveal.gaze.cells import cells_of
from foveal.gaze.folds import fold_of
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.models import load_model
from foveal.models.deep.by_time import LOG_PRIOR, ByTime
from foveal.models.deep.foveal_s import FovealS
from foveal.models.parts.finalizer import normalize_log_density
from foveal.training.fits.by_time import fit_by_time, static_of
from foveal.training.fits.numbers import Unseen, part_of, unseen_of

HOME = Path(__file__).parent.parent
WEIGHTS = HOME / "src/foveal/models/weights/foveal-s.by-time.safetensors"
STUDIES, OTHER = ("osie", "eyecrowd"), "mit1003"
TITLES = {"osie": "OSIE", "eyecrowd": "EyeCrowd"}
FOLDS = 3
ALL = "all"  # that changes with time
PUBLISHED = "static as published"  # without numbers and center bias of the data set
STEP = 100  # ms: densities are computed at multiples of it
WINDOW, LAST_WINDOW = 250, 3000  # ms
LATER = 6  # this fixation and all after it are taken together
FEWEST = 500  # fixations in a row of the table
MIDDLE = 0.5  # of the width and of the height

At = Callable[[float], FovealS]


@dataclass(frozen=True)
class Study:
    """A data set, and what the network says of its images, whatever its numbers are."""

    data: Dataset
    unseen: list[Unseen]

    def of_images(self, images: np.ndarray) -> "Study":
        """The same with fixations on some of the images only; images keep their positions."""
        rows = np.isin(self.data.fixations.image, images)
        fixations = self.data.fixations.where(rows)
        return Study(replace(self.data, fixations=fixations), part_of(self.unseen, images))

    def densities(self, model: FovealS) -> dict[int, np.ndarray]:
        """Log density over the cells of each image, with the model's own numbers and center bias."""
        densities = {}
        for part in self.unseen:
            with torch.no_grad():
                prior = normalize_log_density(model.prior_on((part.counts.shape[1], part.counts.shape[2])).clone())
                values = replace(part, log_priors=prior.expand_as(part.counts)).log_density([model]).numpy()
            densities |= dict(zip(part.images, values, strict=True))
        return densities


def study_of(name: str, model: FovealS, root: str | None) -> Study:
    data = foveal.load_dataset(name, root)
    return Study(data, unseen_of(model, data, say))


def gains(study: Study, static: FovealS, by_time: ByTime) -> np.ndarray:
    """Of each fixation, in bit: the density at the time when it began above the static one; NaN where not known."""
    fixations, cell = study.data.fixations, cells(study.data, static)
    of_static, step = study.densities(static), np.round(fixations.start / STEP)
    values = np.full(len(fixations), math.nan)
    for number in np.unique(step[~np.isnan(step)]):
        of_time = study.densities(by_time.moved(static, float(number * STEP)))
        for row in np.flatnonzero(step == number):
            image, place = int(fixations.image[row]), tuple(cell[row])
            values[row] = of_time[image][place] - of_static[image][place]
    return values / math.log(2)


def with_onsets(study: Study, others: Fixations) -> Study:
    """A study whose fixations of unknown onset begin when those of their number do, on average, among others."""
    fixations, place = study.data.fixations, others.place()
    typical = np.bincount(place, weights=others.start) / np.bincount(place)
    start = typical[np.minimum(fixations.place(), len(typical) - 1)]
    start = np.where(np.isnan(fixations.start), start, fixations.start)
    return replace(study, data=replace(study.data, fixations=replace(fixations, start=start)))


def cells(data: Dataset, model: FovealS) -> np.ndarray:
    """Row and column of the cell that each fixation falls into."""
    found = np.empty((len(data.fixations), 2), int)
    for image in np.unique(data.fixations.image):
        grid, part = model.cells(data.stimuli[image].size), data.fixations.for_image(image)
        rows = cells_of(part.pixel_y, grid.rows.step, grid.rows.length)
        columns = cells_of(part.pixel_x, grid.columns.step, grid.columns.length)
        found[data.fixations.rows_of(image)] = np.stack([rows, columns], axis=1)
    return found


def means(fixations: Fixations, values: np.ndarray, rows: np.ndarray) -> list[float] | None:
    """Mean over images of the mean of some rows, and its interval; None of few."""
    rows = rows & ~np.isnan(values)
    if rows.sum() < FEWEST:
        return None
    by_image = fixations.where(rows).mean_by_image(values[rows], int(fixations.image.max()) + 1)
    by_image = by_image[~np.isnan(by_image)]
    return [float(by_image.mean()), *bootstrap_interval(lambda some: some.mean(axis=-1), by_image)]


def by_number_and_window(name: str, fixations: Fixations, gains: np.ndarray) -> dict[str, list[float]]:
    """The rows of the tables of one data set."""
    place = fixations.place() + 1
    rows = {f"fixation {number}": place == number for number in range(1, LATER)}
    rows |= {f"fixation {LATER} and later": place >= LATER, "all fixations": place > 0}
    for begin in range(0, LAST_WINDOW, WINDOW):
        end = begin + WINDOW
        rows[f"{begin} to {end} ms"] = (fixations.start >= begin) & (fixations.start < end)
    rows[f"{LAST_WINDOW} ms and later"] = fixations.start >= LAST_WINDOW
    found = {row: means(fixations, gains, which) for row, which in rows.items()}
    return {f"{name}, {row}": value for row, value in found.items() if value is not None}


def held_out(studies: Sequence[Study], model: FovealS) -> dict[str, list[np.ndarray]]:
    """By what changes with time: of each study, the gains of all fixations with what was fitted to the other folds."""
    found: dict[str, list[np.ndarray]] = {}
    for fold in range(FOLDS):
        fitted = [study.of_images(np.flatnonzero(fold_of(study.data, FOLDS) != fold)) for study in studies]
        statics = [static_of(model, study.unseen, study.data) for study in fitted]
        own = [fit_by_time(static, part.unseen, part.data) for static, part in zip(statics, fitted, strict=True)]
        mean = ByTime.mean(own)
        numbers = set(mean.changes) - {LOG_PRIOR}
        shared = {ALL: mean, "center bias alone": without(mean, numbers), "numbers alone": without(mean, {LOG_PRIOR})}
        for number, (study, static) in enumerate(zip(studies, statics, strict=True)):
            images = np.flatnonzero(fold_of(study.data, FOLDS) == fold)
            part, rows = study.of_images(images), np.isin(study.data.fixations.image, images)
            found_here = {what: gains(part, static, by_time) for what, by_time in shared.items()}
            found_here |= {"fitted to it alone": gains(part, static, own[number]), PUBLISHED: gains(part, model, mean)}
            for what, values in found_here.items():
                of_what = found.setdefault(what, [np.full(len(one.data.fixations), math.nan) for one in studies])
                of_what[number][rows] = values
        print(f"fold {fold} of {FOLDS}", flush=True)
    return found


def without(by_time: ByTime, names: set[str]) -> ByTime:
    """With nothing but zeros in the place of some changes."""
    return ByTime(by_time.times, {n: torch.zeros_like(v) if n in names else v for n, v in by_time.changes.items()})


def parts_of(study: Study) -> dict[str, dict[int, np.ndarray]]:
    """By kind, where faces, text and the middle are in each photograph that has some."""
    regions, _ = choose_regions(study.data, HEADS if study.data.heads else None)
    position = {name: image for image, name in enumerate(study.data.stimuli.ids)}
    parts: dict[str, dict[int, np.ndarray]] = {"faces": {}, "text": {}, "middle": {}}
    for region in regions:
        image = position[region.image]
        kinds = ["faces"] * (region.flags >= FACE) + ["text"] * (region.category == "text")
        for kind in kinds:
            mask = region.mask(study.data.stimuli[image].size)
            parts[kind][image] = mask | parts[kind].get(image, False)
    for image, (height, width) in enumerate(study.data.stimuli.sizes.tolist()):
        rows, columns = (abs(np.arange(n) + 0.5 - n / 2) < MIDDLE * n / 2 for n in (height, width))
        parts["middle"][image] = np.outer(rows, columns)
    return {kind: masks for kind, masks in parts.items() if masks}


def shares(study: Study, at: At) -> dict[str, dict[str, list[list[float]]]]:
    """By part: the time of each window and the share of the density; and of fixations there, with its interval."""
    found = {}
    for kind, masks in parts_of(study).items():
        here = study.of_images(np.array(list(masks)))
        some, inside = here.data.fixations, np.zeros(len(here.data.fixations))
        for image, mask in masks.items():
            part = some.for_image(image)
            inside[some.rows_of(image)] = mask[part.pixel_y, part.pixel_x]
        of_people, of_density = [], []
        for begin in range(0, LAST_WINDOW, WINDOW):
            people = means(some, inside, (some.start >= begin) & (some.start < begin + WINDOW))
            if people is not None:
                time = begin + WINDOW / 2
                of_people.append([time, *people])
                of_density.append([time, mass(here.densities(at(time)), masks)])
        found[kind] = {"people": of_people, "density": of_density}
    return found


def mass(densities: dict[int, np.ndarray], masks: dict[int, np.ndarray]) -> float:
    """Mean over images of the share of the density in a mask of the image, which covers cells in part."""
    of_image = [
        (np.exp(densities[image]) * on_cells(mask, densities[image].shape)).sum()
        for image, mask in masks.items()
        if image in densities
    ]
    return float(np.mean(of_image))


def on_cells(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """What share of each cell a mask of pixels covers."""
    return cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)


def draw(of_study: dict[str, dict[str, dict[str, list[list[float]]]]], path: Path) -> None:
    """A panel for each kind of part: people as points, the density as a line."""
    figure = Figure(figsize=(9, 3.1), layout="constrained", dpi=110)
    panels = {"faces": "on faces", "text": "on text", "middle": "in the middle (half of each side)"}
    for ax, (kind, title) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for (name, kinds), color in zip(of_study.items(), ("#3b5f8a", "#c1554d"), strict=True):
            if kind not in kinds:
                continue
            time, share, low, high = 100 * np.array(kinds[kind]["people"]).T
            errors = [share - low, high - share]
            ax.errorbar(
                time / 1e5, share, errors, fmt="o", color=color, markersize=3.5, label=f"{TITLES[name]}, people"
            )
            time, share = 100 * np.array(kinds[kind]["density"]).T
            ax.plot(time / 1e5, share, color=color, label=f"{TITLES[name]}, foveal-s at that time")
        ax.set_title(f"fixations {title}", fontsize=9, loc="left")
        ax.set_xlabel("onset of the fixation, s", fontsize=8)
        ax.set_ylim(bottom=0)
        ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0f} %")
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=7)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    root = parser.parse_args().data_root
    warnings.simplefilter("ignore", FovealNote)  # onsets are early: the documentation says so
    model = load_model("foveal-s")
    assert isinstance(model, FovealS)
    studies = [study_of(name, model, root) for name in STUDIES]
    statics = [static_of(model, study.unseen, study.data) for study in studies]
    by_time = ByTime.mean([fit_by_time(one, of.unseen, of.data) for one, of in zip(statics, studies, strict=True)])
    by_time.save(WEIGHTS, "python benchmarks/by_time.py")
    results: dict[str, Any] = {}
    for name, values in by_time.changes.items():
        if values.ndim == 1:
            results |= {
                f"{name} at {time:g} ms": value.item() for time, value in zip(by_time.times, values, strict=True)
            }
    for what, of_studies in held_out(studies, model).items():
        for study, of_study in zip(studies, of_studies, strict=True):
            name = study.data.name if what == ALL else f"{study.data.name}, {what}"
            results |= by_number_and_window(name, study.data.fixations, of_study)
    other = with_onsets(study_of(OTHER, model, root), studies[0].data.fixations)
    rows = by_number_and_window(OTHER, other.data.fixations, gains(other, model, by_time))
    results |= {row: value for row, value in rows.items() if not row.endswith(("ms", "ms and later"))}
    of_parts = {}
    for study, static in zip(studies, statics, strict=True):
        of_parts[study.data.name] = shares(study, lambda time, static=static: by_time.moved(static, time))
    draw(of_parts, HOME / "docs/assets/by_time.png")
    results |= {f"{name}, {kind}": values for name, kinds in of_parts.items() for kind, values in kinds.items()}
    keep("by_time", results)


if __name__ == "__main__":
    main()
