"""The colors of the heat."""

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.colors import Colormap, LinearSegmentedColormap

from foveal.errors import FovealError

# From where few fixations fall to where most do: yellow, orange, magenta. Even steps in CIELAB lightness, from L* 89 to
# 38, so the order is seen in gray and by color-blind people; magenta is rare in photographs and stands out on skin.
HEAT = LinearSegmentedColormap.from_list("foveal heat", ["#ffdf3f", "#ffaa46", "#f96d54", "#e12162", "#b0006f"])


def colormap_of(cmap: str | Colormap | None) -> Colormap:
    """Foveal's own colors, or others: a Matplotlib colormap or its name.

    Raises
    ------
    FovealError
        If there is no colormap of this name.
    """
    if cmap is None:
        return HEAT
    if isinstance(cmap, str):
        if cmap not in matplotlib.colormaps:
            raise FovealError(f"no colormap {cmap!r} (Matplotlib's: viridis, magma, cividis, ...)")
        return matplotlib.colormaps[cmap]
    return cmap


def rgb_table(cmap: Colormap) -> Float[np.ndarray, "256 3"]:
    """The colormap's colors at 256 even steps, from 0 to 255: looking a color up is faster than computing it."""
    return (255 * cmap(np.linspace(0, 1, 256))[:, :3]).astype(np.float32)
