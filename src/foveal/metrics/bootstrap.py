"""How sure one can be of a mean over images: percentile bootstrap intervals."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

RESAMPLES = 2000
CONFIDENCE = 0.95


def bootstrap_interval(
    statistic: Callable[..., Float[np.ndarray, "*resample"]], *per_image: Float[np.ndarray, " image"], seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a statistic of per-image values, the images drawn with replacement.

    Parameters
    ----------
    statistic
        Takes as many arrays as are given, images in the last dimension, and returns one number a row.
    per_image
        One value an image; arrays given together are resampled together.
    seed
        The same seed gives the same interval.

    >>> low, high = bootstrap_interval(lambda values: values.mean(axis=-1), np.arange(100.0))
    >>> 43 < low < 45 < 54 < high < 56
    True
    """
    n_images = len(per_image[0])
    drawn = np.random.default_rng(seed).integers(n_images, size=(RESAMPLES, n_images))
    tail = 100 * (1 - CONFIDENCE) / 2
    # A resample may have no value (a share of nothing); the others tell.
    values = statistic(*(values[drawn] for values in per_image))
    low, high = np.nanpercentile(values, [tail, 100 - tail]) if np.isfinite(values).any() else (np.nan, np.nan)
    return float(low), float(high)
