import dataclasses
import json
import math
import warnings

import numpy as np
import pytest
from toy import make_dataset, make_photograph, write_image

import foveal
from foveal.benchmarking import benchmark, write_json
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.metrics import FixationBatch, auc_borji, get_metrics, list_metrics
from foveal.metrics.bootstrap import bootstrap_interval
from foveal.models import load_model, save_model, trained_on
from foveal.models.base import stacked
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
    assert set(results.metric) == set(list_metrics())
    assert (results.n_images == 8).all()
    assert ((results.ci_low <= results.value) & (results.value <= results.ci_high)).all()
    part = results.per_image[results.per_image.model == "bms"]
    assert part.image.tolist() == list(dataset.stimuli.ids)
    assert part.AUC.mean() == pytest.approx(value(results, "bms", "AUC"))
    per_image = [name for name in list_metrics() if name != "explained_information"]
    assert list(results.per_image.columns) == ["model", "dataset", "image", *per_image, "gold_IG"]


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
    assert set(results.metric) == {metric.name for metric in get_metrics("all") if metric.takes_any_map}
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


def test_a_center_bias_that_is_given_is_scored_as_it_is(results, dataset, tmp_path):
    """By its name, the data set's own is made; an object or a file is what it is: here, uniform."""
    table = foveal.evaluate([CenterBias(), load_model("bms")], dataset, ["AUC"])
    assert table.model.tolist() == ["centerbias", "bms"]
    assert table.value[0] == 0.5
    assert value(results, "centerbias", "AUC") > 0.6


@pytest.mark.filterwarnings("ignore:.*were trained on by:foveal.errors.FovealNote")
def test_models_of_one_name_are_told_apart(dataset, tmp_path):
    path = foveal.train("bms", dataset, out=tmp_path).path
    table = foveal.evaluate(["bms", path], dataset, "LL")
    assert table.model.tolist() == ["bms", path]
    assert table.value[1] > table.value[0]
    with pytest.raises(FovealError, match="two of the models are called 'bms'"):
        foveal.evaluate(["bms", load_model("bms")], dataset, "LL")
    with pytest.raises(FovealError, match="no model to evaluate"):
        foveal.evaluate([], dataset)


def test_what_cannot_be_done_is_said_before_anything_is_computed(dataset):
    done = []
    one_subject = dataclasses.replace(dataset, fixations=dataset.fixations.for_subject(0))
    for models, data in ((["bms", "typo"], dataset), (["bms", "gold"], one_subject)):
        with pytest.raises(FovealError):
            foveal.evaluate(models, data, ["AUC"], progress=lambda *step: done.append(step))
    assert done == []


def test_all_leaves_out_what_cannot_be_had(dataset):
    one_subject = dataclasses.replace(dataset, fixations=dataset.fixations.for_subject(0))
    assert set(foveal.evaluate("uniform", one_subject).metric) == {*list_metrics()} - {"explained_information"}
    one_image = dataclasses.replace(dataset, fixations=dataset.fixations.for_image(0))
    of_one_image = {"AUC", "AUC_Judd", "AUC_Borji", "NSS", "NSS_MIT", "CC", "SIM", "SIM_MIT", "KL", "EMD", "LL"}
    assert set(foveal.evaluate("uniform", one_image).metric) == of_one_image
    with pytest.raises(FovealError, match="one image only"):
        foveal.evaluate("uniform", one_image, "IG")


def test_every_image_is_scored_at_its_own_scale(dataset, monkeypatch):
    seen = []
    model = load_model("uniform")
    log_density = type(model).log_density

    def spy(self, images, pixels_per_degree=None):
        seen.extend([pixels_per_degree] * len(images))
        return log_density(self, images, pixels_per_degree)

    monkeypatch.setattr(type(model), "log_density", spy)
    stimuli = Stimuli(dataset.stimuli.sources, pixels_per_degree=[4.0] * 5 + [9.0] * 3)
    foveal.evaluate(model, dataclasses.replace(dataset, stimuli=stimuli), "LL")
    assert sorted(seen) == [4.0] * 5 + [9.0] * 3
    seen.clear()
    guessed = Stimuli(dataset.stimuli.sources, pixels_per_degree=35.0, scale_is_assumed=True)
    foveal.evaluate(model, dataclasses.replace(dataset, stimuli=guessed), "LL")
    assert seen == [None] * 8  # a model knows better what to assume


