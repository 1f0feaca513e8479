"""The row that people look at on average, as `judd` tells it from the gist of a scene, on photographs not learned from.

    python benchmarks/horizon.py --data-root data

Prints its correlation with the row of the fixations: on OSIE, each tenth told by the other nine, and on MIT1003, told
by OSIE.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from timing import keep, say

import foveal
from foveal.training.fits.learning.horizon import SHRINKAGE, ridge, scenes_and_rows

FOLDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path)
    arguments = parser.parse_args()
    osie, mit1003 = (
        scenes_and_rows(foveal.load_dataset(name, arguments.data_root), say) for name in ("osie", "mit1003")
    )
    scenes, rows = osie
    fold_of = torch.arange(len(rows)) % FOLDS
    told = torch.empty_like(rows)
    for fold in range(FOLDS):
        learned = fold_of != fold
        weights, bias = ridge(scenes[learned], rows[learned], SHRINKAGE * int(learned.sum()))
        told[~learned] = scenes[~learned] @ weights + bias
    weights, bias = ridge(scenes, rows, SHRINKAGE * len(rows))
    found = {
        "OSIE, held out": np.corrcoef(told, rows)[0, 1],
        "MIT1003": np.corrcoef(mit1003[0] @ weights + bias, mit1003[1])[0, 1],
        "deviation of what is told, share of the height": float(told.std()),
        "deviation of the rows": float(rows.std()),
    }
    keep("horizon", found)


if __name__ == "__main__":
    main()
