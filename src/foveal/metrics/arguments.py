"""What a metric is given: brought to what it computes with, or refused in one line.

So a metric's own file says its formula and nothing else: its body sees maps in float32 or float64, all of one shape and
on one device, and fixations of as many images. Whole numbers, truth values and half precision would otherwise be
computed as what they are, and give the number of another thing.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from numbers import Real
from typing import Any, TypeVar, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze.given import NUMBERS_OR_TRUTH, described, real_numbers, whole_number
from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.maps import PixelRanks

FIXATIONS = ("fixations", "nonfixations", "ten_others")
MAPS = ("empirical_map", "center_bias")
SHARES = ("pixels",)  # what several metrics begin with, and can be given ready-made
WHOLE_IN_FLOAT32 = 2**24  # up to here, float32 holds every whole number

Function = TypeVar("Function", bound=Callable[..., Any])


def checked_on_maps(function: Function, name: str) -> Function:
    """The metric with its arguments checked: a batch of maps, and what else their names say."""
    signature = inspect.signature(function)
    first = next(iter(signature.parameters))
    defaults = {parameter.name: parameter.default for parameter in signature.parameters.values()}

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        given = bound.arguments
        maps = given[first] = as_maps(given[first], f"{name}: {first}")
        for argument, value in given.items():
            what = f"{name}: {argument}"
            if argument in FIXATIONS:
                given[argument] = _as_fixations(value, what, maps)
            elif argument in MAPS:
                given[argument] = _as_further_maps(value, what, maps, first)
            elif argument in SHARES:
                given[argument] = None if value is None else _as_ranks(value, what, maps)
            elif argument != first:
                given[argument] = _as_option(value, what, defaults[argument])
        return function(*bound.args, **bound.kwargs)

    return cast(Function, checked)


def checked_on_values(function: Function, name: str) -> Function:
    """The metric with its two arguments checked: values by image, each beside the yardstick's."""
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        values = {argument: _as_values(given, f"{name}: {argument}") for argument, given in bound.arguments.items()}
        if len({array.shape for array in values.values()}) != 1:
            shapes = ", ".join(f"{argument} {array.shape}" for argument, array in values.items())
            raise FovealError(f"{name}: both have a value of every image, but their shapes are {shapes}")
        return function(**values)

    return cast(Function, checked)


def as_maps(given: Any, what: str) -> Float[Tensor, "image height width"]:
    """A batch of maps in float32, or in float64 if they are, or if their whole numbers need it.

    Raises
    ------
    FovealError
        If they are no real numbers, not of three axes, or there is nothing in them.

    >>> as_maps(np.ones((1, 1, 2), np.uint8), "AUC: saliency")
    tensor([[[1., 1.]]])
    """
    maps = _as_floats(given, what)
    if maps.ndim != 3:
        alone = "; one map is a batch of one, map[None]" if maps.ndim == 2 else ""
        raise FovealError(f"{what}: a batch of maps (image, height, width), not {described(maps)}{alone}")
    if maps.numel() == 0:
        raise FovealError(f"{what}: nothing is in a batch of maps of shape {tuple(maps.shape)}")
    return maps


def _as_floats(given: Any, what: str) -> Float[Tensor, "*shape"]:
    if not isinstance(given, Tensor):
        array = real_numbers(given, what, NUMBERS_OR_TRUTH)
        if array.dtype.kind == "f":
            array = array.astype(np.float32 if array.itemsize <= 4 else np.float64, copy=False)
        elif array.itemsize > 2:
            return _narrowed(torch.from_numpy(array.astype(np.float64)))
        else:
            array = array.astype(np.float32)
        # PyTorch wants memory that it may write to, in order.
        return torch.from_numpy(np.require(array, requirements=["C", "W"]))
    if given.layout is not torch.strided or given.is_nested or given.is_meta or given.is_quantized:
        raise FovealError(f"{what}: an ordinary, dense tensor is needed, not a {given.layout} on {given.device}")
    if given.dtype in (torch.float32, torch.float64):
        return given
    if given.is_complex():
        raise FovealError(f"{what}: real numbers are needed, not {described(given)}")
    if given.is_floating_point() or given.itemsize <= 2:
        return given.float()
    return _narrowed(given.double())


def _narrowed(whole: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Whole numbers in float32, if it holds them all."""
    return whole if whole.numel() and whole.abs().max() > WHOLE_IN_FLOAT32 else whole.float()


def _as_further_maps(
    given: Any, what: str, maps: Float[Tensor, "image height width"], first: str
) -> Float[Tensor, "image height width"]:
    further = as_maps(given, what)
    if further.shape != maps.shape:
        raise FovealError(
            f"{what} has the shape {tuple(further.shape)}, {first} {tuple(maps.shape)}: one size is needed"
        )
    return further.to(maps.device)


def _as_fixations(given: Any, what: str, maps: Float[Tensor, "image height width"]) -> FixationBatch:
    if not isinstance(given, FixationBatch):
        made_by = "FixationBatch.of, FixationBatch.at or FixationBatch.stack"
        raise FovealError(f"{what}: a FixationBatch is needed ({made_by} makes one), not {described(given)}")
    if given.n_images != len(maps):
        raise FovealError(f"{what} are of a batch of {given.n_images} images, the maps of {len(maps)}")
    return given if given.image.device == maps.device else given.to(maps.device)


def _as_ranks(given: Any, what: str, maps: Float[Tensor, "image height width"]) -> list[PixelRanks]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, PixelRanks) for one in given):
        raise FovealError(f"{what}: the ranks that pixel_ranks gives are needed, not {described(given)}")
    if len(given) != len(maps):
        raise FovealError(f"{what} are of {len(given)} maps, and the batch has {len(maps)}")
    if wrong := [one for one in given if one.n_pixels != maps[0].numel()]:
        raise FovealError(f"{what} are of maps of {wrong[0].n_pixels} px, and these have {maps[0].numel()}")
    return list(given)


def _as_values(given: Any, what: str) -> Float[np.ndarray, "*resample image"]:
    values = real_numbers(given, what, NUMBERS_OR_TRUTH)
    if values.ndim == 0 or values.size == 0:
        raise FovealError(f"{what}: values by image are needed, not {described(values)}")
    return values.astype(np.float64, copy=False)


def _as_option(given: Any, what: str, default: Any) -> Any:
    """An option is of the kind that its default is of."""
    if isinstance(default, bool):
        if not isinstance(given, bool | np.bool_):
            raise FovealError(f"{what}: True or False, not {given!r}")
        return bool(given)
    if isinstance(default, int):
        return whole_number(given, what)
    if isinstance(default, float) and (isinstance(given, bool) or not isinstance(given, Real)):
        raise FovealError(f"{what}: a number, not {given!r}")
    return given
