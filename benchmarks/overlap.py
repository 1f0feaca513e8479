"""Are photographs of MIT1003 among those that foveal-s and foveal-l were trained on, or of a fold among the others?

    python benchmarks/overlap.py --data-root data

Each photograph of MIT1003, and its mirror image, beside each of OSIE, EyeCrowd and Scene, and each of those beside each
other one that is not in its fold; all brought to 24 x 24 gray pixels. The correlations of the ten pairs that are most
alike, to be looked at. Of two copies of one picture it is above .99.
"""

import argparse
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float
from timing import keep

import foveal
from foveal.gaze.folds import fold_of
from foveal.training.recipe import Recipe, read_recipe

SIDE = 24
SHOWN = 10


def thumbnails(dataset: foveal.Dataset) -> Float[np.ndarray, "image pixel"]:
    """Standardised, so that products are correlations."""
    rows = []
    for stimulus in dataset.stimuli:
        gray = cv2.cvtColor(stimulus.image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(float).flatten()
        rows.append((small - small.mean()) / (np.linalg.norm(small - small.mean()) + 1e-9))
    return np.stack(rows)


def alike(one: Float[np.ndarray, "n pixel"], other: Float[np.ndarray, "m pixel"]) -> Float[np.ndarray, "n m"]:
    """Correlation of each with each, or with its mirror image, if that is higher."""
    mirrored = one.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(len(one), -1)
    return np.maximum(one @ other.T, mirrored @ other.T)


def most_alike(values: Float[np.ndarray, "n m"], names: Sequence[str], other_names: Sequence[str]) -> dict[str, float]:
    """The pairs with the highest values."""
    places = np.argsort(values, axis=None)[::-1][:SHOWN]
    rows, columns = np.unravel_index(places, values.shape)
    return {
        f"{names[row]} and {other_names[column]}": float(values[row, column])
        for row, column in zip(rows, columns, strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    recipe = read_recipe("foveal-s")
    assert isinstance(recipe, Recipe)
    test = foveal.load_dataset("mit1003", arguments.data_root)
    datasets = [foveal.load_dataset(name, arguments.data_root) for name in recipe.datasets]
    trained = np.concatenate([thumbnails(data) for data in datasets])
    names = [f"{data.name}'s {image}" for data in datasets for image in data.stimuli.ids]
    found = most_alike(alike(thumbnails(test), trained), [f"mit1003's {image}" for image in test.stimuli.ids], names)
    fold = np.concatenate([fold_of(data) for data in datasets])
    in_two_folds = np.triu(fold[:, None] != fold)  # each pair once
    found |= most_alike(np.where(in_two_folds, alike(trained, trained), -1), names, names)
    keep("overlap", found)


if __name__ == "__main__":
    main()
