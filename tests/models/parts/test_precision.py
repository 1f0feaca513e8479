"""When predictions are computed in half the bits."""

import pytest
import torch

from foveal.models.parts.precision import computes_in_bfloat16, fast_precision


@pytest.mark.parametrize(
    ("instructions", "fast"),
    [({"avx512_bf16": True}, torch.backends.mkldnn.is_available()), ({"avx512_bf16": False}, False), ({}, False)],
)
def test_on_cpus_that_can_and_in_inference_mode_only(monkeypatch, instructions, fast):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions, raising=False)
    assert computes_in_bfloat16() == fast
    for mode in (torch.inference_mode(), torch.no_grad(), torch.enable_grad()):
        for device in ("cpu", "meta"):
            with mode, fast_precision(torch.device(device)):
                expected = fast and device == "cpu" and isinstance(mode, torch.inference_mode)
                assert torch.is_autocast_enabled("cpu") == expected
    assert not torch.is_autocast_enabled("cpu")


def test_what_the_user_chose_stays(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16), fast_precision(torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu")


def test_an_older_pytorch_does_not_tell(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not computes_in_bfloat16()
