"""DeepGaze I from features to weights: what the cache keeps, what the fit finds."""

import dataclasses
import io
import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from toy import largest_file

import foveal
from foveal.errors import FovealError, FovealNote
from foveal.features import cache as feature_cache
from foveal.features.cache import FeatureCache
from foveal.features.cells import counts_of, log_priors_of
from foveal.features.deviations import standard_deviations
from foveal.gaze import Fixations
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models import load_model
from foveal.models.backbones.backbone import Backbone
from foveal.models.baselines import CenterBias
from foveal.models.deep.deepgaze1 import DeepGaze1, DeepGaze1Config, config_for, density_grid
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.readout import LinearReadout
from foveal.training.fits.deepgaze1 import folds_over_subjects
from foveal.training.fits.fit_readout import fit_readout
from foveal.training.fits.readout_problem import (
    ReadoutProblem,
    log_likelihoods,
    objective,
    sparsity,
    sums_over_fixations,
)

pytestmark = pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
CONFIG = DeepGaze1Config(layers=("conv1", "conv5"), channels=(64, 256))


@pytest.fixture(scope="module")
def model():
    return DeepGaze1(CONFIG)


@pytest.fixture
def short_fits(monkeypatch):
    """Fits that end long before the optimum, where it matters that one is fitted and not how well."""
    monkeypatch.setattr("foveal.training.fits.deepgaze1.fit_readout", partial(fit_readout, steps=8))


@pytest.fixture
def groups(model, dataset, tmp_path):
    return FeatureCache(model, dataset, tmp_path / "features").groups()


def test_the_cache_holds_what_the_model_computes(model, dataset, tmp_path):
    with pytest.warns(FovealNote, match=r"features of 8 images will take 1\.0 MB in"):
        [group] = FeatureCache(model, dataset, tmp_path).groups()
    image = torch.from_numpy(dataset.stimuli[5].image.copy()).permute(2, 0, 1)[None].float() / 255
    features, grids = model.features(image), model.grids((60, 80))
    for layer in CONFIG.layers:
        torch.testing.assert_close(group.read(slice(5, 6))[layer], features[layer], rtol=1e-3, atol=1e-3)
    assert group.grids == grids


