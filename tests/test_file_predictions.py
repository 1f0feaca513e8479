"""What becomes of each photograph that is given, whatever the others do."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import make_photograph, write_image

from foveal.errors import FovealError
from foveal.file_predictions import predict_files
from foveal.models import SaliencyModel, load_model
from foveal.models.classical.image_signature import ImageSignature
from foveal.models.prediction import Prediction

BRIGHT = 255


class KnowsScale(ImageSignature):
    """A model whose density depends on the scale, as it says."""

    depends_on_scale = True


@pytest.fixture
def photographs(tmp_path):
    """Three of one size, of which the second is white."""
    for name in ("a.png", "c.png"):
        write_image(tmp_path / "in" / name, make_photograph())
    write_image(tmp_path / "in/b.png", np.full((60, 80, 3), BRIGHT, np.uint8))
    return tmp_path / "in"


@pytest.mark.parametrize("error", [RuntimeError("no kernel\nfor this"), torch.OutOfMemoryError(), MemoryError()])
def test_a_photograph_that_a_model_fails_on_does_not_stop_the_others(photographs, tmp_path, monkeypatch, error):
    compute = ImageSignature.saliency_map

    def fail(self, images):
        if (images == 1).all(dim=(1, 2, 3)).any():
            raise error
        return compute(self, images)

    monkeypatch.setattr(ImageSignature, "saliency_map", fail)
    run = predict_files([photographs], "image-signature", out=tmp_path / "out", save=["density"])
    assert [Path(entry["image"]).name for entry in run.predictions] == ["a.png", "c.png"]
    (failure,) = run.failed
    assert failure["error"].startswith(f"{photographs / 'b.png'}: ")
    assert type(error).__name__ in failure["error"]
    assert "\n" not in failure["error"]
    assert not (tmp_path / "out/b.density.npy").exists()


def test_what_cannot_be_written_does_not_stop_the_others(photographs, tmp_path, monkeypatch):
    write = Prediction._write_density

    def fail(self, path):
        if self.name == "b":
            raise MemoryError
        write(self, path)

    monkeypatch.setattr(Prediction, "_write_density", fail)
    run = predict_files([photographs], "image-signature", out=tmp_path / "out")
    assert [Path(entry["image"]).name for entry in run.predictions] == ["a.png", "c.png"]
    assert "b.png: the results cannot be written (MemoryError)" in run.failed[0]["error"]


def test_an_interruption_ends_the_run(photographs, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageSignature, "saliency_map", interrupt)
    with pytest.raises(KeyboardInterrupt):
        predict_files([photographs], "image-signature", out=tmp_path / "out")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["foveal-s", "image-signature"])
def test_a_density_that_is_not_finite_is_none(photographs, tmp_path, name, value):
    model = damaged(name, value)
    with pytest.raises(FovealError, match=r"^the prediction holds NaN or infinite values$"):
        model.predict(make_photograph())
    run = predict_files([photographs / "a.png"], model, out=tmp_path / "out")
    assert run.predictions == []
    assert "a.png: the prediction holds NaN or infinite values" in run.failed[0]["error"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["predictions.json"]


@pytest.mark.parametrize(("ppd", "expected"), [(7.0, (7.0, False)), (None, (2.4, True))])
def test_the_list_says_at_what_scale_a_photograph_was_taken_to_be_seen(photographs, tmp_path, ppd, expected):
    model = KnowsScale()
    run = predict_files([photographs / "a.png"], model, out=tmp_path / "out", save=["density"], pixels_per_degree=ppd)
    (entry,) = json.loads((tmp_path / "out/predictions.json").read_text())["predictions"]
    assert (entry["pixels_per_degree"], entry["pixels_per_degree_assumed"]) == expected
    assert entry == run.predictions[0]
    (entry,) = predict_files([photographs / "a.png"], "image-signature", out=tmp_path / "other").predictions
    assert "pixels_per_degree" not in entry


def test_a_raw_map_that_is_not_finite_is_none(monkeypatch):
    monkeypatch.setattr(ImageSignature, "saliency_map", lambda _, images: images.mean(dim=1) * float("nan"))
    with pytest.raises(FovealError, match="the prediction holds NaN or infinite values"):
        load_model("image-signature").saliency_map_of([make_photograph()])


def damaged(name: str, value: float) -> SaliencyModel:
    """A model of which some weights are no numbers."""
    model = load_model(name)
    log_prior = dict(model.named_buffers())["log_prior" if name == "foveal-s" else "calibration.log_prior"]
    log_prior[0, 0] = value
    return model


def test_links_have_the_names_of_the_folder_that_was_given(tmp_path):
    write_image(tmp_path / "store/p1.png", make_photograph())
    write_image(tmp_path / "store/p2.png", make_photograph(1))
    for day, target in (("monday", "p1"), ("tuesday", "p2")):
        (tmp_path / day / "deep/deeper").mkdir(parents=True)
        (tmp_path / day / "deep/deeper/x.png").symlink_to(tmp_path / f"store/{target}.png")
    (tmp_path / "monday/loop.png").symlink_to("loop.png")
    days = [tmp_path / "monday", tmp_path / "tuesday"]
    run = predict_files(days, "image-signature", out=tmp_path / "out", save=["density"])
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.npy")) == [
        "monday/deep/deeper/x.density.npy",
        "tuesday/deep/deeper/x.density.npy",
    ]
    assert len(run.failed) == 1
    assert "symbolic links" in run.failed[0]["error"]
