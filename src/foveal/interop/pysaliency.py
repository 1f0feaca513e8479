"""Pysaliency's stimuli, fixations and models as Foveal's, and back.

Needs the extra: `pip install foveal[pysaliency]`. Written for pysaliency 0.2.22.

Pysaliency lets a pixel reach from its coordinate to the next; Foveal has its center there. So half a pixel is added or
taken away, and a fixation stays on its pixel.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.images import read_image
from foveal.models import ModelCard, SaliencyMapModel, SaliencyModel
from foveal.models.base import check_pixels_per_degree
from foveal.models.parts.finalizer import normalize_log_density

try:
    with warnings.catch_warnings():  # it uses what setuptools is about to drop, and says so at every import
        warnings.simplefilter("ignore")
        import pysaliency
except ImportError as error:
    raise FovealError(
        f"pysaliency cannot be imported ({error}); pip install 'foveal[pysaliency]' installs it"
    ) from error

HALF_PIXEL = 0.5


def from_dataset(
    stimuli: "pysaliency.Stimuli",
    fixations: "pysaliency.Fixations",
    name: str,
    pixels_per_degree: float | None = None,
) -> Dataset:
    """A Foveal data set of pysaliency's stimuli and fixations; fixations outside their image are left out.

    Images in files stay in their files; their ids are what is left of the paths without the folders that all share.
    """
    if isinstance(stimuli, pysaliency.FileStimuli):
        names = pysaliency.utils.get_minimal_unique_filenames(stimuli.filenames)
        ours = Stimuli([Path(path) for path in stimuli.filenames], names, pixels_per_degree)
    else:
        ours = Stimuli([read_image(np.asarray(pixels)) for pixels in stimuli.stimuli], None, pixels_per_degree)
    x, y = np.asarray(fixations.x) - HALF_PIXEL, np.asarray(fixations.y) - HALF_PIXEL
    looked_at = Fixations.of(np.asarray(fixations.n), x, y, subject=np.asarray(fixations.subjects).astype(int))
    return Dataset(name, ours, looked_at.inside(ours.sizes))


def to_stimuli(stimuli: Stimuli) -> "pysaliency.Stimuli":
    """Pysaliency's stimuli: `FileStimuli` if all images are files, else arrays."""
    if all(isinstance(source, Path) for source in stimuli.sources):
        return pysaliency.FileStimuli([str(source) for source in stimuli.sources])
    return pysaliency.Stimuli([stimulus.image for stimulus in stimuli])


def to_fixations(fixations: Fixations) -> "pysaliency.Fixations":
    """Pysaliency's fixations, without history; subjects where they are known."""
    return pysaliency.Fixations.create_without_history(
        fixations.x + HALF_PIXEL,
        fixations.y + HALF_PIXEL,
        fixations.image,
        subjects=fixations.subject if fixations.has_subjects else None,
    )


def to_model(model: SaliencyModel, pixels_per_degree: float | None = None) -> "pysaliency.Model":
    """A pysaliency model that predicts the log densities of one of Foveal's.

    Raises
    ------
    FovealError
        If `pixels_per_degree` is not a positive number.
    """
    check_pixels_per_degree(pixels_per_degree)
    return _TheirModel(model, pixels_per_degree)


def to_saliency_map_model(model: SaliencyMapModel) -> "pysaliency.SaliencyMapModel":
    """A pysaliency model that computes the raw saliency maps of one of Foveal's."""
    return _TheirSaliencyMapModel(model)


def from_model(model: Any) -> SaliencyModel:
    """A Foveal model of one of pysaliency's: a `Model`, or a `SaliencyMapModel` (which still wants a calibration).

    Raises
    ------
    FovealError
        If it is neither.
    """
    if isinstance(model, pysaliency.Model):
        return _OurModel(model)
    if isinstance(model, pysaliency.SaliencyMapModel):
        return _OurSaliencyMapModel(model)
    raise FovealError(f"{type(model).__name__} is no model of pysaliency's")


class _TheirModel(pysaliency.Model):  # type: ignore[misc]
    def __init__(self, model: SaliencyModel, pixels_per_degree: float | None) -> None:
        super().__init__()
        self.model = model
        self.pixels_per_degree = pixels_per_degree

    def _log_density(self, stimulus: np.ndarray) -> Float[np.ndarray, "height width"]:
        return self.model.predict(np.asarray(stimulus), self.pixels_per_degree).log_density


class _TheirSaliencyMapModel(pysaliency.SaliencyMapModel):  # type: ignore[misc]
    def __init__(self, model: SaliencyMapModel) -> None:
        super().__init__()
        self.model = model

    def _saliency_map(self, stimulus: np.ndarray) -> Float[np.ndarray, "height width"]:
        return self.model.saliency_map_of([np.asarray(stimulus)])[0].cpu().numpy()


def _card(theirs: Any) -> ModelCard:
    return ModelCard(
        name=f"pysaliency.{type(theirs).__name__}",
        family="pysaliency",
        year=0,
        paper="as its authors say",
        trainable=False,
        weights="none",
        licence="not stated",
        needs_fixations=False,
    )


def _pixels(images: Float[Tensor, "image 3 height width"]) -> list[np.ndarray]:
    return list((images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy())


class _OurModel(SaliencyModel):
    def __init__(self, theirs: "pysaliency.Model") -> None:
        super().__init__()
        self.theirs = theirs
        self.card = _card(theirs)  # type: ignore[misc]

    def log_density(
        self, images: Float[Tensor, "image 3 height width"], pixels_per_degree: float | None = None
    ) -> Float[Tensor, "image height width"]:
        densities = np.stack([self.theirs.log_density(pixels) for pixels in _pixels(images)])
        return normalize_log_density(torch.from_numpy(densities).float().to(images.device))


class _OurSaliencyMapModel(SaliencyMapModel):
    def __init__(self, theirs: "pysaliency.SaliencyMapModel") -> None:
        super().__init__()
        self.theirs = theirs
        self.card = _card(theirs)  # type: ignore[misc]

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        maps = np.stack([self.theirs.saliency_map(pixels) for pixels in _pixels(images)])
        return torch.from_numpy(maps).float().to(images.device)
