"""A viewer who is simulated: first fixations drawn from a density, with inhibition of return.

Each fixation is drawn from the density, which is lowered around the fixations before it, as in Itti, Koch & Niebur
(1998, *IEEE TPAMI* 20(11)). It is an illustration. Where real people look next depends on more.
"""

import cv2
import numpy as np
from jaxtyping import Float

from foveal.errors import FovealError
from foveal.models.prediction import Prediction

INHIBITED = (
    1 / 16
)  # standard deviation of what a fixation inhibits, of the picture's longer side: about 2 degrees of 32
LARGEST_SIDE = 512  # px, at which fixations are drawn by chance: in a large picture, to some px
LEFT = 1e-6  # of the density at a fixation, so that there is always a next one


def simulated_fixations(prediction: Prediction, n: int, seed: int = 0) -> list[tuple[int, int]]:
    """The first fixations of a simulated viewer.

    Parameters
    ----------
    prediction
        Of the picture.
    n
        How many, from 1.
    seed
        Another seed is another viewer; the same gives the same fixations.

    Returns
    -------
    Column and row (x, y) of each.

    Raises
    ------
    FovealError
        If `n` is less than 1.
    """
    if n < 1:
        raise FovealError(f"n: one fixation or more, not {n}")
    rng = np.random.default_rng(seed)
    height, width = prediction.log_density.shape
    scale = min(1.0, LARGEST_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    density = cv2.resize(prediction.density.astype(np.float64), size, interpolation=cv2.INTER_AREA)
    rows, columns = (np.arange(side, dtype=np.float64) for side in density.shape)
    inhibited = INHIBITED * max(density.shape)
    found = []
    for _ in range(n):
        number = int(np.searchsorted(np.cumsum(density, axis=None), rng.random() * density.sum(), side="right"))
        row, column = divmod(min(number, density.size - 1), density.shape[1])
        found.append((int((column + 0.5) * width / size[0]), int((row + 0.5) * height / size[1])))
        density = density * (
            1 - (1 - LEFT) * _bump(rows - row, inhibited)[:, None] * _bump(columns - column, inhibited)
        )
    return found


def _bump(distance: Float[np.ndarray, " side"], width: float) -> Float[np.ndarray, " side"]:
    return np.exp(-0.5 * (distance / width) ** 2)
