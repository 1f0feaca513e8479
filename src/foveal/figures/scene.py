"""What is drawn: a photograph and its density, at the size of the drawing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.colors import Colormap

from foveal.errors import FovealError
from foveal.figures.colors import colormap_of
from foveal.figures.levels import MASS_LEVELS, check_levels, enclosed_mass
from foveal.images import ImageSource, RGBImage, read_image

LARGEST_SIDE = 2048  # px; a drawing is for looking at
ROWS_AT_ONCE = 32  # of a large picture or density, so that there is no copy of all in floats


@dataclass(frozen=True, eq=False)
class Scene:
    """A photograph and its density, and how they are to be drawn.

    Attributes
    ----------
    photograph
        As it was given.
    picture
        The photograph at the size of the drawing.
    density
        Relative to its peak, from 0 to 1, at the size of the drawing.
    scale
        Pixels of the drawing to one of the photograph.
    levels
        The shares of the fixations that lines enclose, ascending.
    colors
        From where few fixations fall (0) to where most do (1).
    enlargement
        How much larger than one to one it is drawn: the smallest letters and lines are as much larger.
    """

    photograph: UInt8[np.ndarray, "photograph_height photograph_width 3"]
    picture: RGBImage
    density: Float[np.ndarray, "height width"]
    scale: float
    levels: tuple[float, ...]
    colors: Colormap
    enlargement: int = 1

    @classmethod
    def of(
        cls,
        image: ImageSource | None,
        log_density: np.ndarray | Sequence[Any],
        *,
        levels: Sequence[float] = MASS_LEVELS,
        cmap: str | Colormap | None = None,
        largest_side: int = LARGEST_SIDE,
    ) -> "Scene":
        """Check what is given, and bring it to a size of at most `largest_side`; without a photograph, over white.

        Raises
        ------
        FovealError
            If the photograph or the density cannot be drawn, or they differ in size, or a level or a colormap is none.
        """
        log_density = checked_log_density(log_density)
        height, width = log_density.shape
        photograph = np.full((height, width, 3), 255, dtype=np.uint8) if image is None else read_image(image)
        if photograph.shape[:2] != (height, width):
            raise FovealError(
                f"a density of {width} x {height} px over a photograph of {photograph.shape[1]} x {photograph.shape[0]}"
            )
        scale = min(1.0, largest_side / max(height, width))
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            picture = cv2.resize(photograph, size, interpolation=cv2.INTER_AREA)
            density = _shrunk_density(log_density, size)
            density /= density.max()
        else:
            picture, density = photograph, _relative_density(log_density, log_density.max())
        return cls(photograph, picture, density, scale, check_levels(levels), colormap_of(cmap))

    def enlarged(self, times: int) -> "Scene":
        """The same scene for a drawing that is so many times as large; the photograph has its own detail, if it can."""
        height, width = self.density.shape
        size = times * width, times * height
        scale = times * self.scale
        smooth = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        return replace(
            self,
            picture=cv2.resize(self.photograph, size, interpolation=smooth),
            density=cv2.resize(self.density, size, interpolation=cv2.INTER_LINEAR),
            scale=scale,
            enlargement=times * self.enlargement,
        )

    @cached_property
    def enclosed(self) -> Float[np.ndarray, "height width"]:
        """Share of the fixations in the smallest region that reaches each pixel."""
        return enclosed_mass(self.density)

    @property
    def has_structure(self) -> bool:
        """Does the density differ from the uniform one?"""
        return bool(self.density.min() < 1 - 1e-6)

    @property
    def unit(self) -> float:
        """A thousandth of the longer side in px: line widths and letters grow with the drawing."""
        return max(self.density.shape) / 1000

    @property
    def peak(self) -> tuple[int, int]:
        """Column and row of the highest density."""
        row, column = np.unravel_index(int(self.density.argmax()), self.density.shape)
        return int(column), int(row)


def _relative_density(log_density: np.ndarray, highest: np.floating) -> Float[np.ndarray, "row column"]:
    density = np.subtract(log_density, highest, dtype=np.float32)
    return np.exp(density, out=density)


def _shrunk_density(log_density: np.ndarray, size: tuple[int, int]) -> Float[np.ndarray, "row column"]:
    """The density at a smaller (width, height); the width comes first, strip by strip, so that no copy is made."""
    highest = log_density.max()
    strips = (log_density[top : top + ROWS_AT_ONCE] for top in range(0, len(log_density), ROWS_AT_ONCE))
    narrow = [
        cv2.resize(_relative_density(strip, highest), (size[0], len(strip)), interpolation=cv2.INTER_AREA)
        for strip in strips
    ]
    return cv2.resize(np.concatenate(narrow), size, interpolation=cv2.INTER_AREA)


def checked_log_density(log_density: np.ndarray | Sequence[Any]) -> Float[np.ndarray, "height width"]:
    """A log density as an array of floats, of the shape (height, width).

    Raises
    ------
    FovealError
        If it has another shape, holds NaN or infinity, or no numbers at all. A pixel may be -inf: nobody looks there.
    """
    values = np.asarray(log_density)
    if values.ndim != 2 or 0 in values.shape:
        raise FovealError(f"a log density has the shape (height, width), not {values.shape}")
    if values.dtype.kind not in "fiu":
        raise FovealError(f"a log density holds real numbers, not {values.dtype}")
    highest = float(values.max())  # NaN if one is
    if not np.isfinite(highest):
        raise FovealError(f"a log density holds numbers or -inf, and at least one number; its highest is {highest}")
    return values if values.dtype.kind == "f" else values.astype(np.float32)
