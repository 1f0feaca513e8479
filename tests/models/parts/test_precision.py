"""When predictions are computed in bfloat16."""

import pytest
import torch

from foveal.models.parts.precision import computes_in_bfloat16, fast_precision


@pytest.fixture
def made_for_it(monkeypatch):
    """A processor that has the instructions, as far as PyTorch says."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this PyTorch has no oneDNN")


@pytest.mark.usefixtures("made_for_it")
def test_float32_images_on_the_cpu_in_inference_mode_only():
    images = torch.zeros(1, 3, 4, 4)
    for mode in (torch.inference_mode, torch.no_grad, torch.enable_grad):
        for chosen in (images, images.double(), images.to("meta")):
            with mode(), fast_precision(chosen):
                assert torch.is_autocast_enabled("cpu") == (mode is torch.inference_mode and chosen is images)
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.usefixtures("made_for_it")
def test_what_the_user_chose_stays():
    with torch.inference_mode(), torch.autocast("cpu", torch.float16), fast_precision(torch.zeros(1, 3, 4, 4)):
        assert torch.get_autocast_dtype("cpu") == torch.float16


@pytest.mark.parametrize("told", [{"avx512_bf16": False}, {}, None])
def test_not_on_other_processors_and_where_pytorch_does_not_tell(monkeypatch, told):
    if told is None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    else:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert not computes_in_bfloat16()
    with torch.inference_mode(), fast_precision(torch.zeros(1, 3, 4, 4)):
        assert not torch.is_autocast_enabled("cpu")