def test_nothing_is_computed_twice_and_an_interruption_costs_one_batch(model, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(feature_cache, "BATCH_SIZE", 2)
    computed = []
    compute = DeepGaze1.features

    def spy(self, images):
        computed.append(len(images))
        return compute(self, images)

    monkeypatch.setattr(DeepGaze1, "features", spy)

    def interrupt(what, done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FeatureCache(model, dataset, tmp_path).groups(interrupt)
    computed.clear()
    [resumed] = FeatureCache(model, dataset, tmp_path).groups()
    assert computed == [1, 2, 2]  # a look at the shapes, and the images that were missing
    [whole] = FeatureCache(model, dataset, tmp_path / "other").groups()
    for layer in CONFIG.layers:
        torch.testing.assert_close(resumed.read(slice(None))[layer], whole.read(slice(None))[layer])
    computed.clear()
    FeatureCache(model, dataset, tmp_path).groups()
    assert not computed  # not even a look at the number of features


def test_interrupted_runs_that_want_other_layers_do_not_mix(dataset, tmp_path):
    """Two are stopped at different images, then the first goes on: the second wrote less of their common layer."""
    some, others = DeepGaze1(CONFIG), DeepGaze1(DeepGaze1Config(layers=("conv5",), channels=(256,)))

    def stop_at(number):
        def interrupt(what, done, total):
            if done == number:
                raise KeyboardInterrupt

        return interrupt

    for model, number in ((some, 6), (others, 2)):
        with pytest.raises(KeyboardInterrupt):
            FeatureCache(model, dataset, tmp_path).groups(stop_at(number))
    [resumed] = FeatureCache(some, dataset, tmp_path).groups()
    [whole] = FeatureCache(some, dataset, tmp_path / "other").groups()
    for layer in CONFIG.layers:
        torch.testing.assert_close(resumed.read(slice(None))[layer], whole.read(slice(None))[layer])


def test_the_key_says_what_features_depend_on(model, dataset):
    keys = {FeatureCache(model, dataset).key, FeatureCache(model, dataset.limit(7)).key}
    for change in ({"padding": "same"}, {"downsampling": 1}):
        keys.add(FeatureCache(DeepGaze1(dataclasses.replace(CONFIG, **change)), dataset).key)
    assert len(keys) == 4
    assert FeatureCache(DeepGaze1(), dataset).key in keys  # layers are kept one by one


def test_features_stay_in_their_folder(model, dataset, tmp_path):
    outside = FeatureCache(model, dataclasses.replace(dataset, name="../../../x"), tmp_path)
    assert outside.folder.resolve().parent == tmp_path.resolve()


@pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
def test_features_that_the_disk_has_no_room_for(model, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=500_000))
    with pytest.raises(FovealError, match=r"1\.0 MB of features, but 0\.00 GB are free"):
        FeatureCache(model, dataset, tmp_path).groups()


def problem_of(groups, dataset, fixations=None):
    priors = log_priors_of(groups, dataset, CenterBiasKDE.fit(dataset), density_grid)
    return ReadoutProblem(groups, priors, counts_of(groups, fixations or dataset.fixations, density_grid), density_grid)


def test_the_fit_is_better_than_its_centre_bias_and_repeats(model, dataset, groups):
    model.readout.std = standard_deviations(groups)
    problem = problem_of(groups, dataset)
    costs: list[float] = []
    fit_readout(model.readout, problem, steps=30, report=lambda _, cost: costs.append(cost))
    assert costs[-1] < costs[0]
    fitted = log_likelihoods(model.readout, problem, dataset.fixations)
    with torch.no_grad():
        model.readout.weight.zero_()
    without = log_likelihoods(model.readout, problem, dataset.fixations)
    assert fitted.mean() > without.mean() + 0.1
    again: list[float] = []
    fit_readout(model.readout, problem, steps=30, report=lambda _, cost: again.append(cost))
    assert again == costs


@pytest.fixture
def planted(model, dataset, groups):
    """A readout of one feature, and the problem of many fixations drawn from it."""
    model.readout.std = standard_deviations(groups)
    [group] = groups
    truth = DeepGaze1(CONFIG)
    truth.readout.std = model.readout.std
    # One that varies over the images at hand.
    of_images = group.read(slice(None))["conv5"]
    chosen = 64 + int((of_images.mean(dim=(2, 3)).std(dim=0) / of_images.std(dim=(0, 2, 3))).nan_to_num().argmin())
    with torch.no_grad():
        truth.readout.weight[chosen] = 3.0
        truth.readout.log_sigma.fill_(np.log(8.0))
        truth.readout.prior_weight.zero_()
    rng = np.random.default_rng(0)
    rows = []
    for i, stimulus in enumerate(dataset.stimuli):
        density = np.exp(truth.predict(stimulus.image).log_density.astype(np.float64)).ravel()
        y, x = np.unravel_index(rng.choice(density.size, 3000, p=density / density.sum()), (60, 80))
        rows += [(i, *at) for at in zip(x, y, strict=True)]
    fixations = Fixations.of(*map(np.array, zip(*rows, strict=True)))
    return truth, fixations, problem_of(groups, dataclasses.replace(dataset, fixations=fixations))


def test_planted_weights_are_found(model, planted):
    """Fixations drawn from a readout of one feature: the fit explains them as well as that readout does."""
    truth, fixations, problem = planted
    fit_readout(model.readout, problem, steps=100)
    found = log_likelihoods(model.readout, problem, fixations).mean()
    assert found > 0.9 * log_likelihoods(truth.readout, problem, fixations).mean()


@pytest.mark.parametrize("optimizer", ["sfo", "adam"])
def test_all_optimizers_find_the_same_optimum(model, planted, optimizer):
    """Where the cost is nearly flat none of them arrives; Adam, which knows no curvature, least of all."""
    problem, reached = planted[2], {}

    def cost() -> float:
        with torch.no_grad():
            return objective(model.readout, problem, 0.001)

    fit_readout(model.readout, problem, steps=0, optimizer="sfo")  # only to begin where they all do
    start = cost()
    for name in ("lbfgs", optimizer):
        fit_readout(model.readout, problem, optimizer=name, steps=40)
        reached[name] = cost()
    assert start - reached[optimizer] > 0.7 * (start - reached["lbfgs"])


def test_the_cost_is_that_of_the_paper(model, dataset, groups):
    """Mean negative log-likelihood and the ratio of the norms, the slow way; its gradient by differences."""
    model.readout.std = standard_deviations(groups)
    problem = problem_of(groups, dataset)
    with torch.no_grad():
        model.readout.weight.normal_(0, 0.05, generator=torch.Generator().manual_seed(0))
    weight = model.readout.weight
    model.readout.zero_grad()
    cost = objective(model.readout, problem, penalty=0.5)
    [group] = groups
    with torch.no_grad():
        grid = density_grid((60, 80))
        log_density = model.readout(group.read(slice(None)), group.grids, grid, problem.log_priors[0])
        expected = -float((problem.counts[0] * log_density).sum()) / len(dataset.fixations)
        expected += 0.5 * float(weight.abs().sum() / weight.norm())
    assert cost == pytest.approx(expected, rel=1e-5)
    for parameter, at in ((weight, 70), (model.readout.log_sigma, ()), (model.readout.prior_weight, ())):
        gradient, step = float(parameter.grad[at]), 1e-2
        with torch.no_grad():
            parameter[at] += step
            above = objective(model.readout, problem, 0.5)
            parameter[at] -= 2 * step
            below = objective(model.readout, problem, 0.5)
            parameter[at] += step
        assert (above - below) / (2 * step) == pytest.approx(gradient, rel=0.05, abs=2e-3)


def test_sparsity_is_between_one_and_the_root_of_the_number():
    assert sparsity(torch.tensor([0.0, 3.0, 0.0, 0.0])).item() == pytest.approx(1, abs=1e-4)
    assert sparsity(torch.full((16,), -2.0)).item() == pytest.approx(4, abs=1e-4)


def test_layers_may_be_combined_before_they_are_enlarged(model, dataset):
    """As printed: all responses enlarged, then weighted."""
    readout = LinearReadout({"conv1": 64, "conv5": 256})
    with torch.no_grad():
        readout.weight.normal_(generator=torch.Generator().manual_seed(0))
        readout.log_sigma.fill_(-3.0)  # no blur to speak of
    image = torch.from_numpy(dataset.stimuli[0].image.copy()).permute(2, 0, 1)[None].float() / 255
    features, grids = model.features(image), model.grids((60, 80))
    grid = density_grid((60, 80))
    enlarged = torch.cat([resample(features[layer], grids[layer], grid) for layer in ("conv1", "conv5")], dim=1)
    expected = (readout.weight[:, None, None] * enlarged[0]).sum(dim=0)
    torch.testing.assert_close(readout.saliency(features, grids, grid)[0], expected, atol=1e-3, rtol=1e-3)


def test_readouts_fitted_together_are_those_fitted_one_by_one(model, dataset, groups):
    model.readout.std = standard_deviations(groups)
    parts = folds_over_subjects(dataset)
    problems = [problem_of(groups, dataset, dataset.fixations.where(part.trained_on)) for part in parts]
    stack = LinearReadout(model.readout.channels, len(parts))
    stack.std = model.readout.std
    fit_readout(stack, ReadoutProblem.joined(problems), penalty=0.1)
    for problem, readout in zip(problems, stack.unstacked(), strict=True):
        alone = LinearReadout(readout.channels)
        alone.std = model.readout.std
        fit_readout(alone, problem, penalty=0.1)
        assert objective(readout, problem, 0.1) == pytest.approx(objective(alone, problem, 0.1), rel=2e-3)


def test_a_fold_knows_nothing_of_what_it_is_judged_on(dataset, tmp_path, monkeypatch):
    """A feature that speaks on one image only, which is always looked at where it does: useless on the others."""
    one = dataset.limit(5)
    fixations = one.fixations
    x = np.where(fixations.image == 3, 10.0, fixations.x)
    data = dataclasses.replace(
        one, fixations=dataclasses.replace(fixations, x=x, y=np.where(fixations.image == 3, 10.0, fixations.y))
    )
    features = DeepGaze1.features

    def planted(self, images):
        found = features(self, images)
        for image, pixels in enumerate(images):
            # The image is known by its first pixel.
            special = torch.equal(pixels[:, 0, 0], torch.from_numpy(data.stimuli[3].image[0, 0].copy()).float() / 255)
            found["conv5"][image, 0] = 0.0
            if special:
                found["conv5"][image, 0, :4, :4] = 100.0
        return found

    monkeypatch.setattr(DeepGaze1, "features", planted)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")
    foveal.train("deepgaze1", data, out=tmp_path, folds=5, penalty=0.0)
    learned = load_model(tmp_path / "deepgaze1.safetensors").readout.weight[0].abs()
    judged_on_it = load_model(tmp_path / "folds" / "3.safetensors")
    assert judged_on_it.readout.weight[0].abs() < 0.1 * learned
    # The fold's prior does not know the image either.
    others = CenterBiasKDE.fit(data.select([n for n in range(5) if n != 3]))
    torch.testing.assert_close(judged_on_it.log_prior, CenterBias.of(others).log_grid)


def test_a_stack_computes_what_each_of_its_readouts_does(model, dataset, groups):
    each = []
    for seed in range(3):
        readout = LinearReadout(model.readout.channels)
        with torch.no_grad():
            readout.weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(seed))
            readout.log_sigma.fill_(seed)
            readout.prior_weight.fill_(seed / 2)
        each.append(readout)
    stack = LinearReadout.stack(each)
    [problem] = [problem_of(groups, dataset)]
    joined = ReadoutProblem.joined([problem] * 3)
    together = log_likelihoods(stack, joined, dataset.fixations)
    cost = objective(stack, joined, 0.5)
    for number, readout in enumerate(each):
        np.testing.assert_allclose(together[number], log_likelihoods(readout, problem, dataset.fixations), atol=1e-4)
    assert cost == pytest.approx(np.mean([objective(readout, problem, 0.5) for readout in each]), rel=1e-5)
    assert all(torch.equal(a.weight, b.weight) for a, b in zip(stack.unstacked(), each, strict=True))


