"""Models of scanpaths are fitted to what follows what."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import make_dataset, make_photograph

import foveal
from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.models import load_model, read_provenance
from foveal.models.scanpaths import load_scanpath_model
from foveal.training.fits.scanpaths import EVERY, fit_scanpath_model, gain_of_images, next_fixations, statics_of

SIZE = (60, 80)


def dataset_of(step, n_images=10, n_subjects=12, n=8):
    """Each next fixation is made from the one before by a function of it and of chance; the first is anywhere."""
    rng = np.random.default_rng(0)
    rows = []
    for image in range(n_images):
        for subject in range(n_subjects):
            at = rng.uniform((0, 0), (79, 59))
            for order in range(n):
                rows.append((image, *at, subject, order))
                at = np.clip(step(at, rng), 0, (79, 59))
    image, x, y, subject, order = np.array(rows).T
    fixations = Fixations.of(image.astype(int), x, y, subject=subject.astype(int), order=order.astype(int))
    return Dataset("steps", Stimuli([make_photograph(i, SIZE) for i in range(n_images)]), fixations)


def anywhere(_, rng):
    return rng.uniform((0, 0), (79, 59))


def to_the_right(at, rng):
    moved = at + np.array([20, 0]) + rng.normal(0, 2, 2)
    return moved if moved[0] < 79 else rng.uniform((0, 0), (20, 59))


def near(at, rng):
    return at + rng.normal(0, 5, 2)


def parts_of(data, static):
    return next_fixations(data, statics_of(static, data), np.arange(len(data)))


@pytest.fixture(scope="module")
def uniform():
    return load_model("uniform")


def test_every_fixation_after_another_is_on_its_cell(uniform):
    data = make_dataset(3)
    (whole,) = parts_of(data, uniform)
    assert len(whole) == 3 * 5 * 5
    for part in [whole, *whole.thinned(EVERY)]:
        for row, cell_row, cell_column in zip(part.rows, part.row.tolist(), part.column.tolist(), strict=True):
            rows, columns = part.cells.rows, part.cells.columns
            assert abs(data.fixations.pixel_y[row] - rows.first - rows.step * cell_row) <= whole.cells.rows.step / 2
            assert (
                abs(data.fixations.pixel_x[row] - columns.first - columns.step * cell_column)
                <= whole.cells.columns.step / 2
            )
    assert sorted(row for few in whole.thinned(EVERY) for row in few.rows) == sorted(whole.rows)


def test_the_likelihood_on_cells_is_that_on_pixels(uniform):
    """Where there is a cell for each pixel."""
    model, data = load_scanpath_model("foveal-path", static=uniform), make_dataset(1)
    (part,) = parts_of(data, uniform)
    on_cells = part.log_likelihood(model, torch.arange(len(part)))
    there = data.fixations.where(part.rows)
    densities = model.given(uniform.log_density_of([data.stimuli[0].image]), part.before)
    on_pixels = densities[torch.arange(len(part)), there.pixel_y, there.pixel_x]
    torch.testing.assert_close(on_cells, on_pixels, atol=1e-4, rtol=0)


def test_saccades_to_the_right_are_learned(uniform):
    data, model = dataset_of(to_the_right), load_scanpath_model("saccade-statistics", static=uniform, fitted=False)
    model.epochs = 4
    fit_scanpath_model(model, parts_of(data, uniform))
    assert gain_of_images(model, parts_of(data, uniform), data).mean() > 1.5
    log_density = model.conditional_log_density_of(make_photograph(), [[(30.0, 30.0)]])[0]
    assert log_density[30, 50] > log_density[30, 10] + 2
    paths = model.sample(make_photograph(), 2, viewers=50, first=(30.0, 30.0))
    assert np.median(paths.where(paths.order == 1).x) == pytest.approx(50, abs=4)


def test_inhibition_turns_into_facilitation_where_people_stay_near(uniform):
    strengths = {}
    for step in (near, anywhere):
        model = load_scanpath_model("inhibition-of-return", static=uniform, fitted=False)
        model.epochs = 10
        data = dataset_of(step)
        fit_scanpath_model(model, parts_of(data, uniform))
        strengths[step] = float(model.strength.detach()[0])
    assert strengths[near] < -1
    assert abs(strengths[anywhere]) < 0.5


def test_the_last_layer_begins_without_effect_and_learns(uniform):
    data = dataset_of(near, n_images=4, n_subjects=4)
    model, again = (load_scanpath_model("foveal-path", static=uniform, fitted=False) for _ in range(2))
    parts = parts_of(data, uniform)
    assert np.abs(gain_of_images(model, parts, data)).max() < 1e-5
    fit_scanpath_model(model, parts)
    assert gain_of_images(model, parts, data).mean() > 0.5
    fit_scanpath_model(again, parts)
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_the_door_to_training(tmp_path):
    data = dataset_of(near, n_images=6, n_subjects=2, n=3)
    trained = foveal.train("inhibition-of-return", data, out=tmp_path, seed=1)
    assert trained.n_images == 4  # images 0 and 5 are held out
    assert trained.n_fixations == 4 * 2 * 2
    value, low, high = trained.gains["steps"]
    assert low <= value <= high
    model = load_scanpath_model(trained.path)
    assert model.name == "inhibition-of-return"
    provenance = read_provenance(trained.path)
    assert provenance["command"] == "foveal train inhibition-of-return --dataset steps --seed 1"
    assert [learned["images"] for learned in provenance["datasets"]] == [4]


def test_what_training_refuses(tmp_path):
    data = dataset_of(near, n_images=2, n_subjects=1, n=2)
    with pytest.raises(FovealError, match="static has nothing to train"):
        foveal.train("static", data, out=tmp_path)
    with pytest.raises(FovealError, match="--folds: not with foveal-path, which takes --seed"):
        foveal.train("foveal-path", data, out=tmp_path, folds=3)
    unordered = replace(data, fixations=replace(data.fixations, order=np.full(len(data.fixations), -1)))
    with pytest.raises(FovealError, match="which came first is not known"):
        foveal.train("foveal-path", unordered, out=tmp_path)
    first = dataset_of(near, n_images=6, n_subjects=1, n=2)
    first = replace(first, fixations=first.fixations.where((first.fixations.order == 0) | (first.fixations.image == 1)))
    assert foveal.train("foveal-path", first, out=tmp_path).gains == {}  # nothing to be judged on
    with pytest.raises(FovealError, match="no fixation after another"):
        foveal.train("foveal-path", data.select([0]), out=tmp_path)
