"""The few numbers that a data set may have of its own, fitted to some of its pictures; the network stays as it is.

What people look at differs between studies in little: how large it is, how close to the center, how well people agree
(Kümmerer, Khanuja & Bethge 2025, "Modeling saliency dataset bias", arXiv:2505.10169, find that fewer than 20 numbers
win back three quarters of what a model loses on a new data set). A network says which numbers it has (`numbers`).

Few pictures say little. So the numbers are drawn towards those that the network has for pictures of no study in
particular, and so is the center bias, the less the more pictures there are.
"""

import copy
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.errors import FovealError
from foveal.features.cache import FeatureGroup
from foveal.features.cells import OfOneSize, counts_of, log_priors_of
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.folds import fold_of
from foveal.gaze.given import listed, real_number
from foveal.models import SaliencyModel, load_model
from foveal.models.base import stacked
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.network import DensityNetwork, Network, Numbers, mixed, with_prior
from foveal.models.parts.finalizer import normalize_log_density, resize_maps
from foveal.models.parts.geometry import GridOf
from foveal.models.parts.prior import prior_of
from foveal.models.parts.sizes import Viewing
from foveal.progress import Progress, Report
from foveal.threads import computed_ahead
from foveal.training.fits.fit import Fitted, fit, log_likelihood_by_image, settings_of
from foveal.training.fits.options import FitSettings, option

Model = TypeVar("Model", bound=DensityNetwork | FovealL)
STEPS = 60  # at most; of a problem of few numbers
PULL = 0.3  # nats a fixation, over the number of pictures: what it costs to move a number by one
SMALLEST_SIZE, LARGEST_SIZE = 0.25, 2.0  # shares of the usual side: beyond, the network has learned nothing
PULL_OF_CENTER = 20  # pictures, as which the network's own center bias counts beside those of the study


@dataclass(frozen=True)
class Unseen:
    """What networks say of images of one size, before they are given numbers; all on the CPU.

    Attributes
    ----------
    size
        Height and width of the images, px.
    images
        Their positions in the data set.
    said
        What each member of a model says over its own cells (see `Network.said`); most models have but one.
    log_priors
        The center bias that is counted with it: of the study that is fitted to, drawn towards the model's.
    reference
        The data set's own center bias, made without the image at hand, above which gains are measured.
    counts
        Fixations in each cell, of the member that has the finest.
    """

    size: tuple[int, int]
    images: list[int]
    said: list[Float[Tensor, "image *map _ _"]]
    log_priors: Float[Tensor, "image row column"]
    reference: Float[Tensor, "image row column"]
    counts: Float[Tensor, "image row column"]

    def log_density(
        self, members: Sequence[DensityNetwork], changes: Numbers | None = None
    ) -> Float[Tensor, "image row column"]:
        """Over the cells, the mean of the members' densities, with their numbers changed by so much, if at all."""
        size = self.counts.shape[1], self.counts.shape[2]
        by_member = []
        for member, maps in zip(members, self.said, strict=True):
            numbers = changed(member.numbers(), changes)
            saliency = member.combined(maps, numbers)
            on_cells = resize_maps(saliency.flatten(0, -3), size).unflatten(0, saliency.shape[:-2])
            logits = with_prior(on_cells, numbers["prior_weight"] * self.log_priors)
            by_member.append(normalize_log_density(mixed(logits)))
        return torch.stack(by_member).logsumexp(dim=0) - math.log(len(by_member))

    def gain(self, members: Sequence[DensityNetwork], changes: Numbers | None = None) -> Float[Tensor, " image"]:
        """Information gain of each image, bit per fixation above the data set's center bias."""
        difference = self.log_density(members, changes) - self.reference
        return (self.counts * difference).sum(dim=(1, 2)) / self.counts.sum(dim=(1, 2)) / math.log(2)


def part_of(unseen: Sequence[Unseen], images: Sequence[int] | np.ndarray) -> list[Unseen]:
    """The parts that are about some images."""
    chosen = []
    for part in unseen:
        rows = np.flatnonzero(np.isin(part.images, images)).tolist()
        if rows:
            chosen.append(
                Unseen(
                    part.size,
                    [part.images[row] for row in rows],
                    [maps[rows] for maps in part.said],
                    part.log_priors[rows],
                    part.reference[rows],
                    part.counts[rows],
                )
            )
    return chosen


def changed(numbers: Numbers, changes: Numbers | None) -> Numbers:
    """Numbers on the CPU, moved by so much, if at all."""
    return {name: value.cpu() + (changes[name] if changes else 0.0) for name, value in numbers.items()}


def networks_of(model: DensityNetwork | FovealL) -> list[DensityNetwork]:
    """A network, or all members of a mixture.

    Raises
    ------
    FovealError
        If one says maps, which has no such numbers, or they differ in what numbers they have.
    """
    members = model.networks if isinstance(model, FovealL) else [model]
    densities = [member for member in members if isinstance(member, DensityNetwork)]
    if len(densities) < len(members):
        raise FovealError(f"{model.name}: one of its networks says maps, and is calibrated by itself")
    if len({tuple((name, value.shape) for name, value in one.numbers().items()) for one in densities}) > 1:
        raise FovealError(f"{model.name}: its networks have different numbers, which cannot be fitted together")
    return densities