def test_sums_over_cells_are_near_the_likelihood_at_full_size(model, dataset, groups):
    problem = problem_of(groups, dataset)
    fit_readout(model.readout, problem, steps=20)
    sums, numbers = sums_over_fixations(model.readout, problem)
    assert numbers.tolist() == np.bincount(dataset.fixations.image).tolist()
    exact = dataset.fixations.mean_by_image(log_likelihoods(model.readout, problem, dataset.fixations), len(dataset))
    stack, joined = LinearReadout.stack([model.readout] * 2), ReadoutProblem.joined([problem] * 2)
    np.testing.assert_allclose(sums_over_fixations(stack, joined)[0], torch.stack([sums, sums]), rtol=1e-4)
    # Cells of 8 px are coarse beside a disc of 15 px; the mean is still near.
    assert float((sums / numbers).mean()) == pytest.approx(exact.mean(), abs=0.15)


def test_fine_features_can_be_averaged(model, dataset, tmp_path):
    [fine] = FeatureCache(model, dataset, tmp_path).groups()
    [coarse] = FeatureCache(model, dataset, tmp_path, finest_step=20).groups()
    assert fine.grids["conv1"].rows.step == 8
    assert coarse.grids["conv1"] == Grid.over((60, 80), (3, 4))
    assert coarse.grids["conv5"] == fine.grids["conv5"]  # its values lie 32 px apart
    for feature in range(3):
        mean = fine.feature("conv1", feature)[..., 1:-1, 1:-1].mean(axis=(1, 2))
        np.testing.assert_allclose(coarse.feature("conv1", feature).mean(axis=(1, 2)), mean, atol=0.15)
    assert list(fine.only(["conv5"]).read(slice(0, 1))) == ["conv5"]