def test_no_map_is_rendered_for_the_likelihood_of_a_baseline(dataset, monkeypatch):
    monkeypatch.setattr("foveal.models.baselines.CrossValidatedGoldStandard.log_densities", None)
    table = foveal.evaluate(["gold", "centerbias"], dataset, ["LL", "IG", "explained_information"])
    assert table[table.metric == "explained_information"].value.tolist() == [1, 0]


def test_a_share_of_nothing_is_no_number(tmp_path):
    rng = np.random.default_rng(0)
    stimuli = Stimuli([make_photograph(i) for i in range(6)], pixels_per_degree=4.0)
    noise = Fixations.of(np.repeat(np.arange(6), 4), rng.uniform(0, 79, 24), rng.uniform(0, 59, 24), [0, 1] * 12)
    table = foveal.evaluate("uniform", Dataset("noise", stimuli, noise), "explained_information")
    write_json(table, tmp_path / "n.json")
    gold = foveal.evaluate("gold", Dataset("noise", stimuli, noise), "IG").value[0]
    assert (json.loads((tmp_path / "n.json").read_text())[0]["value"] is None) == (gold <= 0)


def test_json_is_a_list_of_rows(results, tmp_path):
    write_json(results, tmp_path / "out.json")
    rows = json.loads((tmp_path / "out.json").read_text())
    assert len(rows) == len(results)
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


def test_a_prediction_that_is_no_number_is_reported_with_its_image(dataset):
    broken_on = stacked([dataset.stimuli[2].image])

    class Broken(type(load_model("uniform"))):
        def log_density(self, images, pixels_per_degree=None):
            maps = super().log_density(images)
            maps[(images == broken_on).all(dim=(1, 2, 3))] = np.nan
            return maps

    results = foveal.evaluate(Broken(), dataset, ["LL", "NSS"])
    assert results.n_images.tolist() == [7, 7]
    assert results.problems == ["2: the prediction holds NaN or infinite values"]


def test_the_seed_reaches_the_draws(dataset):
    values = [foveal.evaluate("bms", dataset, ["AUC_Borji"], seed=seed).value[0] for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize("raw", [False, True])
def test_thresholds_at_even_steps_judge_ranks_of_a_density_and_values_of_a_raw_map(dataset, raw):
    found = foveal.evaluate("bms", dataset, ["AUC_Borji"], raw=raw).per_image["AUC_Borji"][0]
    model, fixations = load_model("bms"), FixationBatch.stack([dataset.fixations.for_image(0)])
    pixels = [dataset.stimuli[0].image]
    maps = model.saliency_map_of(pixels) if raw else model.log_density_of(pixels)
    one, other = (auc_borji(maps, fixations, equalize=equalize).item() for equalize in (not raw, raw))
    assert found == pytest.approx(one, abs=1e-6)
    assert abs(found - other) > 1e-3


def test_metrics_twice_and_all_in_a_list(dataset):
    assert foveal.evaluate("uniform", dataset, ["AUC", "auc"]).metric.tolist() == ["AUC"]
    assert set(foveal.evaluate("uniform", dataset, ["all"]).metric) == set(list_metrics())


def test_photographs_that_a_model_was_fitted_to_are_said(dataset, tmp_path):
    """By the name of their data set, where the weights do not say more."""
    bms, icf = tmp_path / "bms.safetensors", tmp_path / "icf.safetensors"
    for path in (bms, icf):
        save_model(load_model(path.stem), path, {"dataset": "osie", "licence": "MIT", "n_images": 700})
    osie = dataclasses.replace(dataset, name="osie")
    with pytest.warns(FovealNote, match=r"osie: 8 of 8 photographs were trained on by .*bms"):
        foveal.evaluate(bms, osie, metrics="AUC")
    one, two = ({"datasets": [{"name": name, "licence": "MIT", "images": 8}]} for name in ("here", "there"))
    save_model(CenterBias(), tmp_path / "mixture.safetensors", {"members": {"one": one, "two": two}})
    assert trained_on(tmp_path / "mixture.safetensors") == ["here", "there"]
    assert trained_on("uniform") == []
    assert trained_on("judd") == ["osie", "eyecrowd", "scene"]  # the latter two by what it reads
    with warnings.catch_warnings():
        warnings.simplefilter("error", FovealNote)
        foveal.evaluate([bms, "bms"], dataset, metrics="AUC")
        foveal.evaluate(bms, osie, metrics="AUC", raw=True)
    # Its readout is no part of the calibration.
    with pytest.warns(FovealNote, match=r"osie: 8 of 8 photographs were trained on by .*icf"):
        foveal.evaluate(icf, osie, metrics="AUC", raw=True)


def test_photographs_that_were_trained_on_are_known_by_their_content(dataset, tmp_path):
    """Whatever the data set is called; and another data set of the same name is not taken for it."""
    trained = foveal.train("bms", dataset.select(range(5)), out=tmp_path).path
    looked_at = dataset.fixations
    halved = dataclasses.replace(
        dataset,
        name="study",
        stimuli=Stimuli([stimulus.image[::2, ::2] for stimulus in dataset.stimuli]),
        fixations=Fixations.of(looked_at.image, looked_at.x / 2 - 0.25, looked_at.y / 2 - 0.25),
    )
    with pytest.warns(FovealNote, match="study: 5 of 8 photographs were trained on by"):
        foveal.evaluate(trained, halved, metrics="AUC")
    with pytest.warns(FovealNote, match="study: 1 of 4 photographs were trained on by"):
        foveal.evaluate(trained, dataclasses.replace(halved, splits={"s": np.array([4, 5, 6, 7])}), "AUC", split="s")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FovealNote)
        others = make_dataset(n_images=14).select(range(8, 14))
        assert others.name == dataset.name
        foveal.evaluate(trained, others, metrics="AUC")


