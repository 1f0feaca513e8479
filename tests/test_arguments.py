"""Wrong arguments from Python: one line that names what is expected, never another library's traceback."""

import numpy as np
import pandas as pd
import pytest
import torch
from toy import make_dataset, make_photograph

import foveal
from foveal.errors import FovealError

pytestmark = pytest.mark.usefixtures("as_users_run_it")

PHOTOGRAPH = make_photograph()
DATASET = make_dataset(n_images=2)
DENSITY = np.full(PHOTOGRAPH.shape[:2], -np.log(PHOTOGRAPH[..., 0].size), np.float32)

NONE = [None, 1j, b"x", object(), [None], [[1, 2], [3]], np.array(["a"]), np.array([1j]), torch.zeros(1, 1, 1, 1, 1)]
NO_NUMBER = [*NONE, True, "1", 2.5, float("nan"), pd.NaT, np.zeros((2, 2)), pd.Series([1, None])]
NO_COLUMN = [*NONE, 3.0, "abc", {}, [True, False], ["1", "2"], [1.0], [[1.0, 2.0]], np.array([1, 2], "datetime64[s]")]
NO_WHOLE = [*NO_COLUMN, [0.5, 1], [np.nan, 1], [np.inf, 1]]
NO_PATH = [*NONE, 3, 2.5, True, "a\0b", "a" * 300, "\ud800", {}]
NO_TEXT = [*NONE, 3, {}, pd.DataFrame({"a": [1]})]

