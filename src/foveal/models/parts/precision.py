"""Half the bits, where a processor is faster with them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def computes_in_bfloat16() -> bool:
    """Has the CPU instructions for bfloat16, and PyTorch convolutions that use them?

    Without, what is computed in bfloat16 takes many times as long as in float32.
    """
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # an older PyTorch does not tell
    return bool(capabilities.get("avx512_bf16")) and torch.backends.mkldnn.is_available()


def fast_precision(device: torch.device) -> AbstractContextManager[object]:
    """Within it, a network predicts in bfloat16 if it is on a CPU that computes in it; else nothing changes.

    Only in inference mode, as `SaliencyModel.predict` is: with `torch.no_grad()` instead, and where gradients are
    wanted, the numbers are those of all other machines. What is gained and lost: `benchmarks/bfloat16.py`.
    """
    is_fast = device.type == "cpu" and torch.is_inference_mode_enabled() and computes_in_bfloat16()
    return torch.autocast("cpu", torch.bfloat16) if is_fast else nullcontext()
