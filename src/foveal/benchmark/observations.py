"""What people did on the images at hand, in every form that a metric asks for."""

import warnings
from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from foveal.benchmark.yardsticks import Yardsticks
from foveal.errors import FovealNote
from foveal.gaze import Dataset, Fixations, fixation_map
from foveal.gaze.given import whole_number
from foveal.metrics import FixationBatch, forms
from foveal.metrics.maps import PixelRanks, pixel_ranks

EMPIRICAL_SIGMA = 1.0  # degree of visual angle: width of the Gaussians of an empirical map
N_OTHERS = 10  # images whose fixations are the negatives of sAUC_MIT


class Observations:
    """The fixations of a data set, and what follows from them for single images.

    Parameters
    ----------
    dataset, yardsticks
        The whole data set and its yardsticks.
    seed
        Chooses the ten other images of sAUC_MIT, and draws the empirical maps that the SIM map is made for.
    """

    def __init__(self, dataset: Dataset, yardsticks: Yardsticks, seed: int) -> None:
        self.dataset = dataset
        self.yardsticks = yardsticks
        self.seed = whole_number(seed, "seed")
        fixations = dataset.fixations
        height, width = dataset.stimuli.sizes[fixations.image].T
        self._relative = (fixations.x + 0.5) / width, (fixations.y + 0.5) / height
        self._said = False
        self._with_fixations = np.unique(fixations.image)
        # For one size after the other; the largest data sets have a hundred thousand fixations and hundreds of sizes.
        self._pixels = lru_cache(maxsize=2)(self._pixels_uncached)

    @cached_property
    def fixations_per_image(self) -> int:
        """Mean over the images that have any, rounded."""
        return max(1, round(len(self.dataset.fixations) / len(self._with_fixations)))

    def sigma(self, image: int) -> float:
        """One degree of visual angle, in px of the image; where that is not known, 35 px, with a note."""
        stimulus = self.dataset.stimuli[image]
        if stimulus.pixels_per_degree is None and not self._said:
            self._said = True
            warnings.warn(
                f"{self.dataset.name}: {stimulus.assumed_pixels_per_degree:g} pixels per degree assumed",
                FovealNote,
                stacklevel=2,
            )
        return EMPIRICAL_SIGMA * stimulus.assumed_pixels_per_degree

    def nonfixations(self, image: int) -> tuple[Int[np.ndarray, " other"], Int[np.ndarray, " other"]]:
        """Column and row of all fixations on other images, each at the same relative place in this one."""
        x, y = self._pixels(*self.dataset.stimuli.sizes[image].tolist())
        own = self.dataset.fixations.rows_of(image)
        return np.concatenate([x[: own.start], x[own.stop :]]), np.concatenate([y[: own.start], y[own.stop :]])

    def ten_others(self, image: int) -> tuple[Int[np.ndarray, " other"], Int[np.ndarray, " other"]]:
        """The same of ten other images, drawn by the seed and the image's number."""
        others = self._with_fixations[self._with_fixations != image]
        drawn = np.random.default_rng([self.seed, image]).permutation(others)[:N_OTHERS]
        x, y = self._pixels(*self.dataset.stimuli.sizes[image].tolist())
        rows = np.isin(self.dataset.fixations.image, drawn)
        return x[rows], y[rows]

    def _pixels_uncached(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = self._relative
        return (x * width).astype(np.int64).clip(0, width - 1), (y * height).astype(np.int64).clip(0, height - 1)


class ObservedBatch:
    """The observations on images of one size and scale, one for each map; computed when first asked for.

    The attributes are called as metrics call what they need (`foveal.metrics.Metric.needs`).

    Parameters
    ----------
    observations
        Of the data set.
    images
        One an image map; a number may occur several times.
    parts
        The fixations that each map is judged on; all of its image by default.
    device
        Where the maps are.
    """

    def __init__(
        self,
        observations: Observations,
        images: Sequence[int],
        parts: Sequence[Fixations] | None,
        device: torch.device,
    ) -> None:
        self.observations = observations
        self.images = images
        dataset = observations.dataset
        self.parts = [dataset.fixations.for_image(image) for image in images] if parts is None else parts
        self.device = device
        self.n_fixations = observations.fixations_per_image

    @cached_property
    def fixations(self) -> FixationBatch:
        """Of each image itself."""
        return FixationBatch.stack(self.parts).to(self.device)

    @cached_property
    def nonfixations(self) -> FixationBatch:
        """Of all other images."""
        return FixationBatch.at([self.observations.nonfixations(image) for image in self.images]).to(self.device)

    @cached_property
    def ten_others(self) -> FixationBatch:
        """Of ten other images."""
        return FixationBatch.at([self.observations.ten_others(image) for image in self.images]).to(self.device)

    @cached_property
    def sigma(self) -> float:
        """Of the empirical maps, px."""
        return self.observations.sigma(self.images[0])

    @cached_property
    def empirical_map(self) -> Float[Tensor, "image height width"]:
        """A Gaussian on every fixation."""
        sizes = self.observations.dataset.stimuli.sizes
        maps = [
            fixation_map(part, tuple(sizes[image].tolist()), sigma=self.sigma)
            for image, part in zip(self.images, self.parts, strict=True)
        ]
        return torch.from_numpy(np.stack(maps)).to(self.device)

    @cached_property
    def log_center_bias(self) -> Float[Tensor, "image height width"]:
        """Log density of all other images' fixations."""
        center_bias = self.observations.yardsticks.center_bias
        # The views of one image have one center bias.
        of_image = {image: center_bias.log_densities(image)[0][0] for image in set(self.images)}
        return torch.stack([of_image[image] for image in self.images]).to(self.device)

    @cached_property
    def center_bias(self) -> Float[Tensor, "image height width"]:
        """The same as a density."""
        return self.log_center_bias.exp()


class Forms:
    """One batch of maps in the form that is best for each metric, computed when first asked for.

    The attributes are called as metrics call what they use and share (`foveal.metrics.Metric`).

    Parameters
    ----------
    maps
        Log densities; or raw maps, which have one form only, whatever the metric.
    observed
        What people did on the same images.
    raw
        Which of the two the maps are.
    """

    def __init__(self, maps: Float[Tensor, "image height width"], observed: ObservedBatch, *, raw: bool) -> None:
        self.maps = maps
        self.observed = observed
        self.raw = raw

    def of(self, uses: str) -> Float[Tensor, "image height width"]:
        """The form of this name."""
        return self.maps if self.raw or uses == "log_density" else getattr(self, uses)

    @cached_property
    def pixels(self) -> list[PixelRanks]:
        """What AUC, AUC_Judd and AUC_Borji begin with."""
        return pixel_ranks(self.maps)

    @cached_property
    def density(self) -> Float[Tensor, "image height width"]:
        """For NSS and IG_MIT."""
        return self.maps.exp()

    @cached_property
    def blurred(self) -> Float[Tensor, "image height width"]:
        """For CC, KL and EMD."""
        return forms.blurred(self.maps, self.observed.sigma)

    @cached_property
    def over_center_bias(self) -> Float[Tensor, "image height width"]:
        """For sAUC, sAUC_MIT and KL_fixations."""
        return forms.over_center_bias(self.maps, self.observed.log_center_bias)

    @cached_property
    def similarity_map(self) -> Float[Tensor, "image height width"]:
        """For SIM and SIM_MIT."""
        observed = self.observed
        return forms.similarity_map(self.maps, observed.sigma, observed.n_fixations, seed=observed.observations.seed)
