"""Predictions in bfloat16, where a processor is faster in it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor


def computes_in_bfloat16() -> bool:
    """Has the CPU instructions for bfloat16, and PyTorch convolutions that use them?

    Without, what is computed in bfloat16 takes many times as long as in float32.
    """
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # PyTorch tells from 2.11 on
    return bool(capabilities.get("avx512_bf16")) and torch.backends.mkldnn.is_available()


def fast_precision(images: Tensor) -> AbstractContextManager[object]:
    """Within it, a network's features of float32 images are computed in bfloat16, if they are on a CPU made for it.

    Only in inference mode, as `SaliencyModel.predict` is, and if the user has not chosen a precision by autocast. With
    `torch.no_grad()` instead, and in graphs that are compiled or exported, the numbers are those of all other machines.
    What is gained and lost: `benchmarks/bfloat16.py`.
    """
    if torch.compiler.is_compiling() or not torch.is_inference_mode_enabled() or torch.is_autocast_enabled("cpu"):
        return nullcontext()
    is_fast = images.device.type == "cpu" and images.dtype == torch.float32 and computes_in_bfloat16()
    return torch.autocast("cpu", torch.bfloat16) if is_fast else nullcontext()