@pytest.mark.filterwarnings("ignore:.*were trained on by:foveal.errors.FovealNote")
@pytest.mark.parametrize("left_out", ["images", "subjects"])
@pytest.mark.usefixtures("short_fits")
def test_train_writes_a_model_that_predicts_as_it_did(dataset, tmp_path, left_out):
    folds = 2 if left_out == "images" else None
    report = foveal.train("deepgaze1", dataset, out=tmp_path, folds=folds, left_out=left_out, layers=["conv5"])
    assert report.held_out_log_likelihood is not None
    assert report.held_out_log_likelihood < report.log_likelihood
    fitted = load_model(report.path)
    assert fitted.config == DeepGaze1Config()
    table = foveal.evaluate(report.path, dataset, "LL")
    assert table.value[0] > report.center_bias_log_likelihood
    kept = sorted((tmp_path / "folds").iterdir())
    assert len(kept) == (2 if left_out == "images" else 5)
    before = [path.stat().st_mtime_ns for path in kept]
    with pytest.warns(FovealNote, match=f"{len(kept)} of {len(kept)} folds are there already"):
        again = foveal.train("deepgaze1", dataset, out=tmp_path, folds=folds, left_out=left_out, resume=True)
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert again.held_out_log_likelihood == pytest.approx(report.held_out_log_likelihood)
    with pytest.raises(
        FovealError, match=r"0.safetensors: fitted with other settings \(penalty 0\.001\); choose another --out"
    ):
        foveal.train("deepgaze1", dataset, out=tmp_path, folds=folds, left_out=left_out, penalty=0.1, resume=True)
    fewer = dataclasses.replace(dataset, fixations=dataset.fixations.where(np.arange(len(dataset.fixations)) > 0))
    with pytest.raises(FovealError, match=r"0.safetensors: fitted with other settings"):
        foveal.train("deepgaze1", fewer, out=tmp_path, folds=folds, left_out=left_out, resume=True)
    with pytest.raises(FovealError, match=r"other settings \(optimizer lbfgs\)"):
        foveal.train("deepgaze1", dataset, out=tmp_path, folds=folds, left_out=left_out, optimizer="sfo", resume=True)
    if folds:
        foveal.train("deepgaze1", dataset, out=tmp_path, folds=3)
        foveal.train("deepgaze1", dataset, out=tmp_path, folds=2)
        assert len(list((tmp_path / "folds").iterdir())) == 2  # nothing of the run before


