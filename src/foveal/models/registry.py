"""How a model is loaded, by its name or from a file that `foveal train` wrote, and where its weights come from."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool
from safetensors import safe_open
from safetensors.torch import save

from foveal.errors import FovealError, first_line
from foveal.files import write_atomically
from foveal.gaze import Dataset
from foveal.gaze.given import described
from foveal.gaze.recognition import are_among, from_text, perceptual_hashes
from foveal.models.backbones.packaged import check_common_files, common_files, common_tensors
from foveal.models.base import SaliencyModel
from foveal.models.catalogue import class_of, list_models
from foveal.models.parts.empty import without_numbers
from foveal.paths import path_of
from foveal.registry import no_such

DEFAULT_MODEL = "foveal-s"


def load_model(
    name: str | os.PathLike[str], device: str | torch.device = "cpu", *, fitted: bool = True
) -> SaliencyModel:
    """Make a model ready to predict, or to be fitted.

    Parameters
    ----------
    name
        One of `list_models()`, or the path of a `.safetensors` file that `foveal train` wrote.
    device
        Where it computes, such as "cpu" or "cuda".
    fitted
        With the weights that come with the package, if it has some; without, it is as it is made.

    Raises
    ------
    FovealError
        If there is no such model, file or device.
    """
    path_of(name, "model")
    check_device(device)
    name = os.fspath(name)
    if name.endswith(".safetensors"):
        model = _read_model(Path(name))
    else:
        cls = _class_of(name)
        with resources.as_file(_published(name)) as path:
            if fitted and cls.card.made_by and not path.is_file():
                raise FovealError(f"{name} comes without weights: {how_weights_are_made(cls)}")
            if fitted and cls.card.weights != "none" and not path.is_file():
                raise FovealError(f"{path}: the weights of {name} are missing; install Foveal again")
            if fitted and path.is_file():
                model = _read_model(path)
            else:
                with torch.random.fork_rng():  # its first numbers are drawn, and move nobody's
                    model = cls()
    return model.eval().to(device)


def model_that_predicts(
    model: SaliencyModel | str | os.PathLike[str], device: str | torch.device = "cpu"
) -> SaliencyModel:
    """A model, given as such or as to `load_model`, of which nothing is missing when it is asked.

    Raises
    ------
    FovealError
        If there is no such model, file or device, something of it is missing, or it cannot predict.
    """
    if not isinstance(model, SaliencyModel):
        model = load_model(model, device)
    model.make_ready()
    if model.card.needs_fixations:
        raise FovealError(
            f"{model.name} is made from fixations on the image itself; it can be evaluated, it cannot predict"
        )
    return model


def how_weights_are_made(cls: type[SaliencyModel]) -> str:
    """Of a model without weights: what makes them, and which small form of it can be used at once, if there is one."""
    hours = ", in hours" if cls.card.weights == "recipe" else ""
    made = f"`{cls.card.made_by} --out run` makes them{hours}; then give run/{cls.card.name}.safetensors"
    ready = [small.card.name for small in cls.__subclasses__() if small.card.weights == "package"]
    return f"{made}. {ready[0]}, a small form of it, is ready" if ready else made


def check_device(device: str | torch.device) -> None:
    """Make sure that a device computes, here and now.

    Raises
    ------
    FovealError
        If it does not: torch does not know it, it is not here, or it holds no numbers, as "meta".
    """
    if not isinstance(device, str | int | torch.device):
        raise FovealError(f"device: a name such as 'cpu' or 'cuda' is needed, not {described(device)}")
    try:
        (torch.ones(1, device=device) + 1).item()
    except Exception as error:  # whatever the part of torch for a device says where there is none
        raise FovealError(f"device {str(device)!r} cannot be used here ({first_line(error)})") from None


def save_model(
    model: SaliencyModel,
    path: str | os.PathLike[str],
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write a model's weights as safetensors, with its name and where they come from in the header.

    Of a model that says `saved_in_16_bits`, matrices and filters are kept in 16 bits; all is read as 32 bits. What is
    the same in the package's file of a pretrained network that the model reads is left out.

    Raises
    ------
    FovealError
        If the file cannot be written.
    """
    header = {"model": model.name, "provenance": json.dumps(provenance or {})}
    if model.Config is not None:
        header["config"] = json.dumps(asdict(model.config))
    large = {name for name, parameter in model.named_parameters() if model.saved_in_16_bits and parameter.ndim > 1}
    tensors = {
        key: (tensor.half() if key in large else tensor).contiguous() for key, tensor in model.state_dict().items()
    }
    common = common_tensors(model)
    if left_out := {key for key in common if torch.equal(tensors[key].cpu(), common[key].to(tensors[key].dtype))}:
        header["common"] = json.dumps(common_files(model))
        tensors = {key: tensor for key, tensor in tensors.items() if key not in left_out}
    with write_atomically(path) as temporary:
        temporary.write_bytes(save(tensors, header))


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Where the weights in a file come from, as `save_model` was told.

    Raises
    ------
    FovealError
        If the file cannot be read, or says it in another way than Foveal does.
    """
    path = Path(path)
    try:
        provenance = json.loads(_read_header(path).get("provenance", "{}"))
    except (ValueError, RecursionError) as error:
        raise FovealError(f"{path}: where the weights come from cannot be read ({first_line(error)})") from None
    trainings = [provenance, *_values_of(provenance, "members")]
    if not all(_is_training(training) for training in trainings):
        raise FovealError(f"{path}: where the weights come from cannot be read (not as Foveal writes it)")
    return dict(provenance)


def _values_of(training: Any, key: str) -> list[Any]:
    """What lies under the names of a table in another one; one thing that is no table, if that is none."""
    part = training.get(key) or {} if isinstance(training, dict) else None
    return list(part.values()) if isinstance(part, dict) else [None]


def _is_training(training: Any) -> bool:
    """Is it a table that says of a training what others read of it, where it says it?"""
    if not isinstance(training, dict):
        return False
    tables = [training.get(key) or {} for key in ("recipe", "last_epoch")]
    datasets = training.get("datasets", [])
    if not isinstance(datasets, list) or not all(isinstance(table, dict) for table in (*tables, *datasets)):
        return False
    if "dataset" in training and not {"licence", "n_images"} <= set(training):
        return False
    names = [data.get("name") for data in datasets] + [training[key] for key in ("dataset",) if key in training]
    return all(isinstance(name, str) for name in names) and all({"licence", "images"} <= set(data) for data in datasets)


def provenance_of(name: str | os.PathLike[str]) -> dict[str, Any]:
    """Where the weights of a model come from that is given as to `load_model`; nothing of one without weights."""
    name = os.fspath(name)
    if name.endswith(".safetensors"):
        return read_provenance(name)
    with resources.as_file(_published(name)) as path:
        return read_provenance(path) if path.is_file() else {}


def trainings_of(name: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    """Where the weights of a model come from, and under their names those of models that it reads.

    Of a mixture, member by member; of another model, its own under "".
    """
    provenance = provenance_of(name)
    trainings = dict(provenance.get("members") or ({"": provenance} if provenance else {}))
    for other in _class_of(os.fspath(name)).reads:
        trainings |= {part or other: training for part, training in trainings_of(other).items()}
    return trainings


def datasets_of(training: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, licence and number of images of every data set that one training was on.

    And "photographs", by which they are recognized (see `foveal.gaze.recognition`), where the weights say it.
    """
    if "dataset" in training:  # by `foveal train MODEL`, of which there is but one
        called = {"name": "dataset", "licence": "licence", "images": "n_images", "photographs": "photographs"}
        return [{key: training[name] for key, name in called.items() if name in training}]
    return list(training.get("datasets", []))


