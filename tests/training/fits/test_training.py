"""Fitted to fixations, a calibration finds what made them."""

import dataclasses

import numpy as np
import pytest
import torch
from toy import make_dataset, make_photograph

import foveal
from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.gaze.cells import cells_of
from foveal.gaze.folds import held_out_images, named_folds
from foveal.models import load_model, read_provenance
from foveal.models.calibration import Calibration
from foveal.training.fits.calibration import (
    MapsAndFixations,
    _with_fixations,
    fit_calibration,
    log_likelihood_sum,
    working_maps,
)


def mean_log_likelihood(calibration, batches):
    """Mean over images, in bit per fixation above uniform."""
    nats = sum(float(log_likelihood_sum(calibration, batch)) for batch in batches)
    return nats / sum(len(batch.maps) for batch in batches) / np.log(2)


def test_the_calibration_that_made_the_fixations_is_recovered():
    rng = np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    truth = Calibration()
    truth.steps = torch.cat([torch.full((10,), 0.05), torch.full((10,), 0.4)])
    truth.blur = torch.tensor(0.04)
    ramp = torch.linspace(-1, 1, 64)
    truth.log_prior = -2 * (ramp[:, None].square() + ramp.square())
    truth.prior_weight = torch.tensor(0.6)
    maps = torch.rand(40, 30, 40, generator=generator)
    density = truth.on_grid(maps).flatten(1).exp().double().numpy()
    cells = np.stack([rng.choice(1200, 200, p=p / p.sum()) for p in density])
    batch = MapsAndFixations(
        maps,
        torch.arange(40).repeat_interleave(200),
        torch.from_numpy(cells.ravel()),
        torch.full((8000,), 1 / 200),
    )
    fitted = fit_calibration([batch], truth.log_prior)
    assert float(fitted.blur) == pytest.approx(0.04, rel=0.25)
    assert float(fitted.prior_weight) == pytest.approx(0.6, rel=0.15)
    assert mean_log_likelihood(fitted, [batch]) >= mean_log_likelihood(truth, [batch])
    assert (fitted.steps >= 0).all()


def test_likelihood_summed_by_batch_is_that_of_the_whole():
    maps = torch.rand(4, 12, 16, generator=torch.Generator().manual_seed(0))
    image, cell, weight = torch.arange(4), torch.tensor([5, 50, 100, 150]), torch.ones(4)
    whole = [MapsAndFixations(maps, image, cell, weight)]
    parts = [MapsAndFixations(maps[k : k + 2], image[:2], cell[k : k + 2], weight[:2]) for k in (0, 2)]
    calibration = Calibration()
    assert mean_log_likelihood(calibration, whole) == pytest.approx(mean_log_likelihood(calibration, parts), abs=1e-5)


@pytest.mark.parametrize("seed", [6, 10])
def test_maps_that_say_nothing_give_no_likelihood_that_rounding_makes(seed):
    chance = torch.Generator().manual_seed(seed)
    maps, cell = torch.rand(3, 12, 16, generator=chance), torch.randint(0, 192, (6,), generator=chance)
    batch = MapsAndFixations(maps, torch.arange(3).repeat_interleave(2), cell, torch.full((6,), 0.5))
    fitted = fit_calibration([batch], torch.full((12, 16), -np.log(192)))
    single = mean_log_likelihood(fitted, [batch])
    exact = mean_log_likelihood(
        fitted.double(), [dataclasses.replace(batch, maps=maps.double(), weight=batch.weight.double())]
    )
    assert single == pytest.approx(exact, abs=0.01)


def test_training_bms_writes_a_model_that_fits_better(dataset, tmp_path):
    reported = []
    report = foveal.train(
        "bms", dataset, out=tmp_path, folds=4, progress=lambda what, done, total: reported.append((what, done, total))
    )
    trained = load_model(report.path)
    assert trained.name == "bms"
    assert read_provenance(report.path)["dataset"] == "toy"
    before = foveal.evaluate(["bms"], dataset, ["LL"])["value"][0]
    after = foveal.evaluate([trained], dataset, ["LL"])["value"][0]
    assert after > before
    assert (report.published_log_likelihood, report.log_likelihood) == pytest.approx((before, after), abs=1e-5)
    assert report.held_out_log_likelihood < report.log_likelihood
    assert report.gain == pytest.approx(report.held_out_log_likelihood - before, abs=1e-5)
    assert report.intervals.keys() == {name for name in vars(report) if name.endswith("likelihood")} | {"gain"}
    for name, (low, high) in report.intervals.items():
        assert low < getattr(report, name) < high
    assert ("maps", 8, 8) in reported
    assert ("fits", 5, 5) in reported


