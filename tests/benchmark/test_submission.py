"""The file for the Tübingen benchmark, read by h5py."""

import dataclasses

import h5py
import numpy as np
import pytest
from scipy.special import logsumexp
from toy import make_photograph, write_image

import foveal
from foveal.benchmark import submission
from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.models import load_model


@pytest.fixture
def mixed(tmp_path):
    sizes = [(60, 80), (50, 40), (60, 80)]
    names = ["a/0.png", "a/1.png", "b/2.png"]
    paths = [
        write_image(tmp_path / n, make_photograph(i, size))
        for i, (n, size) in enumerate(zip(names, sizes, strict=True))
    ]
    return Dataset("mixed", Stimuli(paths, names, 4.0), Fixations.of([0], [1], [1]))


def test_every_image_has_its_log_density(mixed, tmp_path):
    done = foveal.export("bms", mixed, tmp_path / "out/bms.hdf5")
    assert (done.n_images, done.problems) == (3, [])
    with h5py.File(tmp_path / "out/bms.hdf5") as file:
        for stimulus in mixed.stimuli:
            log_density = np.asarray(file[stimulus.id])
            assert log_density.shape == stimulus.size
            assert abs(logsumexp(log_density.astype(float))) < 1e-3
            predicted = load_model("bms").predict(stimulus.source, 4.0).log_density
            np.testing.assert_allclose(log_density, predicted, atol=1e-5)


def test_an_image_that_breaks_is_left_out_and_named(mixed, tmp_path):
    assert len(mixed.stimuli.sizes) == 3
    (tmp_path / "a/1.png").write_bytes(b"broken")
    done = foveal.export("bms", mixed, tmp_path / "bms.hdf5")
    assert done.n_images == 2
    assert "1.png" in done.problems[0]
    broken = dataclasses.replace(mixed.select([1]), fixations=Fixations.of([], [], []))
    with pytest.raises(FovealError, match="no image could be predicted"):
        foveal.export("bms", broken, tmp_path / "none.hdf5")
    assert not (tmp_path / "none.hdf5").exists()


def test_a_file_that_fails_its_check_is_not_left_behind(mixed, tmp_path, monkeypatch):
    maps_of_model = submission.MapsOfModel

    def too_much(*args, **kwargs):
        source = maps_of_model(*args, **kwargs)
        return lambda images: (dataclasses.replace(batch, maps=batch.maps + 0.01) for batch in source(images))

    monkeypatch.setattr(submission, "MapsOfModel", too_much)
    with pytest.raises(FovealError, match="is not a log density"):
        foveal.export("bms", mixed, tmp_path / "bms.hdf5")
    assert not (tmp_path / "bms.hdf5").exists()
    with pytest.raises(FovealError, match="no format 'mit'"):
        foveal.export("bms", mixed, tmp_path / "bms.hdf5", format="mit")
