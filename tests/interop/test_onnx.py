"""Models as ONNX files."""

import numpy as np
import onnxruntime
import pytest
import torch

from foveal.errors import FovealError
from foveal.interop.onnx import export_onnx
from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealConfig, FovealS


@pytest.fixture
def model():
    torch.manual_seed(0)
    few = {"backbone": "efficientnet_lite0", "taps": ("block4", "block7"), "channels": (40, 80), "first_trained": ""}
    model = FovealS(FovealConfig(working_area=6_000, width=16, hidden=8, absolute=(1.0,), **few)).eval()
    torch.nn.init.normal_(model.readout[2].weight, std=3)
    model.log_prior = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    return model


def test_the_file_gives_the_same_densities(tmp_path, model):
    """At its scale, on another image than the one that it was written and checked with."""
    done = export_onnx(model, tmp_path / "model.onnx", (90, 130), 3.0)
    assert done.largest_difference < 1e-4
    image = torch.rand(1, 3, 90, 130, generator=torch.Generator().manual_seed(7))
    session = onnxruntime.InferenceSession(done.path)
    (found,) = session.run(None, {"image": image.numpy()})
    with torch.no_grad():
        expected = model.log_density(image, 3.0).numpy()
    assert np.abs(found - expected).max() < 1e-4
    assert np.ptp(expected) > 1
    said = session.get_modelmeta().custom_metadata_map
    assert said["scale"] == "3 pixels per degree"
    assert (said["model"], said["licence"]) == ("foveal-s", "Apache-2.0")
    assert "RGB in [0, 1]" in said["input"]
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_the_published_model(tmp_path):
    assert export_onnx(load_model("foveal-s"), tmp_path / "foveal-s.onnx", (480, 640)).largest_difference < 1e-3


def test_a_calibrated_map(tmp_path):
    """Of which one of the two densities it has depends on whether the image is of one color."""
    assert export_onnx(load_model("dva"), tmp_path / "dva.onnx", (96, 128)).largest_difference < 1e-3


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(FovealError, match=r"name it .onnx"):
        export_onnx(load_model("dva"), tmp_path / "model.pt", (90, 130))
    with pytest.raises(FovealError, match="pixels per degree"):
        export_onnx(load_model("dva"), tmp_path / "dva.onnx", (90, 130), -1.0)
    with pytest.raises(FovealError, match="cannot be written as ONNX"):
        export_onnx(load_model("bms"), tmp_path / "bms.onnx", (90, 130))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_says_something_else_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("foveal.interop.onnx.TOLERANCE", -1.0)
    with pytest.raises(FovealError, match="differ from the model's by up to"):
        export_onnx(load_model("uniform"), tmp_path / "model.onnx", (90, 130))
    assert list(tmp_path.iterdir()) == []
