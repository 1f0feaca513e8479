"""foveal-s and foveal-l on photographs that they were not trained on: each fold in turn left out of the training.

    python benchmarks/cross_validation.py --out cv
    python benchmarks/cross_validation.py --out cv --folds 3,4    # some of them; the others when there is time

Image i of a data set belongs to fold i modulo 10. Both models are scored twice: as they are in training, where each
data set has its own center bias, sharpness and weight of the center bias, learned on its other nine folds; and "as
published", as `foveal predict` would use the fold's networks, with one temperature, center bias and weight for all.

What is trained for a fold, the teacher first, lies in a folder of its own below --out (started again, it goes on where
it was); how good both are on the fold's photographs is kept by image in a table a fold,
benchmarks/results/cross_validation/FOLD.csv, and folds whose table is there are not done again (after a change of the
recipe, delete the tables and take a new --out): unlike those of `foveal train foveal-s --folds 10`, they can come from
several machines, and runs side by side can have different --folds. Means and 95 % intervals over all photographs that
were judged so far are printed, and written as `foveal evaluate --json` does: `foveal models foveal-s --results
benchmarks/results/cross_validation.json`.
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd
from timing import say

import foveal
from foveal.benchmarking import Predictions
from foveal.benchmarking.results import Results, write_json
from foveal.files import write_atomically
from foveal.gaze.folds import FOLDS, held_out_images
from foveal.models import load_model
from foveal.training import Recipe, train_by_recipe
from foveal.training.recipe import read_recipe
from foveal.training.runs.one_run import HELD_OUT, write_maps
from foveal.training.runs.tree import TEACHER

TABLES = Path(__file__).parent / "results" / "cross_validation"
METRICS = ["IG", "explained_information", "AUC", "sAUC", "NSS", "CC"]


def judged(recipe: Recipe, fold: int, out: Path) -> pd.DataFrame:
    """Train without a fold, and score it: a row for each of its photographs, of the two models each in two ways."""
    train_by_recipe(recipe.without_fold(fold), out=out, resume=True, progress=say)
    runs = {recipe.model: out, "foveal-l": out / TEACHER}
    tables = []
    for name in recipe.datasets:
        data = foveal.load_dataset(name).looked_at()  # as it was trained on
        images = held_out_images(data, fold).tolist()
        with tempfile.TemporaryDirectory() as folder:
            files = {run / HELD_OUT / f"{data.name}.hdf5": model for model, run in runs.items()}
            for model, run in runs.items():
                network = load_model(run / f"{model}.safetensors")
                file = Path(folder) / f"{model}.hdf5"
                write_maps(
                    file, {data.stimuli.ids[i]: network.predict(data.stimuli[i].image).log_density for i in images}
                )
                files[file] = f"{model}, as published"
            per_image = foveal.evaluate([Predictions(file, resize=True) for file in files], data, METRICS).per_image
        if len(per_image) != len(files) * len(images):
            raise SystemExit(f"{name}: not all photographs of fold {fold} were scored")
        tables.append(per_image.assign(model=per_image["model"].map({str(file): what for file, what in files.items()})))
        say(f"fold {fold}: {name}", len(images), len(images))
    return pd.concat(tables)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", default=",".join(str(fold) for fold in range(FOLDS)))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    recipe = read_recipe("foveal-s")
    assert isinstance(recipe, Recipe)
    for fold in [int(fold) for fold in arguments.folds.split(",")]:
        table = TABLES / f"{fold}.csv"
        if not table.is_file():
            values = judged(recipe, fold, arguments.out / str(fold))
            with write_atomically(table) as temporary:
                values.to_csv(temporary, index=False, float_format="%.6g")
    results = Results.of(pd.concat(map(pd.read_csv, sorted(TABLES.glob("*.csv")))), METRICS, [], seed=0)
    write_json(results, TABLES.with_suffix(".json"))
    print(results.to_string(index=False))


if __name__ == "__main__":
    main()
