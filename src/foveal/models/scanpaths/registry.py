"""How a model of scanpaths is loaded, by its name or from a file that `foveal train` wrote."""

import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from foveal.errors import FovealError, first_line
from foveal.files import write_atomically
from foveal.models.base import SaliencyModel
from foveal.models.registry import check_device
from foveal.models.scanpaths.base import ScanpathModel
from foveal.models.scanpaths.foveal_path import FovealPath
from foveal.models.scanpaths.inhibition_of_return import InhibitionOfReturn
from foveal.models.scanpaths.saccade_statistics import SaccadeStatistics
from foveal.models.scanpaths.static import Static
from foveal.paths import path_of
from foveal.registry import no_such

_MODELS: dict[str, type[ScanpathModel]] = {
    model.name: model for model in (Static, InhibitionOfReturn, SaccadeStatistics, FovealPath)
}


def list_scanpath_models() -> list[str]:
    """Names of all models of scanpaths, the simplest first."""
    return list(_MODELS)


def load_scanpath_model(
    name: str | os.PathLike[str],
    device: str | torch.device = "cpu",
    *,
    static: SaliencyModel | None = None,
    fitted: bool = True,
) -> ScanpathModel:
    """Make a model of scanpaths ready to predict, or to be fitted.

    Parameters
    ----------
    name
        One of `list_scanpath_models()`, or the path of a `.safetensors` file that `foveal train` wrote.
    device
        Where it computes, such as "cpu" or "cuda".
    static
        The model of the static density, foveal-s by default. The numbers were fitted with foveal-s.
    fitted
        With the weights that come with the package; without, it is as it is made.

    Raises
    ------
    FovealError
        If there is no such model, file or device.
    """
    path_of(name, "model")
    check_device(device)
    name = os.fspath(name)
    if name.endswith(".safetensors"):
        return _read(Path(name), static).to(device)
    if name not in _MODELS:
        raise FovealError(no_such("model of scanpaths", name, _MODELS, also="or a .safetensors file"))
    with torch.random.fork_rng():  # its first numbers are drawn, always the same, and move nobody's
        torch.manual_seed(0)
        model = _MODELS[name](static)
    if fitted and model.epochs:
        with resources.as_file(resources.files("foveal.models") / "weights" / f"{name}.safetensors") as path:
            model = _read(path, static)
    return model.eval().to(device)


def save_scanpath_model(
    model: ScanpathModel, path: str | os.PathLike[str], provenance: dict[str, Any] | None = None
) -> None:
    """Write a model's weights as safetensors, without the static model, and where they come from in the header.

    `foveal.models.read_provenance` reads this again.

    Raises
    ------
    FovealError
        If the file cannot be written.
    """
    header = {"model": model.name, "provenance": json.dumps(provenance or {})}
    tensors = {key: tensor.contiguous() for key, tensor in model.state_dict().items()}
    with write_atomically(path) as temporary:
        temporary.write_bytes(save(tensors, header))


def _read(path: Path, static: SaliencyModel | None) -> ScanpathModel:
    if not path.is_file():
        raise FovealError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            name = (file.metadata() or {}).get("model", "")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no dictionary)
        if name not in _MODELS:
            raise FovealError(f"weights of {name or 'no model'!r}, which is no model of scanpaths")
        model = load_scanpath_model(name, static=static, fitted=False)
        model.load_state_dict(tensors)
    except Exception as error:  # a damaged file can break the reading anywhere
        raise FovealError(f"{path}: the weights cannot be read ({first_line(error)})") from None
    return model.eval()
