"""Images of several data sets, of all sizes, as the batches that a deep model is trained on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.maps import gaussian_blur
from foveal.models.deep.foveal_s import FovealS
from foveal.progress import Progress
from foveal.training.feature_cache import FeatureCache, FeatureGroup
from foveal.training.losses import Observed
from foveal.training.readout_problem import counts_of, log_priors_of

DEGREES_ACROSS = 30.0  # assumed of an image of unknown scale, for the width of its empirical map


@dataclass(frozen=True)
class Batch:
    """Some images of one size of one data set: what a model sees of them, their prior, and where people looked."""

    dataset: int
    features: dict[str, Float[Tensor, "image _ _ _"]]
    size: tuple[int, int]
    log_prior: Float[Tensor, "image row column"]
    observed: Observed


@dataclass(frozen=True)
class ExampleGroup:
    """All images of one size of one data set, or their mirror images."""

    dataset: int
    features: FeatureGroup
    log_priors: Float[Tensor, "image row column"]
    counts: Float[Tensor, "image row column"]
    densities: Float[Tensor, "image row column"]

    def batch(self, rows: list[int], layers: Sequence[str] | None = None, device: torch.device | None = None) -> Batch:
        """Some of them, with the features of these layers (of all that are kept, by default)."""
        kept = self.features.read(rows) if layers is None else self.features.only(layers).read(rows)
        features = {layer: maps.to(device) for layer, maps in kept.items()}
        log_priors, counts, densities = (
            maps[rows].to(device) for maps in (self.log_priors, self.counts, self.densities)
        )
        return Batch(self.dataset, features, self.features.size, log_priors, Observed(counts, densities))


@dataclass(frozen=True)
class Example:
    """One image: group and row."""

    group: int
    row: int


class Examples:
    """Images of data sets, each in two versions: as it is, and mirrored.

    Attributes
    ----------
    groups
        For each version the groups of all data sets; the two lists are parallel.
    fitted, held_out
        The images that are fitted to and those that are judged.
    densities
        The centre bias of each data set's fitted images.
    """

    def __init__(
        self,
        model: FovealS,
        datasets: Sequence[Dataset],
        held_out: Callable[[Dataset], np.ndarray],
        progress: Progress,
    ) -> None:
        self.groups: tuple[list[ExampleGroup], list[ExampleGroup]] = ([], [])
        self.fitted: list[Example] = []
        self.held_out: list[Example] = []
        self.densities: list[CenterBiasKDE] = []
        for number, data in enumerate(datasets):
            unseen = held_out(data).tolist()
            density = CenterBiasKDE.fit(data.select(np.setdiff1d(np.arange(len(data)), unseen)))
            self.densities.append(density)
            plain, mirrored = (FeatureCache(model, data, mirrored=mirror).groups(progress) for mirror in (False, True))
            log_priors = log_priors_of(plain, data, density, unseen, model.density_grid)
            counts = counts_of(plain, data.fixations, model.density_grid)
            for features, flipped, log_prior, count in zip(plain, mirrored, log_priors, counts, strict=True):
                blurred = _blurred(count, data, features)
                for row, image in enumerate(features.images):
                    (self.held_out if image in unseen else self.fitted).append(Example(len(self.groups[0]), row))
                self.groups[0].append(ExampleGroup(number, features, log_prior, count, blurred))
                mirrored_maps = log_prior.flip(2), count.flip(2), blurred.flip(2)
                self.groups[1].append(ExampleGroup(number, flipped, *mirrored_maps))

    def steps(self, batch_size: int, order: torch.Generator) -> Iterator[list[tuple[ExampleGroup, list[int]]]]:
        """All fitted images once, in a new order, each mirrored or not by chance: a step after the other.

        A step is made of the groups that its images come from, with their rows.
        """
        shuffled = [self.fitted[number] for number in torch.randperm(len(self.fitted), generator=order).tolist()]
        mirrored = (torch.rand(len(shuffled), generator=order) < 0.5).tolist()
        for start in range(0, len(shuffled), batch_size):
            rows: dict[tuple[bool, int], list[int]] = {}
            for example, mirror in zip(shuffled[start : start + batch_size], mirrored[start:], strict=False):
                rows.setdefault((mirror, example.group), []).append(example.row)
            yield [(self.groups[mirror][group], sorted(some)) for (mirror, group), some in rows.items()]

    def judged(self, batch_size: int) -> Iterator[tuple[ExampleGroup, list[int]]]:
        """All held-out images, as they are."""
        rows: dict[int, list[int]] = {}
        for example in self.held_out:
            rows.setdefault(example.group, []).append(example.row)
        for group, some in rows.items():
            for start in range(0, len(some), batch_size):
                yield self.groups[0][group], some[start : start + batch_size]


def _blurred(
    counts: Float[Tensor, "image row column"], data: Dataset, features: FeatureGroup
) -> Float[Tensor, "image row column"]:
    """Empirical maps: a Gaussian of one degree on every fixation, summing to one."""
    cell = features.size[1] / counts.shape[2]
    ppd = data.stimuli[features.images[0]].pixels_per_degree or max(features.size) / DEGREES_ACROSS
    blurred = gaussian_blur(counts, ppd / cell)
    return blurred / blurred.sum(dim=(1, 2), keepdim=True).clamp(min=1e-12)