def trained_on(name: str | os.PathLike[str]) -> list[str]:
    """Names of the data sets that a model, or one that it reads, was fitted to; it is given as to `load_model`."""
    every = (data["name"] for training in trainings_of(name).values() for data in datasets_of(training))
    return list(dict.fromkeys(every))


def recognized(
    trainings: Iterable[Mapping[str, Any]], data: Dataset, images: Sequence[int] | None = None
) -> Bool[np.ndarray, " image"]:
    """Which photographs of a data set, or of some images of it, some trainings (see `trainings_of`) were on.

    Photographs are known by their content; where a training does not say it, by the name of its data set.

    Raises
    ------
    FovealError
        If a training says something else in the place of its photographs.
    """
    every = [learned for training in trainings for learned in datasets_of(training)]
    if any(learned["name"] == data.name for learned in every if "photographs" not in learned):
        return np.ones(len(data) if images is None else len(images), dtype=bool)
    texts = {learned["photographs"] for learned in every if "photographs" in learned}
    if not texts:
        return np.zeros(len(data) if images is None else len(images), dtype=bool)
    try:
        known = np.concatenate([from_text(text) for text in sorted(texts)])
    except (TypeError, ValueError):
        raise FovealError("the header of the weights does not say which photographs were trained on") from None
    return are_among(perceptual_hashes(data.stimuli, images), known)