@pytest.mark.usefixtures("short_fits")
def test_other_layers_of_a_backbone(dataset, tmp_path):
    report = foveal.train("deepgaze1", dataset, out=tmp_path, folds=2, layers=["relu1", "conv3"])
    assert load_model(report.path).config.layers == ("relu1", "conv3")
    assert json.loads(json.dumps(report.command)).endswith("--layers relu1,conv3 --folds 2")
    for wrong, message in [
        ({"backbone": "vgg16", "layers": ["conv5"]}, r"no layer 'conv5'"),
        ({"layers": ["conv9"]}, "no layer 'conv9'"),
        ({"backbone": "vgg16", "layers": ["conv5_3"]}, "foveal weights install vgg16"),
    ]:
        with pytest.raises(FovealError, match=message):
            foveal.train("deepgaze1", dataset, out=tmp_path, **wrong)
    for model, wrong, message in [
        ("bms", {"backbone": "alexnet"}, "--backbone: not with bms, which takes --seed, --folds"),
        ("bms", {"optimizer": "sfo"}, "--optimizer: not with bms"),
        ("foveal-s", {"resume": True}, "--resume: not with foveal-s"),
        ("deepgaze1", {"optimizer": "LBFGS"}, "optimizer: lbfgs or sfo or adam, not 'LBFGS'"),
        ("deepgaze1", {"left_out": "people"}, "left out: images or subjects, not 'people'"),
        ("deepgaze1", {"penalty": -1.0}, "penalty: a number of at least 0, not -1"),
        ("deepgaze1", {"backbone": "vgg16"}, "vgg16: say which of its layers"),
        ("deepgaze1", {"folds": 3, "left_out": "subjects"}, "of subjects, each is left out in turn"),
    ]:
        with pytest.raises(FovealError, match=message):
            foveal.train(model, dataset, out=tmp_path, **wrong)
    alone = dataclasses.replace(dataset, fixations=dataset.fixations.for_subject(0))
    with pytest.raises(FovealError, match="toy: no two subjects are known"):
        foveal.train("deepgaze1", alone, out=tmp_path, left_out="subjects")


