import dataclasses
import json
import math

import numpy as np
import pytest
from toy import make_photograph, write_image

import foveal
from foveal.benchmark import write_json
from foveal.benchmark.bootstrap import bootstrap_interval
from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.models import load_model
from foveal.models.baselines import CenterBias

MODELS = ["uniform", "centerbias", "bms", "gold"]


@pytest.fixture(scope="module")
def results(dataset):
    return foveal.evaluate(MODELS, dataset)


def value(results, model, metric):
    return float(results[(results.model == model) & (results.metric == metric)]["value"].iloc[0])


def test_the_order_of_the_yardsticks(results):
    assert value(results, "uniform", "AUC") == 0.5
    assert value(results, "uniform", "NSS") == 0
    assert value(results, "uniform", "LL") == pytest.approx(0, abs=1e-4)
    assert value(results, "centerbias", "IG") == pytest.approx(0, abs=1e-4)
    assert value(results, "gold", "explained_information") == pytest.approx(1, abs=1e-4)
    assert value(results, "gold", "IG") > value(results, "bms", "IG")


def test_ig_is_the_difference_of_likelihoods(results):
    for model in MODELS:
        gain = value(results, model, "LL") - value(results, "centerbias", "LL")
        assert value(results, model, "IG") == pytest.approx(gain, abs=1e-4)
        share = gain / value(results, "gold", "IG")
        assert value(results, model, "explained_information") == pytest.approx(share, abs=1e-3)


def test_the_table_is_tidy_and_the_images_are_kept(results, dataset):
    assert list(results.columns) == ["model", "dataset", "metric", "value", "ci_low", "ci_high", "n_images"]
    assert len(results) == 20
    assert (results.n_images == 8).all()
    assert ((results.ci_low <= results.value) & (results.value <= results.ci_high)).all()
    part = results.per_image[results.per_image.model == "bms"]
    assert part.image.tolist() == list(dataset.stimuli.ids)
    assert part.AUC.mean() == pytest.approx(value(results, "bms", "AUC"))
    assert list(results.per_image.columns) == ["model", "dataset", "image", "AUC", "LL", "IG", "NSS"]


def test_likelihood_is_that_of_the_predictions(results, dataset):
    """The whole way by hand: predict every image, look up every fixation."""
    model = load_model("bms")
    per_image = []
    for i, stimulus in enumerate(dataset.stimuli):
        log_density = model.predict(stimulus.image).log_density
        part = dataset.fixations.for_image(i)
        nats = log_density[part.pixel_y, part.pixel_x].mean()
        per_image.append(nats / math.log(2) + math.log2(log_density.size))
    assert value(results, "bms", "LL") == pytest.approx(np.mean(per_image), abs=1e-4)


def test_gold_is_scored_on_each_subject_apart(results, dataset):
    maps, parts = foveal.models.baselines.GoldStandard.cross_validated(dataset).log_densities(0)
    scores = []
    for log_density, part in zip(maps.numpy(), parts, strict=True):
        density = np.exp(log_density.astype(np.float64))
        scores += ((density[part.pixel_y, part.pixel_x] - density.mean()) / density.std()).tolist()
    nss = results.per_image[results.per_image.model == "gold"].NSS.iloc[0]
    assert nss == pytest.approx(np.mean(scores), rel=1e-3)


def test_a_part_is_scored_against_the_yardsticks_of_the_whole(results, dataset):
    """Image by image, the same numbers as when all images are scored."""
    with_split = dataclasses.replace(dataset, splits={"some": np.array([6, 2, 5])})
    part = foveal.evaluate(MODELS, with_split, split="some", limit=2)
    assert (part.n_images == 2).all()
    for model in MODELS:
        expected = results.per_image[results.per_image.model == model].set_index("image").loc[["2", "6"]]
        actual = part.per_image[part.per_image.model == model].set_index("image")
        for metric in ("LL", "IG", "AUC", "NSS"):
            np.testing.assert_allclose(actual[metric], expected[metric], atol=1e-6)


def test_raw_maps(dataset):
    results = foveal.evaluate(["bms"], dataset, raw=True)
    assert set(results.metric) == {"AUC", "NSS"}
    with pytest.raises(FovealError, match="LL is defined for densities"):
        foveal.evaluate(["bms"], dataset, ["LL"], raw=True)
    for name in ("uniform", "centerbias", "gold"):
        with pytest.raises(FovealError, match="no raw map"):
            foveal.evaluate([name], dataset, ["AUC"], raw=True)


def test_images_of_several_sizes_and_without_fixations():
    sizes = [(60, 80), (80, 60), (60, 80), (50, 50)]
    stimuli = Stimuli([make_photograph(i, size) for i, size in enumerate(sizes)], pixels_per_degree=4.0)
    fixations = Fixations.of([0, 0, 1, 1, 3, 3], [10, 20, 30, 40, 5, 9], [5, 6, 7, 8, 9, 9], subject=[0, 1] * 3)
    results = foveal.evaluate(MODELS, Dataset("mixed", stimuli, fixations))
    assert (results.n_images == 3).all()
    assert results.per_image[results.per_image.model == "gold"].image.tolist() == ["0", "1", "3"]


def test_without_subjects_there_is_no_gold_standard(dataset):
    fixations = Fixations.of(dataset.fixations.image, dataset.fixations.x, dataset.fixations.y)
    anonymous = dataclasses.replace(dataset, fixations=fixations)
    assert "explained_information" not in set(foveal.evaluate(["uniform"], anonymous).metric)
    with pytest.raises(FovealError, match="which subject"):
        foveal.evaluate(["uniform"], anonymous, ["explained_information"])


def test_an_image_that_breaks_is_reported_and_the_rest_is_scored(dataset, tmp_path):
    paths = [write_image(tmp_path / f"{i}.png", stimulus.image) for i, stimulus in enumerate(dataset.stimuli)]
    stimuli = Stimuli(paths, pixels_per_degree=4.0)
    assert len(stimuli.sizes) == 8
    paths[3].write_bytes(paths[3].read_bytes()[:300])
    results = foveal.evaluate(["bms"], Dataset("broken", stimuli, dataset.fixations), ["LL", "IG"])
    assert (results.n_images == 7).all()
    assert len(results.problems) == 1
    assert "3.png" in results.problems[0]


def test_nothing_to_score(dataset):
    empty = dataclasses.replace(dataset, fixations=dataset.fixations.where(slice(0, 0)))
    with pytest.raises(FovealError, match="no image to score has fixations"):
        foveal.evaluate(["uniform"], empty)


def test_a_fitted_center_bias_and_a_model_object_can_be_given(dataset):
    table = foveal.evaluate([CenterBias(), load_model("bms")], dataset, ["AUC"])
    assert table.model.tolist() == ["centerbias", "bms"]


def test_json_is_a_list_of_rows(results, tmp_path):
    write_json(results, tmp_path / "out.json")
    rows = json.loads((tmp_path / "out.json").read_text())
    assert len(rows) == 20
    assert set(rows[0]) == {"model", "dataset", "metric", "value", "ci_low", "ci_high", "n_images"}


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        low, high = bootstrap_interval(lambda v: v.mean(axis=-1), rng.normal(3, 1, 60), seed=seed)
        hits += low <= 3 <= high
    assert 180 <= hits <= 199


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(1).random(50)
    mean = lambda v: v.mean(axis=-1)  # noqa: E731
    assert bootstrap_interval(mean, values, seed=3) == bootstrap_interval(mean, values, seed=3)
    assert bootstrap_interval(mean, values, seed=3) != bootstrap_interval(mean, values, seed=4)
