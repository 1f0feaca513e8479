"""With pysaliency itself: the same pixels, the same numbers, there and back."""

import warnings

import h5py
import numpy as np
import pytest
import torch
from toy import write_image

import foveal
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.metrics import (
    FixationBatch,
    auc,
    correlation,
    fixation_kullback_leibler,
    kullback_leibler,
    normalized_scanpath_saliency,
    shuffled_auc,
    similarity,
)
from foveal.models import load_model

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pysaliency = pytest.importorskip("pysaliency", reason="pysaliency is not installed")
from foveal.interop import pysaliency as interop

pytestmark = pytest.mark.filterwarnings("ignore")  # pysaliency's own


@pytest.fixture(scope="module")
def theirs(dataset):
    return interop.to_stimuli(dataset.stimuli), interop.to_fixations(dataset.fixations)


def test_there_and_back(dataset, theirs):
    back = interop.from_dataset(*theirs, "toy", pixels_per_degree=4.0)
    for column in ("image", "x", "y", "subject"):
        np.testing.assert_allclose(getattr(back.fixations, column), getattr(dataset.fixations, column))
    np.testing.assert_array_equal(back.stimuli[3].image, dataset.stimuli[3].image)
    np.testing.assert_array_equal(theirs[1].x_int, dataset.fixations.pixel_x)
    np.testing.assert_array_equal(theirs[1].y_int, dataset.fixations.pixel_y)


def test_images_in_files_stay_there(dataset, tmp_path):
    paths = [
        write_image(tmp_path / f"part{i % 2}/{i}.png", stimulus.image) for i, stimulus in enumerate(dataset.stimuli)
    ]
    stimuli = interop.to_stimuli(Stimuli(paths))
    assert isinstance(stimuli, pysaliency.FileStimuli)
    back = interop.from_dataset(stimuli, interop.to_fixations(dataset.fixations), "files")
    assert back.stimuli.ids[1] == "part1/1.png"
    assert back.stimuli.sources == tuple(paths)


def test_our_models_in_their_hands(dataset, theirs, monkeypatch):
    monkeypatch.setattr(np, "trapz", np.trapezoid, raising=False)  # NumPy has dropped the name that they use
    stimuli, fixations = theirs
    bms = load_model("bms")
    model = interop.to_model(bms, pixels_per_degree=4.0)
    np.testing.assert_allclose(
        model.log_density(stimuli[0]), bms.predict(dataset.stimuli[0].image, 4.0).log_density, atol=1e-5
    )
    ours = foveal.evaluate("bms", dataset, ["LL", "IG", "NSS", "AUC"]).per_image
    bits = model.information_gain(stimuli, fixations, baseline_model=pysaliency.UniformModel(), average="image")
    assert bits == pytest.approx(ours["LL"].mean(), abs=1e-4)
    as_map = pysaliency.saliency_map_models.DensitySaliencyMapModel(model)
    assert as_map.AUC(stimuli, fixations, nonfixations="uniform", average="image") == pytest.approx(
        ours["AUC"].mean(), abs=1e-4
    )
    raw = interop.to_saliency_map_model(bms)
    ours = foveal.evaluate("bms", dataset, ["NSS", "sAUC"], raw=True).per_image
    assert raw.NSS(stimuli, fixations, average="image") == pytest.approx(ours["NSS"].mean(), abs=1e-3)
    assert raw.sAUC(stimuli, fixations, average="image") == pytest.approx(ours["sAUC"].mean(), abs=1e-5)


def test_their_models_in_our_hands(dataset):
    class Bright(pysaliency.SaliencyMapModel):
        def _saliency_map(self, stimulus):
            return stimulus.astype(float).mean(axis=2)

    class Flat(pysaliency.Model):
        def _log_density(self, stimulus):
            return np.full(stimulus.shape[:2], -np.log(stimulus.shape[0] * stimulus.shape[1]))

    bright, flat = interop.from_model(Bright()), interop.from_model(Flat())
    assert bright.name == "pysaliency.Bright"
    image = dataset.stimuli[0].image
    np.testing.assert_allclose(bright.saliency_map_of([image])[0], image.mean(axis=2), atol=1e-3)
    results = foveal.evaluate([bright, flat], dataset, ["AUC", "LL"])
    assert results.model.tolist() == ["pysaliency.Bright"] * 2 + ["pysaliency.Flat"] * 2
    assert results[results.model == "pysaliency.Flat"].value.tolist() == pytest.approx([0.5, 0], abs=1e-4)
    with pytest.raises(foveal.FovealError, match="no model of pysaliency's"):
        interop.from_model(3)


