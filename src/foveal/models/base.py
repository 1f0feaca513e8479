"""What a model is: photographs in, log densities out."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor, nn

from foveal.errors import FovealError, first_line
from foveal.gaze.given import described, listed, positive_number, texts
from foveal.images import ImageSource, RGBImage, read_image
from foveal.models.calibration import Calibration, WorkingMaps, to_working_grid
from foveal.models.catalogue import ModelCard
from foveal.models.config import ModelConfig
from foveal.models.parts.finalizer import resize_log_density, resize_maps
from foveal.models.parts.sizes import SeenScale
from foveal.models.parts.working_size import scaled_size
from foveal.models.prediction import Prediction

LARGEST_SIDE = 2048  # px; a larger photograph is shrunk before a model sees it, which bounds time and memory


class SaliencyModel(nn.Module, ABC):
    """A model of where people look. Subclasses say `log_density`; everything that a user calls is here.

    One that has a choice of what it is made of names its `Config`, takes one, and keeps it as `config`.
    """

    card: ClassVar[ModelCard]
    Config: ClassVar[type[ModelConfig] | None] = None
    together_on_cpu: ClassVar[bool] = False  # are images of a batch computed at the same time?
    saved_in_16_bits: ClassVar[bool] = False  # its matrices and filters; all else in 32
    reads: ClassVar[tuple[str, ...]] = ()  # models that come with Foveal, on whose answers or features it is built
    config: Any = None

    @property
    def name(self) -> str:
        """The registered name."""
        return self.card.name

    @property
    def device(self) -> torch.device:
        """Where the model's tensors are."""
        return next((tensor.device for tensor in chain(self.parameters(), self.buffers())), torch.device("cpu"))

    @property
    def depends_on_scale(self) -> bool:
        """Does the density depend on how large the photograph is on the retina?"""
        return False

    def make_ready(self) -> None:
        """Load what is loaded only when it is needed, so that what is missing is said before any work.

        Raises
        ------
        FovealError
            If something is missing.
        """

    @abstractmethod
    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """Natural log of the density of fixations over the pixels of each image.

        Parameters
        ----------
        images
            RGB in [0, 1].
        pixels_per_degree
            Scale of the images, for models that know about visual angle; None where it is not known.
        """

    def at(self, time: float | int) -> "SaliencyModel":
        """A model of the fixations that begin about `time` ms after the picture came on; of `foveal-s` there is one.

        Raises
        ------
        FovealError
            If there is none, or the time is no number from 0 on.
        """
        raise FovealError(f"{self.name} does not say what is seen when; foveal-s does")

    def predict(self, image: ImageSource, pixels_per_degree: float | None = None) -> Prediction:
        """Predict where people look in one photograph: a path, a PIL image, or an array as `read_image` takes it.

        Raises
        ------
        FovealError
            If the photograph cannot be read.
        """
        name = Path(image).stem if isinstance(image, str | os.PathLike) else "image"
        return self.predict_batch([image], [name], pixels_per_degree)[0]

    def predict_batch(
        self, images: Sequence[ImageSource], names: Sequence[str], pixels_per_degree: float | None = None
    ) -> list[Prediction]:
        """Predict photographs of one size together, and call each by its name; as `log_density_of`.

        Raises
        ------
        FovealError
            If a photograph cannot be read, they differ in size, or there are more or fewer names.
        """
        pixels = rgb_images(images)
        names = texts(listed(names, "names"), "names")
        if len(names) != len(pixels):
            raise FovealError(f"{len(pixels)} photographs need as many names, not {len(names)}")
        log_density = self.log_density_of(pixels, pixels_per_degree).cpu().numpy()
        scale = SeenScale.of(pixels[0].shape[:2], pixels_per_degree) if self.depends_on_scale else None
        return [
            Prediction(image, one_log_density, self.name, name, scale)
            for image, one_log_density, name in zip(pixels, log_density, names, strict=True)
        ]

    @torch.inference_mode()
    def log_density_of(
        self, images: Sequence[ImageSource] | np.ndarray, pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """Log densities of photographs of one size, at that size; large ones are shrunk on the way.

        They are given as a list, or as one array (image, height, width, 3).

        Raises
        ------
        FovealError
            If a photograph cannot be read, they differ in size, `pixels_per_degree` is not a positive number, or what
            the model computes is not finite.
        """
        check_pixels_per_degree(pixels_per_degree)
        pixels = rgb_images(images)
        size = pixels[0].shape[:2]
        found = []
        for some in self._tensors(pixels):
            shrunk = some.shape[3] / size[1]
            log_density = self.log_density(some, pixels_per_degree and pixels_per_degree * shrunk)
            found.append(resize_log_density(log_density, size))
        log_densities = found[0] if len(found) == 1 else torch.cat(found)  # a large one is not held twice
        return _finite(log_densities)

    def _tensors(self, images: Sequence[RGBImage]) -> Iterator[Float[Tensor, "image 3 h w"]]:
        """Photographs as the model computes them together.

        On a CPU that is one by one, unless the model itself has use for several: the maps of one image stay in the
        processor's cache, which is up to three times as fast.
        """
        one_by_one = self.device.type == "cpu" and not self.together_on_cpu
        together = 1 if one_by_one else len(images)
        for start in range(0, len(images), together):
            yield to_tensor(images[start : start + together]).to(self.device)


class SaliencyMapModel(SaliencyModel):
    """A model that computes a saliency map in units of its own; a calibration makes it a density."""

    map_is_fitted: ClassVar[bool] = False  # to fixations, as the calibration is

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__()
        self.config = config or (self.Config() if self.Config else None)
        self.calibration = Calibration()

    @abstractmethod
    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """The map before calibration: higher is more salient, on any scale."""

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        """The calibrated map; of an image of one color, the center bias of the data that it was calibrated on."""
        return self.calibration(self.saliency_map(images), _of_one_color(images))

    @torch.inference_mode()
    def saliency_map_of(self, images: Sequence[ImageSource] | np.ndarray) -> Float[Tensor, "image height width"]:
        """Saliency maps of photographs of one size, at that size; they are given as to `log_density_of`.

        The map of an image of one color is zero, where it would be what rounding or the border leaves.

        Raises
        ------
        FovealError
            If a photograph cannot be read, they differ in size, or what the model computes is not finite.
        """
        pixels = rgb_images(images)
        size = pixels[0].shape[:2]
        maps = torch.cat(
            [
                torch.where(_of_one_color(some)[:, None, None], 0.0, self.saliency_map(some))
                for some in self._tensors(pixels)
            ]
        )
        return _finite(maps if tuple(maps.shape[1:]) == size else resize_maps(maps, size))

    @torch.inference_mode()
    def working_maps_of(self, images: Sequence[ImageSource] | np.ndarray) -> WorkingMaps:
        """Maps of photographs of one size on the grid of the calibration, for which any calibration has densities.

        They are given as to `log_density_of`, which does the same with the model's own calibration.

        Raises
        ------
        FovealError
            If a photograph cannot be read, or they differ in size.
        """
        pixels = rgb_images(images)
        maps, is_blank = [], []
        for some in self._tensors(pixels):
            seen = some.shape[2], some.shape[3]
            maps.append(to_working_grid(_finite(self.saliency_map(some))))
            is_blank.append(_of_one_color(some))
        return WorkingMaps(torch.cat(maps), torch.cat(is_blank), seen, pixels[0].shape[:2])


def _finite(maps: Float[Tensor, "image height width"]) -> Float[Tensor, "image height width"]:
    """Maps that have a number at every pixel, as damaged weights leave none."""
    if not maps.sum().isfinite():
        raise FovealError("the prediction holds NaN or infinite values")
    return maps


def _of_one_color(images: Float[Tensor, "image 3 height width"]) -> Bool[Tensor, " image"]:
    return (images == images[..., :1, :1]).all(dim=(1, 2, 3))


Item = TypeVar("Item")
Result = TypeVar("Result")


def together_or_apart(
    compute: Callable[[list[Item]], Result], items: list[Item]
) -> Iterator[tuple[list[Item], Result | FovealError]]:
    """What can be computed of items: of all together, or if that fails, whatever the reason, of each for itself.

    With each result come the items that it is of; one item that fails has an error in its place.

    >>> list(together_or_apart(lambda numbers: [1 // number for number in numbers], [1, 0]))
    [([1], [1]), ([0], FovealError('integer division or modulo by zero (ZeroDivisionError)'))]
    """
    if not items:
        return
    outcome: Result | FovealError
    try:
        outcome = compute(items)
    except FovealError as error:
        outcome = error
    except Exception as error:  # whatever one of them makes a model or a device say, the others are done
        outcome = FovealError(f"{first_line(error)} ({type(error).__name__})")
    if isinstance(outcome, FovealError) and len(items) > 1:
        for item in items:
            yield from together_or_apart(compute, [item])
    else:
        yield items, outcome


def check_pixels_per_degree(pixels_per_degree: float | None) -> None:
    """Make sure that a scale is a positive number, if it is given.

    Raises
    ------
    FovealError
        If it is not.
    """
    if pixels_per_degree is not None:
        positive_number(pixels_per_degree, "pixels per degree")


def rgb_images(images: Sequence[ImageSource] | ImageSource) -> list[RGBImage]:
    """A batch of photographs of one size as they are given, each as `read_image` reads it.

    Raises
    ------
    FovealError
        If one cannot be read, they differ in size, there are none, or one is given that is not in a list.
    """
    if not isinstance(images, Sequence | np.ndarray) or isinstance(images, str) or getattr(images, "ndim", 4) != 4:
        raise FovealError("photographs are given as a list, also if there is only one")
    if len(images) == 0:
        raise FovealError("no photographs given")
    for image in images:
        if not isinstance(image, str | os.PathLike | Image.Image | np.ndarray):
            kinds = "a path, a PIL image or an array (height, width, 3) of uint8"
            raise FovealError(f"a photograph is {kinds}, not {described(image)}")
    read = [read_image(image) for image in images]
    _check_one_size(read)
    return read


def _check_one_size(images: Sequence[np.ndarray]) -> None:
    if len({image.shape for image in images}) != 1:
        raise FovealError("a batch holds images of one size")


def to_tensor(images: Sequence[RGBImage]) -> Float[Tensor, "image 3 h w"]:
    """Photographs of one size as a model sees them: float RGB in [0, 1], no side longer than LARGEST_SIDE.

    Raises
    ------
    FovealError
        If they differ in size.
    """
    _check_one_size(images)
    height, width = images[0].shape[:2]
    scale = LARGEST_SIDE / max(height, width)
    if scale < 1:
        size = scaled_size((height, width), scale)[::-1]
        images = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]
    return stacked(images)


def stacked(images: Sequence[RGBImage]) -> Float[Tensor, "image 3 height width"]:
    """Photographs of one size as float RGB in [0, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
