"""The results of a film, part by part, in a folder that an interrupted run leaves and the next one goes on from."""

import csv
import json
import math
import shutil
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np

from foveal.figures import overlay
from foveal.files import make_writable_folder, write_atomically
from foveal.film.reading import Film
from foveal.film.smoothing import Cuts, FilmDensity, Moment
from foveal.film.tables import TABLES, Rows, SecondBySecond
from foveal.film.writing import FilmPart, join

STATE, OVERLAY = "state.npz", "overlay.mp4"
PART = 10  # s of film that are written together, and that an interruption costs at most
SMALLEST = np.finfo(np.float32).tiny  # density whose logarithm can be drawn


class Parts:
    """Parts of ten seconds: of each a film, and rows of the tables.

    `state.npz` says how many are whole, and all that the next one needs: the frame with which it begins, and its
    density. Whatever else lies in the folder is written anew.

    Parameters
    ----------
    folder
        Where the parts lie.
    film
        Which film it is.
    style
        How its overlay is drawn; None if it is not.
    computed_from
        Everything that the results depend on. Parts that were computed from something else are removed.
    """

    def __init__(self, folder: Path, film: Film, style: str | None, computed_from: str) -> None:
        self.n_frames = 0
        self._folder, self._film, self._style, self._computed_from = folder, film, style, computed_from
        self._begins: list[Fraction] = []  # of the parts that are whole
        self._begin = Fraction(0)  # of the part that is being written
        self._writer: FilmPart | None = None
        self._rows: dict[str, Rows] = {name: [] for name in TABLES}

    def __enter__(self) -> "Parts":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)

    @property
    def ends_at(self) -> int:
        """Time in s from which on a frame belongs to the next part."""
        return PART * (1 + math.floor(self._begin / PART))

    def restore(self, density: FilmDensity) -> None:
        """Go on from where an earlier run has come to, if there was one that computed the same."""
        with suppress(Exception):  # whatever a missing or damaged file makes NumPy say; then all is computed again
            with np.load(self._folder / STATE, allow_pickle=False) as state:
                numbers, known, before = json.loads(str(state["numbers"])), state["density"], state["before"]
            if numbers["computed_from"] == self._computed_from:
                *begins, begin = map(Fraction, numbers["begins"])
                cuts = Cuts(before, numbers["usual"], numbers["cuts"])
                self.n_frames, density.n_predictions = numbers["n_frames"], numbers["n_predictions"]
                self._begins, self._begin, density.density, density.cuts = begins, begin, known, cuts
                return
        shutil.rmtree(self._folder, ignore_errors=True)
        make_writable_folder(self._folder)

    def add(self, moment: Moment, seconds: SecondBySecond) -> None:
        """Write one moment."""
        self._take(seconds.add(moment))
        self.n_frames += 1
        if self._style is None:
            return
        if self._writer is None:
            self._writer = FilmPart(self._file(len(self._begins), OVERLAY), self._film.small, self._film.rate)
        log_density = np.log(np.maximum(moment.density, SMALLEST))
        picture = overlay(moment.frame.picture, log_density, style=self._style)
        self._writer.add(picture, moment.frame.time - self._begin)

    def end_part(self, seconds: SecondBySecond) -> None:
        """Make the part that is being written whole."""
        self._take(seconds.rest())
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.__exit__(None, None, None)
        for name, rows in self._rows.items():
            with self._file(len(self._begins), f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
            rows.clear()
        self._begins.append(self._begin)

    def save(self, density: FilmDensity) -> None:
        """Note that all parts so far are whole; the next begins with the frame that waits."""
        assert density.density is not None
        assert density.cuts.before is not None
        self._begin = density.waiting[0][0].time
        numbers = {
            "computed_from": self._computed_from,
            "begins": [*map(str, self._begins), str(self._begin)],
            "n_frames": self.n_frames,
            "n_predictions": density.n_predictions,
            "usual": density.cuts.usual,
            "cuts": density.cuts.found,
        }
        with write_atomically(self._folder / STATE) as temporary:
            np.savez(temporary, numbers=json.dumps(numbers), density=density.density, before=density.cuts.before)

    def joined(self, begun: Path, tables: Sequence[str]) -> dict[str, Path]:
        """Join the parts to files that begin so, and remove them."""
        files = {name: begun.with_name(f"{begun.name}.{name}.csv") for name in tables}
        for name, path in files.items():
            with write_atomically(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow(TABLES[name])
                for number in range(len(self._begins)):
                    file.write(self._file(number, f"{name}.csv").read_text(encoding="utf-8"))
        if self._style is not None:
            files["overlay"] = begun.with_name(f"{begun.name}.{OVERLAY}")
            with write_atomically(files["overlay"]) as temporary:
                join([(self._file(number, OVERLAY), begin) for number, begin in enumerate(self._begins)], temporary)
        shutil.rmtree(self._folder, ignore_errors=True)
        return files

    def _take(self, rows: dict[str, Rows]) -> None:
        for name, some in rows.items():
            self._rows[name] += some

    def _file(self, number: int, ending: str) -> Path:
        return self._folder / f"{number:05}.{ending}"
