"""Densities and fixations in Matplotlib axes."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from foveal.figures.overlay import overlay
from foveal.gaze import Fixations
from foveal.images import ImageSource, RGBImage, read_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_density(
    log_density: Float[np.ndarray, "height width"], image: ImageSource | None = None, *, ax: "Axes | None" = None
) -> "Axes":
    """Draw a log density over its photograph (over white if none is given), with the 25/50/75 % mass contours.

    Parameters
    ----------
    log_density
        Natural log of the density over the pixels.
    image
        The photograph, of the same size: a path, a PIL image or an array.
    ax
        Axes to draw into; new ones if none are given.
    """
    blank = np.full((*log_density.shape, 3), 255, dtype=np.uint8)
    return _show(overlay(blank if image is None else read_image(image), log_density), log_density.shape, ax)


def plot_fixations(fixations: Fixations, image: ImageSource, *, ax: "Axes | None" = None) -> "Axes":
    """Draw the fixations of one photograph as dots over it, each observer in a color of their own.

    Parameters
    ----------
    fixations
        Those of one photograph: `dataset.fixations.for_image(i)`.
    image
        The photograph: a path, a PIL image or an array.
    ax
        Axes to draw into; new ones if none are given.
    """
    photograph = read_image(image)
    ax = _show(photograph, photograph.shape[:2], ax)
    ax.scatter(fixations.x, fixations.y, c=fixations.subject, cmap="viridis", s=24, edgecolors="white", linewidths=0.8)
    return ax


def _show(picture: RGBImage, size: tuple[int, ...], ax: "Axes | None") -> "Axes":
    """An image in axes whose units are the pixels of the photograph, pixel centres at integers."""
    if ax is None:
        from matplotlib import pyplot as plt  # a display is looked for only when somebody wants one

        ax = plt.subplots(figsize=(8, 8 * size[0] / size[1]), layout="constrained")[1]
    height, width = size
    ax.imshow(picture, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    ax.set_axis_off()
    return ax