def test_their_reader_takes_our_file(dataset, tmp_path):
    paths = [write_image(tmp_path / f"images/{i}.png", stimulus.image) for i, stimulus in enumerate(dataset.stimuli)]
    data = Dataset("files", Stimuli(paths, pixels_per_degree=4.0), dataset.fixations)
    foveal.export("bms", data, tmp_path / "bms.hdf5")
    stimuli = interop.to_stimuli(data.stimuli)
    model = pysaliency.HDF5Model(stimuli, str(tmp_path / "bms.hdf5"))
    np.testing.assert_array_equal(
        model.log_density(stimuli[2]), load_model("bms").predict(paths[2], pixels_per_degree=4.0).log_density
    )
    # And ours takes theirs.
    pysaliency.precomputed_models.export_model_to_hdf5(model, stimuli, str(tmp_path / "theirs.hdf5"))
    with h5py.File(tmp_path / "theirs.hdf5") as file:
        assert set(file) == {f"{i}.png" for i in range(8)}
    both = foveal.evaluate([foveal.Predictions(tmp_path / "theirs.hdf5"), "bms"], data, ["LL", "NSS"])
    assert both.value[:2].tolist() == pytest.approx(both.value[2:].tolist())


def test_metrics_agree_one_by_one():
    """Maps with ties and without, fixations twice on one pixel."""
    rng = np.random.default_rng(3)
    smooth = rng.random((3, 40, 60)).cumsum(axis=1).astype(np.float32)
    maps = np.stack([smooth[0], np.round(smooth[1]), smooth[2]])
    empirical = rng.random((3, 40, 60)).astype(np.float32)
    n = np.repeat(np.arange(3), 30)
    x, y = rng.integers(0, 60, 90), rng.integers(0, 40, 90)
    fixations = Fixations.of(n, x, y)
    batch = FixationBatch.stack([fixations.for_image(i) for i in range(3)])
    others = FixationBatch.stack([fixations.where(fixations.image != i) for i in range(3)])
    stimuli = pysaliency.Stimuli([np.full((40, 60, 3), i, np.uint8) for i in range(3)])
    looked = interop.to_fixations(fixations)

    class Given(pysaliency.SaliencyMapModel):
        def _saliency_map(self, stimulus):
            return maps[int(stimulus[0, 0, 0])]

    model, tensor, target = Given(), torch.from_numpy(maps), torch.from_numpy(empirical)

    def mean_by_image(values):
        return [np.mean(values[n == i]) for i in range(3)]

    def assert_agree(ours, values):
        np.testing.assert_allclose(ours.numpy(), values, rtol=2e-4, atol=1e-6)

    assert_agree(auc(tensor, batch), mean_by_image(model.AUCs(stimuli, looked, nonfixations="uniform")))
    assert_agree(
        shuffled_auc(tensor, batch, others), mean_by_image(model.AUCs(stimuli, looked, nonfixations="shuffled"))
    )
    assert_agree(normalized_scanpath_saliency(tensor, batch), mean_by_image(model.NSSs(stimuli, looked)))
    pairs = list(zip(maps.astype(float), empirical.astype(float), strict=True))
    assert_agree(correlation(tensor, target), [pysaliency.metrics.CC(a, b) for a, b in pairs])
    assert_agree(similarity(tensor, target), [pysaliency.metrics.SIM(a, b) for a, b in pairs])
    assert_agree(kullback_leibler(tensor, target), [pysaliency.metrics.MIT_KLDiv(a, b) for a, b in pairs])
    # Theirs pools all images; of a single one, with the others' fixations as nonfixations, it is ours.
    pooled = model.fixation_based_KL_divergence(
        stimuli[:1],
        interop.to_fixations(fixations.for_image(0)),
        nonfixations=interop.to_fixations(Fixations.of(np.zeros(60, int), x[n != 0], y[n != 0])),
    )
    assert fixation_kullback_leibler(tensor, batch, others)[0].item() == pytest.approx(pooled, rel=1e-4)
