"""What a model says of one photograph."""

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from foveal import figures
from foveal.errors import FovealError
from foveal.files import write_atomically
from foveal.gaze.given import described, real_numbers, text, texts
from foveal.images import RGBImage, encode_png
from foveal.models.parts.sizes import SeenScale
from foveal.paths import path_of
from foveal.registry import no_such

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILE_ENDINGS = {
    "overlay": ".overlay.png",
    "overlay2x": ".overlay@2x.png",
    "pdf": ".overlay.pdf",
    "svg": ".overlay.svg",
    "density": ".density.npy",
    "map": ".map.png",
}
PICTURE_FORMATS = ("png", "png2x", "pdf", "svg")
ROWS_AT_ONCE = 32  # of a map, so that of a large density there is no copy
NOTEBOOK_SIDE = 1000  # px, longer side of the picture in a notebook, which is kept in the notebook's file
JPEG_QUALITY = 88


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
    scale
        At what scale the model took it to be seen, of a model that depends on it.

    Raises
    ------
    FovealError
        If the image or the density is of another kind or size.
    """

    image: RGBImage
    log_density: Float[np.ndarray, "height width"]
    model: str
    name: str = "image"
    scale: SeenScale | None = None

    def __post_init__(self) -> None:
        image, what = self.image, "prediction: "
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise FovealError(f"{what}image: an array (height, width, 3) of uint8 is needed, not {described(image)}")
        log_density = real_numbers(self.log_density, f"{what}log_density").astype(np.float32, copy=False)
        if log_density.shape != image.shape[:2] or log_density.size == 0:
            size = f"{image.shape[:2]} as the image is"
            raise FovealError(f"{what}log_density: an array {size} is needed, not {described(self.log_density)}")
        object.__setattr__(self, "log_density", log_density)
        text(self.model, f"{what}model")
        path_of(text(self.name, f"{what}name"), f"{what}name")

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

    def plot(self, ax: "Axes | None" = None, **drawing: Any) -> "Axes":
        """Draw into Matplotlib axes (new ones if none are given); style, cmap, levels, color_bar as `plot_density`."""
        return figures.plot_density(self.log_density, self.image, ax=ax, **drawing)

    def picture(self, file_format: str = "png", **drawing: Any) -> bytes:
        """The overlay as a file's content, the same bytes every time.

        Parameters
        ----------
        file_format
            "png": at most 2048 px on the longer side. "png2x": the same drawing with twice as many px on each side.
            "pdf", "svg": lines and letters as vectors.
        **drawing
            style, cmap, levels, color_bar, outlines as `overlay` takes them.

        Raises
        ------
        FovealError
            If there is no such format, or something cannot be drawn.
        """
        if file_format not in PICTURE_FORMATS:
            raise FovealError(no_such("format", file_format, PICTURE_FORMATS))
        if file_format in ("pdf", "svg"):
            file = BytesIO()
            figures.save_figure(self.log_density, self.image, file, file_format, **drawing)
            return file.getvalue()
        enlarged = 2 if file_format == "png2x" else 1
        return encode_png(figures.overlay(self.image, self.log_density, enlarged=enlarged, **drawing))

    def save(
        self,
        out: str | os.PathLike[str],
        outputs: Sequence[str] = ("overlay", "density"),
        *,
        style: str = "heatmap",
        color_bar: bool = True,
    ) -> dict[str, Path]:
        """Write files into the folder `out`, each whole or not at all, and return their paths.

        Parameters
        ----------
        out
            The folder.
        outputs
            "overlay" is a PNG for looking at (at most 2048 px on the longer side), "overlay2x" the same drawing with
            twice as many px on each side, "pdf" and "svg" the same with lines and letters as vectors, "density" a NumPy
            file of the float32 log density, "map" a 16-bit gray PNG of the density divided by its highest value.
        style
            Of the overlay: "heatmap", "contours", "fog", "hotspots", or several joined by a +.
        color_bar
            Set a strip below the overlay that says what its colors and lines mean.

        Raises
        ------
        FovealError
            If an output or a style is not known, or the folder cannot be written to.
        """
        outputs = check_outputs(outputs, style)

        def drawn_as(file_format: str) -> Callable[[Path], object]:
            return lambda path: path.write_bytes(self.picture(file_format, style=style, color_bar=color_bar))

        writers: dict[str, Callable[[Path], object]] = {
            "overlay": drawn_as("png"),
            "overlay2x": drawn_as("png2x"),
            "pdf": drawn_as("pdf"),
            "svg": drawn_as("svg"),
            "density": self._write_density,
            "map": self._write_map,
        }
        folder = path_of(out, "out")
        paths = {output: folder / f"{self.name}{FILE_ENDINGS[output]}" for output in outputs}
        for output, path in paths.items():
            with write_atomically(path) as temporary:
                writers[output](temporary)
        return paths

    def _repr_png_(self) -> bytes:
        """How a notebook shows the prediction where it takes no HTML."""
        return self.picture("png", color_bar=True, largest_side=NOTEBOOK_SIDE)

    def _repr_html_(self) -> str:
        """How a notebook shows the prediction: the overlay, and below it what it is."""
        drawing = figures.overlay(self.image, self.log_density, color_bar=True, largest_side=NOTEBOOK_SIDE)
        jpeg = BytesIO()
        Image.fromarray(drawing).save(jpeg, "JPEG", quality=JPEG_QUALITY)
        source = base64.b64encode(jpeg.getvalue()).decode()
        (height, width), (x, y) = self.log_density.shape, self.peak
        caption = f"{escape(self.name)} by {escape(self.model)}, {width} × {height} px, peak at ({x}, {y})"
        return (
            '<figure style="margin: 0">'
            f'<img src="data:image/jpeg;base64,{source}" alt="Where people look: {caption}" style="max-width: 100%">'
            f'<figcaption style="font-size: smaller">{caption}</figcaption></figure>'
        )

    def _write_density(self, path: Path) -> None:
        np.save(path, self.log_density)

    def _write_map(self, path: Path) -> None:
        highest = self.log_density.max()
        levels = np.empty(self.log_density.shape, dtype=np.uint16)
        for top in range(0, len(levels), ROWS_AT_ONCE):
            rows = slice(top, top + ROWS_AT_ONCE)
            levels[rows] = (np.exp(self.log_density[rows] - highest) * 65535).round()
        path.write_bytes(encode_png(levels))


def check_outputs(outputs: Sequence[str] | str, style: str = "heatmap") -> list[str]:
    """The outputs that are asked for, in a list or in one text with commas between them.

    Made sure is that there are such outputs, and such a style.

    Raises
    ------
    FovealError
        If one is not known, or there are none.
    """
    chosen = texts(outputs, "outputs")
    unknown = [output for output in chosen if output not in FILE_ENDINGS]
    if unknown or not chosen:
        raise FovealError(no_such("output", unknown[0] if unknown else "", FILE_ENDINGS))
    figures.styles_of(style)
    return chosen