def test_a_model_that_scores_no_image_does_not_lose_the_others(dataset, tmp_path):
    broken = load_model("bms")
    broken.calibration.steps.fill_(np.nan)
    save_model(broken, tmp_path / "broken.safetensors")
    results = foveal.evaluate(["uniform", tmp_path / "broken.safetensors"], dataset, ["AUC"])
    assert results["model"].tolist() == ["uniform"]
    assert any("no image could be scored by" in line for line in results.problems)
    done = benchmark(["uniform", str(tmp_path / "broken.safetensors")], [dataset], tmp_path / "out", ["AUC"])
    assert done.results["model"].tolist() == ["uniform"]
    assert "no image could be scored by" in (tmp_path / "out/report.html").read_text(encoding="utf-8")
    with pytest.raises(FovealError, match="no image could be scored"):
        foveal.evaluate([tmp_path / "broken.safetensors"], dataset, ["AUC"])


def test_a_window_is_scored_against_the_yardsticks_of_the_window(dataset):
    """The same numbers as those of a data set that has no other fixations."""
    order = dataset.fixations.order
    timed = dataclasses.replace(dataset, fixations=dataclasses.replace(dataset.fixations, start=200.0 * order))
    only = dataclasses.replace(dataset, fixations=timed.fixations.where((order == 1) | (order == 2)))
    expected = foveal.evaluate(MODELS, only, ["IG", "NSS"])
    for part, which in (
        (foveal.evaluate(MODELS, timed, ["IG", "NSS"], window=(200, 600)), "toy, 200 to 600 ms"),
        (foveal.evaluate(MODELS, timed, ["IG", "NSS"], order=(2, 3)), "toy, fixations 2 to 3"),
        (foveal.evaluate(MODELS, timed, ["IG", "NSS"], order=(2, 5), window=(0, 600)), None),
    ):
        np.testing.assert_array_equal(part["value"], expected["value"])
        assert which is None or set(part["dataset"]) == set(part.per_image["dataset"]) == {which}
    assert value(expected, "centerbias", "IG") == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"window": (0,)}, "window: two numbers"),
        ({"window": 500}, "window: a list"),
        ({"order": (1, 2, 3)}, "order: two numbers"),
        ({"order": 0}, "number of the first fixation"),
    ],
)
@pytest.mark.usefixtures("as_users_run_it")
def test_a_window_that_is_none_is_refused(dataset, wrong, complaint):
    with pytest.raises(FovealError, match=complaint):
        foveal.evaluate("uniform", dataset, "NSS", **wrong)