def test_features_of_many_layers_have_a_short_file_name(dataset, tmp_path):
    """All names of VGG-16's layers together are longer than a file system allows."""
    every = Backbone("vgg16_tiny").layers
    model = DeepGaze1(config_for("vgg16_tiny", every))
    [group] = FeatureCache(model, dataset.limit(1), tmp_path).groups()
    assert tuple(group.grids) == every


def test_features_that_are_not_whole_are_computed_again(model, dataset, tmp_path):
    [group] = FeatureCache(model, dataset, tmp_path).groups()
    whole = group.read(slice(None))
    cache = FeatureCache(model, dataset, tmp_path)
    path = cache.folder / "conv5-60x80.npy"
    content = path.read_bytes()
    other = io.BytesIO()
    np.save(other, np.zeros((8, 3), np.float16))
    for damaged in (content[:-1], content[:200], content[:20], b"", b"\0" + content[1:], other.getvalue()):
        path.write_bytes(damaged)
        assert FeatureCache(model, dataset, tmp_path).n_missing_bytes() == len(content) - 128
        [again] = FeatureCache(model, dataset, tmp_path).groups()
        torch.testing.assert_close(again.read(slice(None))["conv5"], whole["conv5"], rtol=0, atol=0)
        assert path.read_bytes() == content


def test_unfinished_features_that_nobody_will_go_on_with_are_removed(model, dataset, tmp_path):
    def stop(what, done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FeatureCache(model, dataset, tmp_path).groups(stop)
    folder = FeatureCache(model, dataset, tmp_path).folder
    assert len(list(folder.glob("unfinished-*"))) == 3
    some = DeepGaze1(config_for("alexnet", ["conv5"]))
    FeatureCache(some, dataset, tmp_path).groups()
    assert {path.name for path in folder.iterdir()} - {"lock"} == {"conv5-60x80.npy"}


def test_a_disk_that_is_full_before_all_features_are_there(model, dataset, tmp_path):
    """Not through a memory map, which would end the process by a signal; and it goes on where it was."""
    complaint = pytest.raises(FovealError, match=r"features cannot be written \(File too large\)")
    with largest_file(300_000), complaint:
        FeatureCache(model, dataset, tmp_path).groups()
    [resumed] = FeatureCache(model, dataset, tmp_path).groups()
    [whole] = FeatureCache(model, dataset, tmp_path / "other").groups()
    for layer, features in whole.read(slice(None)).items():
        torch.testing.assert_close(resumed.read(slice(None))[layer], features, rtol=0, atol=0)
