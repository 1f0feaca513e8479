"""Weights of pretrained networks that come with the package, once for all models that read them.

A model's file then leaves out what is the same in the network's own file.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache

from safetensors.torch import load
from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.models.backbones.backbone import Backbone
from foveal.models.backbones.catalogue import packaged_path

DIGITS = 16  # of a file's hash


def common_tensors(model: nn.Module) -> dict[str, Tensor]:
    """What a model's pretrained networks have in the package's files, by the names that the model has for it."""
    return {
        f"{place}.steps.{key}": _weights(network.name)[0][key]
        for place, network in _of_package(model)
        for key in network.steps.state_dict()
    }


def common_files(model: nn.Module) -> dict[str, str]:
    """A hash of each of these files, by the network's name."""
    return {network.name: _weights(network.name)[1] for _, network in _of_package(model)}


def check_common_files(model: nn.Module, hashes: Mapping[str, str]) -> None:
    """Make sure that a model finds here what was left out of its file.

    Raises
    ------
    FovealError
        If a network's weights are others here, or not here.
    """
    here = common_files(model)
    for name, digest in hashes.items():
        if here.get(name) != digest:
            raise FovealError(f"this version has other weights of {name} than those that it was trained on")


def _of_package(model: nn.Module) -> Iterator[tuple[str, Backbone]]:
    """Place and network of each that the package has weights of."""
    for place, module in model.named_modules():
        if isinstance(module, Backbone) and packaged_path(module.name).is_file():
            yield place, module


@cache
def _weights(name: str) -> tuple[dict[str, Tensor], str]:
    """Weights of a network in the package, and a hash of their file."""
    content = packaged_path(name).read_bytes()
    return load(content), hashlib.sha256(content).hexdigest()[:DIGITS]