@torch.no_grad()  # not inference mode: what comes of it is used in fits
def unseen_of(
    model: DensityNetwork | FovealL, data: Dataset, progress: Report, *, only: Sequence[int] | np.ndarray | None = None
) -> list[Unseen]:
    """What a model says of the images of a data set, or of some of them, image size by image size.

    Of a mixture, all members on the cells of the one that has the finest.

    Raises
    ------
    FovealError
        If an image cannot be read.
    """
    members = networks_of(model)
    looked_at = np.unique(data.fixations.image)
    images = looked_at if only is None else np.intersect1d(looked_at, only)
    groups = [FeatureGroup(size, of_size, {}, {}) for size, of_size in data.stimuli.by_size(images.tolist()).items()]
    n_done, unseen = 0, []
    for group, (log_priors, reference, counts) in zip(groups, _of_people(groups, model, data), strict=True):
        by_image = []
        for maps in _said_of(members, data, group.images):
            by_image.append(maps)
            n_done += 1
            progress(data.name, n_done, len(images))
        said = [torch.cat(of_member) for of_member in zip(*by_image, strict=True)]
        unseen.append(Unseen(group.size, group.images, said, log_priors, reference, counts))
    return unseen


def with_fixations(
    unseen: Sequence[Unseen], model: DensityNetwork | FovealL, data: Dataset, density: CenterBiasKDE | None = None
) -> list[Unseen]:
    """The same of other fixations on these images, such as those of a window of time, and with their center bias.

    Images that nobody looked at are left out. `density` is the center bias, if it is fitted already.
    """
    parts = part_of(unseen, np.unique(data.fixations.image))
    return [
        replace(part, log_priors=log_priors, reference=reference, counts=counts)
        for part, (log_priors, reference, counts) in zip(parts, _of_people(parts, model, data, density), strict=True)
    ]


