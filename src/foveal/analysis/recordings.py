"""From eye trackers' recordings to a data set: fixations on pictures, and how good each recording is."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foveal.datasets.folder import readable_pictures, save_dataset
from foveal.datasets.recordings.formats import read_recordings, subjects_of
from foveal.datasets.recordings.pictures import Place, on_picture, place_of, read_times, shown_to
from foveal.datasets.recordings.recording import Recording, Screen, Shown
from foveal.datasets.recordings.settings import Settings
from foveal.errors import FovealError, FovealNote, RowsLeftOut, first_line
from foveal.figures.recording_quality import draw_quality
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.gaze.detection import SHORTEST
from foveal.gaze.quality import drift, precision, share_lost
from foveal.images import find_images
from foveal.progress import Report, to_nobody

SAME_SCALE = 0.02  # by which scales of pictures may differ from their mean and still be told as one


@dataclass(frozen=True, eq=False)
class ImportedRecordings:
    """What became of recordings.

    Attributes
    ----------
    dataset
        The pictures that were looked at, and the fixations on them; None if no recording could be used.
    quality
        A row for each recording: recording (the file), subject, tracker, method, pictures (periods in which one was
        shown), fixations, beside (fixations beside their picture), sampling_rate_hz, lost (share of the time
        without gaze while pictures were shown), blinks, precision_deg (RMS-S2S), drift_x_deg and drift_y_deg (the first
        fixation's distance from the center of the screen, medians of the pictures; x goes right, y down).
    problems
        A line for each recording or picture that could not be used.
    files
        What was written.
    """

    dataset: Dataset | None
    quality: pd.DataFrame
    problems: tuple[str, ...]
    files: tuple[Path, ...]


def import_recordings(
    recordings: Sequence[str | os.PathLike[str]],
    images: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    screen: tuple[int, int] | None = None,
    picture: Place | None = None,
    times: str | os.PathLike[str] | None = None,
    method: str | None = None,
    eye: str = "mean",
    units: str | None = None,
    pixels_per_degree: float | None = None,
    threshold: float | None = None,
    shortest: float = SHORTEST,
    progress: Report = to_nobody,
) -> ImportedRecordings:
    """Turn recordings of eye trackers into a folder that is a data set.

    Writes `images/`, `fixations.csv` and `dataset.toml` into `out`, and the quality of each recording as
    `recordings.csv` and `recordings.png`. What was assumed is a `FovealNote`, what was left out a `RowsLeftOut`.

    Parameters
    ----------
    recordings
        Files of EyeLink, Tobii, Gazepoint, Pupil Labs, SMI or BIDS.
    images
        Folder of the pictures that were shown.
    out
        Folder of the data set.
    screen
        Width and height in px; may be None if all files say it.
    picture
        Left, top, width and height of the pictures on the screen in px; by default as the file says, else in the
        center.
    times
        A table picture,start_ms,end_ms[,subject], counted from the beginning of the recording.
    method
        "ivt", "idt" or "tracker" (its own fixations); by default the tracker's own where there are any, else "ivt".
    eye
        "left", "right", or "mean" of both.
    units
        Of the positions, if the file does not say them: "px", "fraction" (0 to 1 of the screen) or "degree".
    pixels_per_degree
        Of the screen; by default as the file says, else 35.
    threshold, shortest
        As `foveal.gaze.detection.detect` takes them.

    Raises
    ------
    FovealError
        If there are no pictures, `times` is no such table, an argument is none of the above, or `out` cannot be
        written to. What is wrong with one recording is in `problems`.
    """
    known = read_times(Path(times)) if times else []
    settings = Settings(screen, picture, known, method, eye, units, pixels_per_degree, threshold, shortest)
    out, folder = make_writable_folder(out), Path(images)
    paths, problems = find_images(folder)
    paths, unreadable = readable_pictures(paths)
    if not paths:
        raise FovealError(f"{folder}: no folder with pictures that can be read")
    importer = _Importer(Stimuli(paths, [path.relative_to(folder).as_posix() for path in paths]), settings)
    problems += unreadable
    names = subjects_of([Path(path) for path in recordings])
    read: set[Path] = set()
    file_of: dict[str, Path] = {}  # subjects that their files do not say
    for done, (path, name) in enumerate(names.items(), 1):
        try:
            found = read_recordings(path) if path not in read else []  # it was read with another eye's
        except FovealError as error:
            problems.append(str(error))
            continue
        for recording in found:
            read.update(recording.files)
            try:
                if not recording.subject and (other := file_of.get(name, path)) != path:
                    raise FovealError(f"{other} is of the same subject ({name}), and is imported; give one of them")
                importer.add(replace(recording, subject=recording.subject or name), path)
                file_of.setdefault(name, path)
            except FovealError as error:
                who = f" ({recording.subject})" if len(found) > 1 else ""
                problems.append(f"{path}{who}: {error}")
            except Exception as error:  # whatever a damaged file makes Python say
                problems.append(f"{path}: damaged, or not complete ({first_line(error)})")
        progress("recordings", done, len(names))
    quality = pd.DataFrame(importer.quality)
    if not importer.quality:
        return ImportedRecordings(None, quality, tuple(problems), ())
    dataset = importer.dataset(out.resolve().name)
    save_dataset(dataset, out)
    files = (out / "fixations.csv", out / "recordings.csv", out / "recordings.png")
    with write_atomically(files[1]) as temporary:
        quality.to_csv(temporary, index=False, float_format="%.4g")
    with write_atomically(files[2]) as temporary:
        draw_quality(quality, temporary)
    return ImportedRecordings(dataset, quality, tuple(problems), files)


@dataclass
class _Importer:
    """The same pictures and settings for all recordings, and what came of them so far."""

    stimuli: Stimuli
    settings: Settings
    tables: list[pd.DataFrame] = field(default_factory=list)
    quality: list[dict[str, Any]] = field(default_factory=list)
    scales: list[float | None] = field(default_factory=list)  # px of a picture per degree, each time one was shown

    def add(self, recording: Recording, path: Path) -> None:
        """Take in one recording.

        Raises
        ------
        FovealError
            If it cannot be used.
        """
        screen, subject = self.settings.screen_of(recording), recording.subject
        method, grid, fixations = self.settings.fixations_of(recording, screen)
        shown = shown_to(recording, self.settings.times, self.stimuli.ids)
        known = [each for each in shown if each.picture in self.stimuli.ids]
        parts, scales = [], []
        for each in known:
            image = self.stimuli.ids.index(each.picture)
            height, width = self.stimuli.sizes[image].tolist()
            place = self.settings.picture or place_of(each, (height, width), screen)
            part = on_picture((height, width), place, fixations, (each.start, each.stop))
            parts.append(part.assign(image=image, subject=subject))
            scales.append(screen.pixels_per_degree * width / place[2] if self.settings.scale_of(recording) else None)
        if not any(part["inside"].any() for part in parts):
            raise FovealError("no fixation is on a picture while it was shown; another --screen, --picture or --times?")
        table = pd.concat(parts)
        beside = int((~table["inside"]).sum())
        self._tell(recording, path, len(shown) - len(known), beside, len(table))
        if self.settings.picture is None and any(each.at is None for each in known):
            self._tell_place(known, screen)
        self.tables.append(table)
        self.scales += scales
        periods = [(each.start, each.stop) for each in known]
        right, below = drift(fixations, periods, screen.center)
        begun = None if recording.blinks is None else recording.blinks[:, 0]
        self.quality.append(
            {
                "recording": path.name,
                "subject": subject,
                "tracker": recording.tracker,
                "method": method,
                "pictures": len(known),
                "fixations": len(table) - beside,
                "beside": beside,
                "sampling_rate_hz": grid.rate if grid else np.nan,
                "lost": share_lost(grid, periods) if grid else np.nan,
                "blinks": np.nan if begun is None else sum(int(((begun >= a) & (begun < b)).sum()) for a, b in periods),
                "precision_deg": precision(grid, fixations) / screen.pixels_per_degree if grid else np.nan,
                "drift_x_deg": right / screen.pixels_per_degree,
                "drift_y_deg": below / screen.pixels_per_degree,
            }
        )

    def _tell(self, recording: Recording, path: Path, n_unknown: int, beside: int, count: int) -> None:
        who = f"{path} ({recording.subject})"
        for note in recording.notes:
            _note(note)
        if self.settings.times and not len(recording.time) and recording.begun is None:
            _note(f"{who}: it has no samples, so that --times count from its first fixation")
        if self.settings.scale_of(recording) is None:
            _note("35 pixels per degree of the screen are assumed (--ppd says another scale)")
        if n_unknown:
            _note(f"{who}: left out: {n_unknown} times it names a picture that is not in --images", RowsLeftOut)
        if beside:
            _note(f"{who}: {beside} of {count} fixations left out: beside their picture", RowsLeftOut)

    def _tell_place(self, known: Sequence[Shown], screen: Screen) -> None:
        sizes = {tuple(self.stimuli.sizes[self.stimuli.ids.index(each.picture)].tolist()) for each in known}
        if sizes != {(screen.height, screen.width)}:
            how = "as large as they fit" if screen.units == "fraction" else "in their own size, or shrunk to fit"
            _note(
                f"pictures are taken to be in the center of the screen, {how} (--picture X,Y,W,H says where they were)"
            )

    def dataset(self, name: str) -> Dataset:
        """All that came of them."""
        table = pd.concat(self.tables, ignore_index=True)
        # A picture that is shown again, in this recording or in a later one, is looked at on.
        table["order"] = table.groupby(["subject", "image"]).cumcount()
        table = table[table["inside"]]
        numbers, subjects = pd.factorize(table["subject"])
        scale = self._scale()
        stimuli = Stimuli(self.stimuli.sources, self.stimuli.ids, scale)
        columns = {what: table[what].to_numpy() for what in ("image", "x", "y", "order", "duration", "start")}
        fixations = Fixations.of(**columns, subject=numbers)
        return Dataset(name, stimuli, fixations, subject_names=tuple(subjects)).looked_at()

    def _scale(self) -> float | None:
        """Pixels per degree of the pictures, if they are known and the same for all."""
        known = [scale for scale in self.scales if scale is not None]
        if len(known) < len(self.scales):
            return None
        mean = float(np.mean(known))
        if max(abs(scale / mean - 1) for scale in known) <= SAME_SCALE:
            return float(f"{mean:.4g}")
        _note(f"pictures were shown at {min(known):.3g} to {max(known):.3g} px per degree; dataset.toml has one")
        return None


def _note(line: str, kind: type[FovealNote] = FovealNote) -> None:
    warnings.warn(line, kind, stacklevel=4)
