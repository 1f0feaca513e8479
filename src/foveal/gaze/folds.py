"""Folds: the images of a data set that are held out together, by one rule wherever there are folds.

Image i of the data set's own list belongs to fold i modulo the number of folds. A part of the data set keeps these
numbers (`Dataset.positions`), so that leaving out images that nobody looked at moves no other image to another fold.
"""

import numpy as np
from jaxtyping import Int

from foveal.errors import FovealError
from foveal.gaze.dataset import Dataset

SMALLEST_FIT = 2  # images, of which a center bias can be made
FOLDS = 10  # of recipes, and of the splits "fold0" to "fold9"


def fold_of(data: Dataset, n_folds: int | None = None) -> Int[np.ndarray, " image"]:
    """Fold of each image of a data set, or of a part of one; there are `FOLDS` by default.

    >>> from foveal.gaze import Stimuli, Fixations
    >>> gray = [np.zeros((2, 2, 3), np.uint8)] * 5
    >>> data = Dataset("gray", Stimuli(gray), Fixations.of([0, 2, 3], [0, 0, 0], [0, 0, 0]))
    >>> fold_of(data.looked_at(), 2)
    array([0, 0, 1])
    """
    return data.positions % (n_folds or FOLDS)


def held_out_images(data: Dataset, fold: int | None, n_folds: int | None = None) -> Int[np.ndarray, " held_out"]:
    """Positions of the images of one fold; of None, none."""
    return np.flatnonzero(fold_of(data, n_folds) == fold)


def fitted_images(data: Dataset, fold: int | None, n_folds: int | None = None) -> Int[np.ndarray, " fitted"]:
    """Positions of the images of all other folds; of None, all."""
    return np.flatnonzero(fold_of(data, n_folds) != fold) if fold is not None else np.arange(len(data))


def folds_to_judge(data: Dataset, n_folds: int) -> list[int]:
    """The folds that have images.

    Raises
    ------
    FovealError
        If there are fewer than two folds, or holding one out leaves fewer than two images to fit to.
    """
    if n_folds < 2:
        raise FovealError(f"{n_folds} folds: give at least 2")
    present, n_images = np.unique(fold_of(data, n_folds), return_counts=True)
    left = len(data) - int(n_images.max(initial=0))
    if left < SMALLEST_FIT:
        raise FovealError(
            f"{data.name}: without fold {present[n_images.argmax()]} of {n_folds} there are {left} images to fit to, "
            f"and at least {SMALLEST_FIT} are needed (image i is in fold i modulo {n_folds}); choose another number"
        )
    return present.tolist()


def named_folds(n_images: int) -> dict[str, Int[np.ndarray, " held_out"]]:
    """The splits "fold0" to "fold9" of a whole data set, as positions of their images."""
    number = np.arange(n_images) % FOLDS
    return {f"fold{fold}": np.flatnonzero(number == fold) for fold in range(FOLDS)}
