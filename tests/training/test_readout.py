"""DeepGaze I from features to weights: what the cache keeps, what the fit finds."""

import dataclasses
import json

import numpy as np
import pytest
import torch

import foveal
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Fixations
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models import load_model
from foveal.models.deep.deepgaze1 import DeepGaze1, DeepGaze1Config
from foveal.models.parts.readout import LinearReadout
from foveal.training import feature_cache
from foveal.training.feature_cache import FeatureCache
from foveal.training.fit_readout import fit_readout
from foveal.training.readout_problem import (
    ReadoutProblem,
    counts_of,
    log_likelihoods,
    log_priors_of,
    objective,
    sparsity,
    standard_deviations,
)

pytestmark = pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
CONFIG = DeepGaze1Config(layers=("conv1", "conv5"), channels=(64, 256))


@pytest.fixture(scope="module")
def model():
    return DeepGaze1(CONFIG)


@pytest.fixture
def groups(model, dataset, tmp_path):
    return FeatureCache(model, dataset, tmp_path / "features").groups()


def test_the_cache_holds_what_the_model_computes(model, dataset, tmp_path):
    with pytest.warns(FovealNote, match=r"features of 8 images will take 0\.\d\d GB in"):
        [group] = FeatureCache(model, dataset, tmp_path).groups()
    image = torch.from_numpy(dataset.stimuli[5].image.copy()).permute(2, 0, 1)[None].float() / 255
    features, grids = model.features(image)
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
    assert computed == [1]


def test_the_key_says_what_features_depend_on(model, dataset):
    keys = {FeatureCache(model, dataset).key, FeatureCache(model, dataset.limit(7)).key}
    for change in ({"padding": "same"}, {"downsampling": 1}):
        keys.add(FeatureCache(DeepGaze1(dataclasses.replace(CONFIG, **change)), dataset).key)
    assert len(keys) == 4
    assert FeatureCache(DeepGaze1(), dataset).key in keys  # layers are kept one by one


def problem_of(groups, dataset, fixations=None):
    priors = log_priors_of(groups, dataset, CenterBiasKDE.fit(dataset))
    return ReadoutProblem(groups, priors, counts_of(groups, fixations or dataset.fixations))


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


def test_planted_weights_are_found(model, dataset, groups):
    """Fixations drawn from a readout of one feature: the fit gives that feature the largest weight."""
    model.readout.std = standard_deviations(groups)
    [group] = groups
    planted = DeepGaze1(CONFIG)
    planted.readout.std = model.readout.std
    # One that varies over the images at hand.
    of_images = group.read(slice(None))["conv5"]
    chosen = 64 + int((of_images.mean(dim=(2, 3)).std(dim=0) / of_images.std(dim=(0, 2, 3))).nan_to_num().argmin())
    with torch.no_grad():
        planted.readout.weight[chosen] = 3.0
        planted.readout.log_sigma.fill_(np.log(8.0))
        planted.readout.prior_weight.zero_()
    rng = np.random.default_rng(0)
    rows = []
    for i, stimulus in enumerate(dataset.stimuli):
        density = np.exp(planted.predict(stimulus.image).log_density.astype(np.float64)).ravel()
        y, x = np.unravel_index(rng.choice(density.size, 3000, p=density / density.sum()), (60, 80))
        rows += [(i, *at) for at in zip(x, y, strict=True)]
    fixations = Fixations.of(*map(np.array, zip(*rows, strict=True)))
    problem = problem_of(groups, dataclasses.replace(dataset, fixations=fixations))
    fit_readout(model.readout, problem, steps=100)
    found = log_likelihoods(model.readout, problem, fixations).mean()
    truth = log_likelihoods(planted.readout, problem, fixations).mean()
    assert found > 0.9 * truth


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
        from foveal.models.deep.deepgaze1 import density_grid

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
    from foveal.models.deep.deepgaze1 import density_grid
    from foveal.models.parts.geometry import resample

    image = torch.from_numpy(dataset.stimuli[0].image.copy()).permute(2, 0, 1)[None].float() / 255
    features, grids = model.features(image)
    grid = density_grid((60, 80))
    enlarged = torch.cat([resample(features[layer], grids[layer], grid) for layer in ("conv1", "conv5")], dim=1)
    expected = (readout.weight[:, None, None] * enlarged[0]).sum(dim=0)
    torch.testing.assert_close(readout.saliency(features, grids, grid)[0], expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("left_out", ["images", "subjects"])
def test_train_writes_a_model_that_predicts_as_it_did(dataset, tmp_path, left_out, monkeypatch):
    monkeypatch.setattr("foveal.training.fit_readout.STEPS", 10)
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
    again = foveal.train("deepgaze1", dataset, out=tmp_path, folds=folds, left_out=left_out, resume=True)
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert again.held_out_log_likelihood == pytest.approx(report.held_out_log_likelihood)


def test_other_layers_of_a_backbone(dataset, tmp_path):
    report = foveal.train("deepgaze1", dataset, out=tmp_path, layers=["relu1", "conv3"])
    assert load_model(report.path).config.layers == ("relu1", "conv3")
    assert json.loads(json.dumps(report.command)).endswith("--layers relu1,conv3")
    for wrong, message in [
        ({"backbone": "vgg16"}, r"no layer 'conv5'"),
        ({"layers": ["conv9"]}, "no layer 'conv9'"),
        ({"backbone": "vgg16", "layers": ["conv5_3"]}, "foveal weights install vgg16"),
    ]:
        with pytest.raises(FovealError, match=message):
            foveal.train("deepgaze1", dataset, out=tmp_path, **wrong)
    with pytest.raises(FovealError, match="not made of a backbone's layers"):
        foveal.train("bms", dataset, out=tmp_path, backbone="alexnet")