def has_weights(name: str | os.PathLike[str]) -> bool:
    """Does a model, given as to `load_model`, come with weights that were fitted?"""
    name = os.fspath(name)
    if name.endswith(".safetensors"):
        return Path(name).is_file()
    with resources.as_file(_published(name)) as path:
        return path.is_file()


def _published(name: str) -> Traversable:
    """Where the weights are that come with the package, if there are."""
    return resources.files("foveal.models") / "weights" / f"{name}.safetensors"


def _class_of(name: str) -> type[SaliencyModel]:
    if name.endswith(".safetensors"):
        return _class_in(Path(name), _read_header(Path(name)))
    cls = class_of(name)
    if cls is None:
        raise FovealError(no_such("model", name, list_models(), also="or a .safetensors file"))
    return cls


def _class_in(path: Path, header: Mapping[str, str]) -> type[SaliencyModel]:
    cls = class_of(header.get("model", ""))
    if cls is None:
        raise FovealError(f"{path}: weights of {header.get('model', 'no model')!r}, which Foveal does not have")
    return cls


def _read_model(path: Path) -> SaliencyModel:
    with _opened(path) as file:
        header = file.metadata() or {}
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no dictionary)
    cls = _class_in(path, header)
    try:
        with without_numbers():  # what a damaged header says to be huge is found not to fit before it is made
            model = cls(cls.Config.read(json.loads(header["config"]))) if cls.Config and "config" in header else cls()
        if "common" in header:
            check_common_files(model, json.loads(header["common"]))
            tensors = common_tensors(model) | tensors
        _check_fit(model, tensors)
        of_kind = {key: tensors[key].to(tensor.dtype, copy=True) for key, tensor in model.state_dict().items()}
        model.load_state_dict(of_kind, assign=True)
    except Exception as error:  # a damaged configuration can break the making of a model anywhere
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FovealError(f"{path}: the weights do not fit the model ({reason})") from None
    return model


def _check_fit(model: SaliencyModel, tensors: Mapping[str, torch.Tensor]) -> None:
    """Make sure that tensors are those of a model, by their names, shapes and kinds of numbers."""
    expected = model.state_dict()
    if different := sorted(expected.keys() ^ tensors.keys()):
        raise ValueError(f"{different[0]}: {'missing' if different[0] in expected else 'not known'}")
    for key, tensor in expected.items():
        same_kind = tensor.is_floating_point() == tensors[key].is_floating_point()
        if tensor.shape != tensors[key].shape or not same_kind or tensors[key].is_complex():
            raise ValueError(f"{key}: {tensors[key].dtype} {[*tensors[key].shape]}, not {[*tensor.shape]}")


def _read_header(path: Path) -> dict[str, str]:
    with _opened(path) as file:
        return file.metadata() or {}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A safetensors file; whatever is wrong with it becomes one line that names it."""
    try:
        if not path.is_file():
            raise FovealError(f"{path}: no such file")
        with safe_open(path, framework="pt") as file:
            yield file
    except FovealError:
        raise
    except Exception as error:
        raise FovealError(f"{path}: not a safetensors file that can be read ({first_line(error)})") from None
