"""A viewer who is simulated: first fixations drawn from a density, with inhibition of return.

Each fixation is drawn from the density, which is lowered around the fixations before it, as in Itti, Koch & Niebur
(1998, *IEEE TPAMI* 20(11)). It is an illustration. Where real people look next depends on more.
"""

import numpy as np
from jaxtyping import Float

from foveal.errors import FovealError
from foveal.models.prediction import Prediction

INHIBITED = (
    1 / 16
)  # standard deviation of what a fixation inhibits, of the picture's longer side: about 2 degrees of 32
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
    density = prediction.density.astype(np.float64)
    rows, columns = (np.arange(side, dtype=np.float64) for side in density.shape)
    width = INHIBITED * max(density.shape)
    found = []
    for _ in range(n):
        number = int(np.searchsorted(np.cumsum(density, axis=None), rng.random() * density.sum(), side="right"))
        row, column = divmod(min(number, density.size - 1), density.shape[1])
        found.append((column, row))
        density *= 1 - (1 - LEFT) * _bump(rows - row, width)[:, None] * _bump(columns - column, width)
    return found


def _bump(distance: Float[np.ndarray, " side"], width: float) -> Float[np.ndarray, " side"]:
    return np.exp(-0.5 * (distance / width) ** 2)
