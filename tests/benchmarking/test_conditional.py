"""Scores of conditional densities: those of the metrics, on one density a fixation."""

import numpy as np
import pytest
from toy import make_dataset

from foveal.benchmarking import conditional
from foveal.benchmarking.conditional import conditional_scores
from foveal.metrics import FixationBatch, auc, log_likelihood, normalized_scanpath_saliency
from foveal.models import load_model
from foveal.models.scanpaths import load_scanpath_model


def test_every_fixation_is_judged_by_its_own_density(monkeypatch):
    data = make_dataset(2, n_subjects=2, per_subject=4)
    model = load_scanpath_model("foveal-path", static=load_model("centerbias"))
    table = conditional_scores(model, data)
    assert len(table) == 2 * 2 * 3  # a first fixation has nothing before it
    row = table[(table.image == 1) & (table.subject == 1) & (table.order == 2)].iloc[0]
    path = data.fixations.for_image(1).for_subject(1)
    before = [(float(path.x[k]), float(path.y[k])) for k in range(2)]
    density = model.conditional_log_density_of(data.stimuli[1].image, [before])
    fixation = FixationBatch.stack([path.where([2])])
    static = model.static.log_density_of([data.stimuli[1].image])
    assert row["LL"] == pytest.approx(float(log_likelihood(density, fixation)), abs=1e-4)
    assert row["IG"] == pytest.approx(row.LL - float(log_likelihood(static, fixation)), abs=1e-4)
    assert row["NSS"] == pytest.approx(float(normalized_scanpath_saliency(density.exp(), fixation)), abs=1e-4)
    assert row["AUC"] == pytest.approx(float(auc(density, fixation)), abs=1e-4)
    monkeypatch.setattr(conditional, "PIXELS_AT_ONCE", 1)  # one by one
    np.testing.assert_allclose(conditional_scores(model, data), table, atol=1e-4)


def test_a_static_model_gains_nothing():
    model = load_scanpath_model("static", static=load_model("centerbias"))
    assert conditional_scores(model, make_dataset(2)).IG.abs().max() < 1e-4