def _of_people(
    groups: Sequence[OfOneSize], model: DensityNetwork | FovealL, data: Dataset, density: CenterBiasKDE | None = None
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Drawn center biases, the data set's own ones, and counts of fixations, on the cells of images of each size."""
    grid_of, first = _finest_cells(model), networks_of(model)[0]
    references = log_priors_of(groups, data, density or CenterBiasKDE.fit(data), grid_of)
    n_others = len(np.unique(data.fixations.image)) - 1
    drawn = [_drawn(of_group, first, torch.full((len(of_group),), n_others)) for of_group in references]
    return list(zip(drawn, references, counts_of(groups, data.fixations, grid_of), strict=True))


def _finest_cells(model: DensityNetwork | FovealL) -> GridOf:
    """The cells of the member that has the finest."""
    members = networks_of(model)
    return lambda size: max((member.cells(size) for member in members), key=lambda cells: cells.rows.length)


def fitted_to(
    unseen: Sequence[Unseen],
    model: DensityNetwork | FovealL,
    data: Dataset,
    study: Sequence[int] | np.ndarray,
    density: CenterBiasKDE,
) -> list[Unseen]:
    """The same with the center bias (`density`) of some images of a data set, drawn towards the model's.

    Of one of these images, it is the center bias of the others.
    """
    images, network = [image for part in unseen for image in part.images], networks_of(model)[0]
    others = np.setdiff1d(images, study).tolist()
    log_priors = log_priors_of(unseen, data, density, _finest_cells(model), others)
    n_others = [len(study) - torch.from_numpy(np.isin(part.images, study)).int() for part in unseen]
    return [
        replace(part, log_priors=_drawn(of_part, network, n))
        for part, of_part, n in zip(unseen, log_priors, n_others, strict=True)
    ]


def _said_of(members: Sequence[DensityNetwork], data: Dataset, images: Sequence[int]) -> Iterator[list[Tensor]]:
    """What each member says of one image after the other."""
    for image, (pixels, problems) in zip(
        images, computed_ahead(data.stimuli.read, [[image] for image in images]), strict=True
    ):
        if problems:
            raise FovealError(problems[0])
        viewing = Viewing(data.stimuli[image].known_pixels_per_degree)
        tensor = stacked([pixels[image]])
        yield [member.said(tensor.to(member.device), viewing).cpu() for member in members]


def _drawn(
    log_priors: Float[Tensor, "image row column"], network: DensityNetwork, n_images: Int[Tensor, " image"]
) -> Float[Tensor, "image row column"]:
    """Center biases, each of so many images of a study, drawn towards the one that a network has."""
    own = normalize_log_density(network.prior_on((log_priors.shape[1], log_priors.shape[2])).cpu().clone())
    share = (n_images / (n_images + PULL_OF_CENTER))[:, None, None]
    return torch.logaddexp(log_priors + share.log(), own + (1 - share).log())


def fit_numbers(model: DensityNetwork | FovealL, unseen: Sequence[Unseen], pull: float = PULL) -> Numbers:
    """By how much the model's numbers are to be moved, so that the mean information gain is highest.

    Each is drawn to where it is: the loss has `pull` times the sum of their squares, over the number of images.
    """
    members = networks_of(model)
    changes = {name: torch.zeros(value.shape, requires_grad=True) for name, value in members[0].numbers().items()}
    optimizer = torch.optim.LBFGS(list(changes.values()), max_iter=STEPS, line_search_fn="strong_wolfe")
    n_images = sum(len(part.images) for part in unseen)

    def cost() -> Float[Tensor, ""]:
        optimizer.zero_grad()
        gain = torch.cat([part.gain(members, changes) for part in unseen]).mean()
        squares = torch.stack([change.square().sum() for change in changes.values()]).sum()
        loss = -math.log(2) * gain + pull / n_images * squares
        loss.backward()
        return loss

    optimizer.step(cost)
    return {name: change.detach() for name, change in changes.items()}


def _sizes(given: Any) -> list[float]:
    sizes = [real_number(each, "sizes") for each in listed(given, "sizes")]
    if wrong := [size for size in sizes if not SMALLEST_SIZE <= size <= LARGEST_SIZE]:
        raise FovealError(f"sizes: numbers from {SMALLEST_SIZE} to {LARGEST_SIZE}, not {wrong[0]:g}")
    return sizes


@dataclass(frozen=True, kw_only=True)
class NumbersSettings(FitSettings):
    """What is chosen of networks that stay as they are."""

    keeps_networks: ClassVar[bool] = True

    def to_fit(self, fresh: SaliencyModel, source: str | os.PathLike[str]) -> SaliencyModel:
        """The model with what it has learned."""
        return load_model(source)


@dataclass(frozen=True, kw_only=True)
class SizesSettings(NumbersSettings):
    """What is chosen of networks that can see pictures at other sizes, as `foveal.train` describes it."""

    sizes: Sequence[float] = option((), _sizes)

    def to_fit(self, fresh: SaliencyModel, source: str | os.PathLike[str]) -> SaliencyModel:
        """The model with what it has learned, at more sizes."""
        model = super().to_fit(fresh, source)
        if not self.sizes:
            return model
        assert isinstance(model, FovealS | FovealL)  # `numbers_settings` made sure
        more = model.also_at(self.sizes)
        if more is model:
            raise FovealError(f"sizes: {model.name} has these already")
        return more


@settings_of.register(Network | FovealL)
def numbers_settings(model: Network | FovealL) -> type[NumbersSettings]:
    """Those of networks that stay as they are."""
    networks = model.networks if isinstance(model, FovealL) else [model]
    return SizesSettings if all(isinstance(network, FovealS) for network in networks) else NumbersSettings


@fit.register(DensityNetwork | FovealL)
def fit_foveal(model: DensityNetwork | FovealL, data: Dataset, settings: FitSettings) -> Fitted:
    """Fit numbers and center bias to all, and by folds to see what they are worth on other images."""
    n_folds, folds = settings.folds_of(data)
    unseen = unseen_of(model, data, settings.progress)
    held_out, number = np.full(len(data), math.nan), fold_of(data, n_folds)
    for fold in folds:
        others = np.flatnonzero(number != fold)
        density = CenterBiasKDE.fit(data.select(others))
        changes = fit_numbers(model, fitted_to(part_of(unseen, others), model, data, others, density))
        of_fold = with_numbers(model, changes, density, len(others))
        images = np.flatnonzero(number == fold).tolist()
        held_out[images] = log_likelihood_by_image(of_fold, data, images)[images]
    changes, density, first = fit_numbers(model, unseen), CenterBiasKDE.fit(data), networks_of(model)[0]
    scale_is_known = all(stimulus.known_pixels_per_degree is not None for stimulus in data.stimuli)
    words = tuple(first.in_words(changed(first.numbers(), changes), scale_is_known=scale_is_known))
    return Fitted(with_numbers(model, changes, density, len(data)), held_out if folds else None, words)


def calibrated_to(model: Model, data: Dataset, progress: Report | None = None) -> Model:
    """A copy of a model for photographs, observers and a task like those of a data set.

    They get its center bias, and the numbers that fit its fixations best; the networks' own weights stay as they are,
    so that ten to fifty photographs are enough.

    Raises
    ------
    FovealError
        If an image cannot be read, or nobody looked at any.
    """
    changes = fit_numbers(model, unseen_of(model, data, Progress.of(progress)))
    return with_numbers(model, changes, CenterBiasKDE.fit(data), len(np.unique(data.fixations.image)))


def with_numbers(model: Model, changes: Numbers | None, density: CenterBiasKDE, n_images: int) -> Model:
    """A copy of a model with its numbers moved by so much, and the center bias of so many images."""
    log_prior = prior_of(density).float()
    calibrated = copy.deepcopy(model)
    first = networks_of(model)[0]
    for network in networks_of(calibrated):
        network.take(changed(network.numbers(), changes))
        network.log_prior.copy_(_drawn(log_prior[None], first, torch.tensor([n_images]))[0])
    return calibrated