CALLS = {
    "model to train": (lambda x: foveal.train(x, DATASET), [*NONE, 3, "uniform", "none"]),
    "folds": (lambda x: foveal.train("centerbias", DATASET, folds=x), ["a", 2.5, 1, -1, True, 99]),
    "seed of a training": (lambda x: foveal.train("bms", DATASET, seed=x), NO_NUMBER[1:]),
    "penalty": (lambda x: foveal.train("deepgaze1", DATASET, penalty=x), ["a", -1, float("nan")]),
    "out of a training": (lambda x: foveal.train("bms", DATASET, out=x), [None, 3, "a\0b"]),
    "image": (lambda x: foveal.Fixations.of(x, [1.0, 2.0], [1.0, 2.0]), [*NO_WHOLE, [-1, 0]]),
    "x": (lambda x: foveal.Fixations.of([0, 0], x, [1.0, 2.0]), [*NO_COLUMN, [np.nan, 1]]),
    "subject": (lambda x: foveal.Fixations.of([0, 0], [1.0, 2.0], [1.0, 2.0], subject=x), [*NO_WHOLE[1:], []]),
    "duration": (lambda x: foveal.Fixations.of([0, 0], [1.0, 2.0], [1.0, 2.0], duration=x), [*NO_COLUMN[1:], []]),
    "for_image": (lambda x: DATASET.fixations.for_image(x), [*NO_NUMBER, -1]),
    "for_subject": (lambda x: DATASET.fixations.for_subject(x), NO_NUMBER),
    "where": (lambda x: DATASET.fixations.where(x), ["a", [0.5], [10**6], [True], [[1, 2], [3]], {}]),
    "inside": (lambda x: DATASET.fixations.inside(x), [*NONE, 3, [[60, 80]], [[60, -80]] * 2, [[60.5, 80]] * 2]),
    "mean_by_image": (lambda x: DATASET.fixations.mean_by_image(x, 2), [*NONE, 3, [1.0]]),
    "Fixations.select": (lambda x: DATASET.fixations.select(x), [*NONE, 3, [0.5], [-1], [0, 0], "a"]),
    "Stimuli": (lambda x: foveal.Stimuli(x), [None, 3, "photo.jpg", [None], [3], [np.zeros(3)], [np.zeros((0, 3, 3))]]),
    "ids": (lambda x: foveal.Stimuli([PHOTOGRAPH], ids=x), [3, "a", [3], [None], ["a", "b"]]),
    "scale": (lambda x: foveal.Stimuli([PHOTOGRAPH], pixels_per_degree=x), [*NONE[1:], True, "3", -1, [[3.0]], [3, 3]]),
    "Stimuli.select": (lambda x: DATASET.stimuli.select(x), [*NONE, 3, [0.5], [2], [True], "a"]),
    "Stimuli.batches": (lambda x: list(DATASET.stimuli.batches(x)), [*NO_NUMBER, 0]),
    "Dataset": (lambda x: foveal.Dataset("n", x, x), [*NONE, DATASET]),
    "name": (lambda x: foveal.Dataset(x, DATASET.stimuli, DATASET.fixations), NO_TEXT),
    "splits": (
        lambda x: foveal.Dataset("n", DATASET.stimuli, DATASET.fixations, splits={"a": x}).split("a"),
        [*NONE, 3, [0.5], [9], [True], "a"],
    ),
    "subject_names": (
        lambda x: foveal.Dataset("n", DATASET.stimuli, DATASET.fixations, subject_names=x),
        [None, 3, "abcde", [1, 2, 3, 4, 5], ["only one"]],
    ),
    "Dataset.select": (lambda x: DATASET.select(x), [*NONE, 3, [0.5], [2], [True], [0, 0], "a"]),
    "limit of a data set": (lambda x: DATASET.limit(x), [*NO_NUMBER, 0, -1]),
    "split of a data set": (lambda x: DATASET.split(x), NO_TEXT),
    "predict": (lambda x: foveal.load_model("uniform").predict(x), [*NONE, 3, {}, "a\0b", torch.zeros(3, 8, 8)]),
    "scale of a photograph": (
        lambda x: foveal.load_model("uniform").predict(PHOTOGRAPH, x),
        [*NONE[1:], True, "35", -1, float("inf"), 10**400],
    ),
    "names": (lambda x: foveal.load_model("uniform").predict_batch([PHOTOGRAPH], x), [None, 3, "a", [3], ["a", "b"]]),
    "load_model": (foveal.load_model, NO_PATH),
    "device": (lambda x: foveal.load_model("uniform", x), [None, True, 2.5, [], 10**400, np.zeros(2)]),
    "load_dataset": (foveal.load_dataset, NO_PATH),
    "save_dataset": (lambda x: foveal.save_dataset(x, "out"), [*NONE, 3, "a"]),
    "folder": (lambda x: foveal.save_dataset(DATASET, x), NO_PATH),
    "format of a table": (lambda x: foveal.save_dataset(DATASET, "out", x), [*NO_TEXT, "xlsx"]),
    "models": (lambda x: foveal.evaluate(x, DATASET, "LL"), [None, 3, [3], [None], [[]], [np.zeros((2, 2))], []]),
    "dataset": (lambda x: foveal.evaluate("uniform", x, "LL"), NO_PATH),
    "metrics": (lambda x: foveal.evaluate("uniform", DATASET, x), [*NO_TEXT, "", [], "LL,AUK", ["LL,AUC"]]),
    "split": (lambda x: foveal.evaluate("uniform", DATASET, "LL", split=x), [*NO_TEXT[1:], "fold0"]),
    "limit": (lambda x: foveal.evaluate("uniform", DATASET, "LL", limit=x), [*NO_NUMBER[1:], 0, -1, "3"]),
    "seed": (lambda x: foveal.evaluate("uniform", DATASET, "LL", seed=x), [*NO_NUMBER, -1, 10**400]),
    "Predictions": (foveal.Predictions, NO_PATH),
    "export": (lambda x: foveal.export("uniform", DATASET, x), NO_PATH),
    "format": (lambda x: foveal.export("uniform", DATASET, "out.h5", format=x), NO_TEXT),
    "predict_files": (lambda x: foveal.predict_files(x, "uniform"), [None, 3, [3], [None], ["a\0b"]]),
    "save": (lambda x: foveal.predict_files([], "uniform", save=x), [*NO_TEXT, "", "video", ["overlay", 3]]),
    "batch size": (lambda x: foveal.predict_files([], "uniform", batch_size=x), [*NO_NUMBER, 0]),
    "image of a prediction": (lambda x: foveal.Prediction(x, DENSITY, "m"), [*NONE, DENSITY, PHOTOGRAPH[..., 0]]),
    "density": (lambda x: foveal.Prediction(PHOTOGRAPH, x, "m"), [*NONE, DENSITY[1:], DENSITY[None], DENSITY < 0]),
    "name of a prediction": (lambda x: foveal.Prediction(PHOTOGRAPH, DENSITY, "m", x), [*NO_TEXT, "a\0b"]),
    "out of a prediction": (lambda x: foveal.Prediction(PHOTOGRAPH, DENSITY, "m").save(x), NO_PATH),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_cannot_be_used_is_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, wrong = CALLS[name]
    for given in wrong:
        with pytest.raises(FovealError) as raised:
            call(given)
        assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []  # nothing was begun


def test_results_are_asked_for_what_they_hold():
    results = foveal.evaluate(["uniform", "centerbias"], DATASET, "LL")
    for given in (None, 3, [], "bms"):
        with pytest.raises(FovealError, match="model"):
            results.against(given)
    with pytest.raises(FovealError, match="seed: a whole number"):
        results.against("uniform", seed=0.5)
    with pytest.raises(FovealError, match="not the whole table"):
        results[["model", "value"]].against("uniform")


def test_columns_of_any_container_are_the_same():
    image, x, y = [0, 0, 1], [1.0, 2.5, 3.0], [4, 5, 6]
    fixations = foveal.Fixations.of(image, x, y, subject=[1, 0, 1])
    table = pd.DataFrame({"image": image, "x": x, "y": y, "subject": [1.0, 0.0, 1.0]})
    for kind in ("Int64", "float32", "object", "int64[pyarrow]"):
        column = table["image"].astype(kind)
        same = foveal.Fixations.of(column, torch.tensor(x), np.array(y, np.uint8), subject=table["subject"])
        assert same.digest() == fixations.digest()
    assert foveal.Fixations.of([], [], []).image.dtype == np.int64
    given = np.array(x)
    kept = foveal.Fixations.of(image, given, y)
    given[0] = 7  # a copy was made
    assert kept.x.tolist() == x


def test_a_mask_picks_what_is_true():
    """Truth values were taken for the positions 0 and 1."""
    mask = np.array([False, True])
    assert DATASET.stimuli.select(mask).ids == ("1",)
    assert DATASET.fixations.select(mask).x.tolist() == DATASET.fixations.for_image(1).x.tolist()
    part = foveal.Dataset("n", DATASET.stimuli, DATASET.fixations, splits={"second": mask})
    assert foveal.evaluate("uniform", part, "LL", split="second").per_image["image"].tolist() == ["1"]


def test_names_in_one_text():
    both = foveal.evaluate("uniform", DATASET, "LL, AUC")
    assert both["metric"].tolist() == ["LL", "AUC"]


def test_one_file_is_predicted_as_a_list_of_one(tmp_path):
    [path] = foveal.Prediction(PHOTOGRAPH, DENSITY, "m").save(tmp_path, "map").values()
    run = foveal.predict_files(path, "uniform", out=tmp_path / "out", save="density")
    assert [entry["image"] for entry in run.predictions] == [str(path)]
