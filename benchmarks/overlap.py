"""Are photographs of MIT1003 among those that foveal-s and foveal-l were trained on?

    python benchmarks/overlap.py --data-root data

Each of its photographs, and its mirror image, beside each of OSIE, EyeCrowd and Scene, all brought to 24 x 24 gray
pixels: the correlations of the ten pairs that are most alike, to be looked at. Of two copies of one picture it is above
.99.
"""

import argparse

import cv2
import numpy as np
from jaxtyping import Float
from timing import keep

import foveal
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    recipe = read_recipe("foveal-s")
    assert isinstance(recipe, Recipe)
    test = foveal.load_dataset("mit1003", arguments.data_root)
    seen = thumbnails(test)
    mirrored = seen.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(len(seen), -1)
    found = {}
    for name in recipe.datasets:
        data = foveal.load_dataset(name, arguments.data_root)
        alike = np.maximum(seen @ (trained := thumbnails(data)).T, mirrored @ trained.T)
        for place in np.argsort(alike, axis=None)[::-1][:SHOWN]:
            one, other = np.unravel_index(place, alike.shape)
            found[f"{test.stimuli.ids[one]} and {name}'s {data.stimuli.ids[other]}"] = float(alike[one, other])
    most = sorted(found, key=lambda pair: -found[pair])[:SHOWN]
    keep("overlap", {pair: found[pair] for pair in most})


if __name__ == "__main__":
    main()
