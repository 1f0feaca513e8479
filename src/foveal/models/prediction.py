"""What a model says of one photograph."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from foveal import figures
from foveal.errors import FovealError
from foveal.files import write_atomically
from foveal.images import RGBImage, encode_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILE_ENDINGS = {"overlay": ".overlay.png", "density": ".density.npy", "map": ".map.png"}


@dataclass(frozen=True, eq=False)
class Prediction:
    """A density of fixations over the pixels of one photograph.

    Attributes
    ----------
    image
        The photograph, (height, width, 3) uint8 RGB.
    log_density
        Natural logarithm of the probability that a fixation falls on each pixel: float32, `logsumexp` 0.
    model
        Name of the model.
    name
        What the photograph is called; the stem of the files that `save` writes.
    """

    image: RGBImage
    log_density: Float[np.ndarray, "height width"]
    model: str
    name: str = "image"

    def __repr__(self) -> str:
        height, width = self.log_density.shape
        return f"Prediction({self.name!r} by {self.model}, {width} x {height} px)"

    @property
    def density(self) -> Float[np.ndarray, "height width"]:
        """Probability of every pixel; they sum to one."""
        return np.exp(self.log_density)

    @property
    def peak(self) -> tuple[int, int]:
        """Column and row (x, y) of the pixel that is most likely to be looked at."""
        y, x = np.unravel_index(int(self.log_density.argmax()), self.log_density.shape)
        return int(x), int(y)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw photograph, heatmap and contours into Matplotlib axes (new ones if none are given)."""
        return figures.plot_density(self.log_density, self.image, ax=ax)

    def save(self, out: str | os.PathLike[str], outputs: Sequence[str] = ("overlay", "density")) -> dict[str, Path]:
        """Write files into the folder `out`, each whole or not at all, and return their paths.

        "overlay" is a PNG for looking at (at most 2048 px on the longer side), "density" a NumPy file of the float32
        log density, "map" a 16-bit gray PNG of the density divided by its highest value.

        Raises
        ------
        FovealError
            If an output is not one of these three, or the folder cannot be written to.
        """
        check_outputs(outputs)
        writers = {"overlay": self._write_overlay, "density": self._write_density, "map": self._write_map}
        paths = {output: Path(out) / f"{self.name}{FILE_ENDINGS[output]}" for output in outputs}
        for output, path in paths.items():
            with write_atomically(path) as temporary:
                writers[output](temporary)
        return paths

    def _write_overlay(self, path: Path) -> None:
        path.write_bytes(encode_png(figures.overlay(self.image, self.log_density)))

    def _write_density(self, path: Path) -> None:
        np.save(path, self.log_density)

    def _write_map(self, path: Path) -> None:
        relative = np.exp(self.log_density - self.log_density.max())
        relative *= 65535
        path.write_bytes(encode_png(relative.round(out=relative).astype(np.uint16)))


def check_outputs(outputs: Sequence[str]) -> None:
    """Make sure that outputs are asked for, and none but those there are.

    Raises
    ------
    FovealError
        If one is not known, or there are none.
    """
    unknown = [output for output in outputs if output not in FILE_ENDINGS]
    if unknown or not outputs:
        raise FovealError(f"no output {unknown[0] if unknown else ''!r} (known: {', '.join(FILE_ENDINGS)})")