def test_training_the_center_bias(dataset, tmp_path):
    report = foveal.train("centerbias", dataset, out=tmp_path)
    value = foveal.evaluate(["centerbias"], dataset, ["LL"])["value"][0]
    assert report.held_out_log_likelihood == pytest.approx(value, abs=1e-4)
    assert report.log_likelihood > report.held_out_log_likelihood
    log_density = load_model(report.path).predict(np.zeros((60, 80, 3), np.uint8)).log_density
    y, x = np.unravel_index(log_density.argmax(), log_density.shape)
    assert (x, y) == (pytest.approx(40, abs=14), pytest.approx(30, abs=14))


def test_what_cannot_be_trained_is_said(dataset, tmp_path):
    with pytest.raises(FovealError, match="nothing to train"):
        foveal.train("uniform", dataset, out=tmp_path)
    with pytest.raises(FovealError, match="folds"):
        foveal.train("bms", dataset, out=tmp_path, folds=99)
    assert list(tmp_path.iterdir()) == []


def test_images_without_fixations_are_left_out(tmp_path):
    data = make_dataset(n_images=4)
    without = foveal.Dataset("part", data.stimuli, data.fixations.where(data.fixations.image != 2))
    assert foveal.train("bms", without, out=tmp_path).log_likelihood > 0


def test_weights_are_not_needed_to_fit_new_ones(monkeypatch, tmp_path):
    """A model that is new has none yet."""
    monkeypatch.setattr("foveal.models.registry._published", lambda name: tmp_path / f"{name}.safetensors")
    with pytest.raises(FovealError, match="the weights of bms are missing"):
        load_model("bms")
    path = foveal.train("bms", make_dataset(4), out=tmp_path / "out").path
    assert load_model(path).name == "bms"


def test_what_is_held_out_is_judged_by_what_fits_the_others(tmp_path):
    """On pixels, as the evaluation of a model that was fitted to the other folds has it."""
    data = make_dataset(6)
    report = foveal.train("bms", data, out=tmp_path, folds=2)
    by_fold = []
    for fold in range(2):
        others = foveal.train("bms", data.select(np.arange(6) % 2 != fold), out=tmp_path / str(fold))
        held_out = dataclasses.replace(data, splits={"fold": held_out_images(data, fold, 2)})
        by_fold.append(foveal.evaluate(others.path, held_out, ["LL"], split="fold").value[0])
    assert report.held_out_log_likelihood == pytest.approx(np.mean(by_fold), abs=1e-4)


@pytest.mark.parametrize("size", [(30, 2600), (60, 80)])
def test_maps_on_the_grid_give_the_models_own_densities(size):
    """Of photographs that are shrunk on the way as well, and of one that is of one color."""
    model = load_model("bms")
    images = [make_photograph(0, size), np.full((*size, 3), 90, np.uint8)]
    densities = model.working_maps_of(images).log_density(model.calibration)
    torch.testing.assert_close(densities, model.log_density_of(images), atol=1e-5, rtol=0)


def test_folds_stay_where_they_are_when_nobody_looked_at_an_image(tmp_path):
    data = make_dataset(n_images=21)
    with_gap = dataclasses.replace(
        data, fixations=data.fixations.where(data.fixations.image != 3), splits=named_folds(21)
    )
    fifth = with_gap.split("fold5").positions.tolist()
    assert fifth == [5, 15]
    looked_at = with_gap.looked_at()
    assert looked_at.positions[held_out_images(looked_at, 5)].tolist() == fifth
    assert looked_at.select([4, 2, 14]).positions.tolist() == [5, 2, 15]
    with pytest.raises(FovealError, match="without fold 0 of 3 there are 0 images to fit to"):
        foveal.train("bms", data.select(np.arange(0, 21, 3)), out=tmp_path, folds=3)
    replaced = dataclasses.replace(looked_at, stimuli=data.stimuli, fixations=data.fixations)
    assert replaced.positions.tolist() == list(range(21))


def test_a_fixation_counts_for_the_cell_of_its_pixel():
    """Which the pixel's center says, not the fixation's own place: 4.6 has the pixel 5, whose center is in cell 1."""
    data = make_dataset(1, size=(10, 1000))
    data = dataclasses.replace(data, fixations=Fixations.of([0, 0, 0], [4.4, 4.6, 999.4], [0, 0, 9]))
    cells = cells_of(data.fixations.pixel_x, 5.0, 200)
    assert cells.tolist() == [0, 1, 199]
    ((images, maps),) = working_maps(load_model("bms"), data, [], lambda *_: None)
    batch = _with_fixations(maps.maps, data, images)
    assert (batch.cell % 200).tolist() == cells.tolist()


@pytest.mark.parametrize("images", [[0, 5, 10, 15, 1], [0, 1, 2]])
def test_few_images_are_fitted_without_folds_where_these_leave_too_few(images, tmp_path):
    """Of the first, four of five images are in one of five folds."""
    report = foveal.train("bms", make_dataset(n_images=16).select(images), out=tmp_path)
    assert (report.held_out_log_likelihood is None) == (images[-1] == 1)
