"""foveal-s and foveal-l on photographs that they were not trained on: each fold in turn left out of the training.

    python benchmarks/cross_validation.py foveal-s --out cv
    python benchmarks/cross_validation.py foveal-s --out cv --folds 3,4    # some of them; the others when there is time

Image i of a data set belongs to fold i modulo 10. A model is scored twice: as in training, where each data set has
its own center bias and its own numbers, learned on its other nine folds; and "as published", as `foveal predict` would
use the fold's network at the data set's scale, with one center bias and the same numbers for all.

What is trained for a fold lies in a folder of its own below --out (started again, it goes on where it was); how good it
is on the fold's photographs is kept by image in a table a fold, benchmarks/results/cross_validation/MODEL/FOLD.csv, and
folds whose table is there are not done again (after a change of the recipe, delete the tables and take a new --out):
unlike those of `foveal train foveal-s --folds 10`, they can come from several machines, and runs side by side can have
different --folds. Means and 95 % intervals over all photographs that were judged so far are printed, and written as
`foveal evaluate --json` does: `foveal models foveal-s --results benchmarks/results/cross_validation.json`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from timing import say

import foveal
from foveal.benchmarking import Predictions
from foveal.benchmarking.results import Results, write_json
from foveal.files import write_atomically
from foveal.gaze.folds import FOLDS, held_out_images
from foveal.gaze.stimuli import Stimulus
from foveal.models import SaliencyModel, load_model
from foveal.training import Recipe, train_by_recipe
from foveal.training.recipe import Mixture, read_recipe
from foveal.training.runs.held_out import HELD_OUT, write_maps

TABLES = Path(__file__).parent / "results" / "cross_validation"
METRICS = ["IG", "explained_information", "AUC", "sAUC", "NSS", "CC"]


def judged(recipe: Recipe | Mixture, model: str, fold: int, out: Path) -> pd.DataFrame:
    """Train without a fold, and score it: a row for each of its photographs, in both ways."""
    path = train_by_recipe(recipe.without_fold(fold), out=out, resume=True, progress=say).path
    network, tables = load_model(path), []
    for name in recipe.examples[0]:
        data = foveal.load_dataset(name).looked_at()  # as it was trained on
        images = held_out_images(data, fold).tolist()
        with tempfile.TemporaryDirectory() as folder:
            published = Path(folder) / f"{model}.hdf5"
            write_maps(published, {data.stimuli.ids[i]: log_density_of(network, data.stimuli[i]) for i in images})
            files = {out / HELD_OUT / f"{data.name}.hdf5": model, published: f"{model}, as published"}
            per_image = foveal.evaluate([Predictions(file, resize=True) for file in files], data, METRICS).per_image
        if len(per_image) != len(files) * len(images):
            raise SystemExit(f"{name}: not all photographs of fold {fold} were scored")
        tables.append(per_image.assign(model=per_image["model"].map({str(file): what for file, what in files.items()})))
        say(f"fold {fold}: {name}", len(images), len(images))
    return pd.concat(tables)


def log_density_of(network: SaliencyModel, stimulus: Stimulus) -> np.ndarray:
    """What a network says of a photograph at its scale."""
    return network.predict(stimulus.image, stimulus.known_pixels_per_degree).log_density


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=["foveal-s", "foveal-l"])
    parser.add_argument("--folds", default=",".join(str(fold) for fold in range(FOLDS)))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.model)
    for fold in [int(fold) for fold in arguments.folds.split(",")]:
        table = TABLES / arguments.model / f"{fold}.csv"
        if not table.is_file():
            values = judged(recipe, arguments.model, fold, arguments.out / str(fold))
            table.parent.mkdir(exist_ok=True)
            with write_atomically(table) as temporary:
                values.to_csv(temporary, index=False, float_format="%.6g")
    results = Results.of(pd.concat(map(pd.read_csv, sorted(TABLES.glob("*/*.csv")))), METRICS, [], seed=0)
    write_json(results, TABLES.with_suffix(".json"))
    print(results.to_string(index=False))


if __name__ == "__main__":
    main()
