"""How alike sampled scanpaths and people's are, beside how alike people's are among each other.

    python benchmarks/path_levels.py [--images 28] [--observers 6]

On every fifth picture of OSIE, which foveal-path was not fitted to. Each sampled path begins where a person began and
is as long as the person's. It is compared with the paths of the other people. Means over pairs, then over pictures.
"""

import argparse
from itertools import combinations

import pandas as pd

import foveal
from foveal.gaze import Fixations
from foveal.gaze.scanpaths import scanpaths
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.metrics.paths import compare_paths
from foveal.models.scanpaths import ScanpathModel, load_scanpath_model

MODELS = ("static", "inhibition-of-return", "saccade-statistics", "foveal-path")
METRICS = "ScanMatch,edit,DTW"
EVERY = 5
FEWEST = 3  # fixations of a path


def sampled(model: ScanpathModel, image: str, path: Fixations, seed: int) -> Fixations:
    """A path that begins as a person's and is as long."""
    return model.sample(image, len(path.x), seed, first=(float(path.x[0]), float(path.y[0])))


def main() -> None:
    """Print a table: a row for people and for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=28)
    parser.add_argument("--observers", type=int, default=6)
    options = parser.parse_args()
    dataset = foveal.load_dataset("osie")
    models = {name: load_scanpath_model(name) for name in MODELS}
    rows = []
    for image in range(0, EVERY * options.images, EVERY):
        people = [path for path in scanpaths(dataset.fixations.for_image(image)) if len(path.x) >= FEWEST]
        people = people[: options.observers]
        size, ppd = tuple(dataset.stimuli.sizes[image].tolist()), dataset.stimuli[image].pixels_per_degree
        pairs = {"people": list(combinations(people, 2))}
        for name, model in models.items():
            own = [sampled(model, dataset.stimuli[image].image, path, seed=image) for path in people]
            pairs[name] = [(own[a], people[b]) for a in range(len(people)) for b in range(len(people)) if a != b]
        for name, some in pairs.items():
            compared = [compare_paths(a, b, size, pixels_per_degree=ppd, metrics=METRICS) for a, b in some]
            rows.append({"paths": name, **pd.DataFrame(compared).mean()})
    table = pd.DataFrame(rows)
    for name, of_one in table.groupby("paths", sort=False):
        cells = []
        for metric in METRICS.split(","):
            values = of_one[metric].to_numpy()
            low, high = bootstrap_interval(lambda some: some.mean(axis=-1), values, seed=0)
            cells.append(f"{metric} {values.mean():.3f} ({low:.3f} … {high:.3f})")
        print(f"{name}: {', '.join(cells)}")


if __name__ == "__main__":
    main()
