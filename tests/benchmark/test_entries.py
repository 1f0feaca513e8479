"""Entries: what is scored can be sent to another process."""

import pickle

import numpy as np
import pytest
from toy import make_dataset

from foveal.benchmark import Predictions
from foveal.benchmark.entries import make_entries
from foveal.benchmark.observations import Observations
from foveal.benchmark.scoring import score
from foveal.benchmark.yardsticks import Yardsticks
from foveal.models import list_models, load_model
from foveal.models.base import SaliencyMapModel

IMAGES = np.array([0, 2])


@pytest.fixture(scope="module")
def data():
    return make_dataset(3, n_subjects=2)


@pytest.fixture
def folder(data, tmp_path):
    """Maps that somebody predicted."""
    random = np.random.default_rng(0)
    for name in data.stimuli.ids:
        np.save(tmp_path / f"{name}.npy", random.random((60, 80)))
    return tmp_path


def scores_of(entry, data):
    observations = Observations(data, Yardsticks(data), seed=0)
    scores = {}
    for batch, problems in score(entry.maps, IMAGES.tolist(), entry.on_maps, observations, raw=entry.raw):
        assert not problems
        scores |= batch
    likelihoods = None if entry.log_likelihood is None else entry.log_likelihood().tolist()
    return scores, likelihoods


def sent(entry):
    return pickle.loads(pickle.dumps(entry))


def entry_of(given, data, metrics="all", raw=False):
    [entry] = make_entries([given], data, Yardsticks(data), metrics, raw=raw, device="cpu", images=IMAGES)
    return entry


@pytest.mark.parametrize("name", ["uniform", "centerbias", "gold", "bms"])
def test_a_sent_entry_scores_the_same(name, data):
    entry = entry_of(name, data)
    scores, likelihoods = scores_of(sent(entry), data)
    assert sorted(scores) == IMAGES.tolist()
    assert (scores, likelihoods) == scores_of(entry, data)


def test_so_do_maps_from_files_and_maps_as_they_are(folder, data):
    for given in (Predictions(folder), load_model("bms")):
        entry = entry_of(given, data, ["AUC", "NSS"], raw=True)
        assert scores_of(sent(entry), data) == scores_of(entry, data)


@pytest.mark.parametrize("name", [name for name in list_models() if name != "deepgaze1"])
def test_every_model_can_be_sent(name, data):
    """But for DeepGaze I, whose backbone is not here."""
    entry = sent(entry_of(name, data, ["AUC"]))
    assert [metric.name for metric in entry.metrics] == ["AUC"]
    if isinstance(model := load_model(name), SaliencyMapModel):
        assert sent(entry_of(model, data, ["NSS"], raw=True)).raw
