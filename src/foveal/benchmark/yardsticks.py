"""The centre bias and the gold standard of a data set: what models are measured against."""

from functools import cached_property

import numpy as np
from jaxtyping import Float

from foveal.gaze import Dataset
from foveal.metrics import information_gain
from foveal.models.baselines import CenterBias, CrossValidatedBaseline, CrossValidatedCenterBias, GoldStandard

YARDSTICKS = ("centerbias", "gold")  # given by name, these are made from the data set


class Yardsticks:
    """Both, each fitted once to the whole data set, when first needed."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def center_bias(self) -> CrossValidatedCenterBias:
        """Each image's from all other images' fixations."""
        return CenterBias.cross_validated(self.dataset)

    @cached_property
    def gold(self) -> CrossValidatedBaseline:
        """Each observer's from all others' fixations."""
        return GoldStandard.cross_validated(self.dataset, self.center_bias)

    def fitted(self, name: str) -> CrossValidatedBaseline:
        """The one that is called "centerbias" or "gold"."""
        return self.center_bias if name == "centerbias" else self.gold

    @cached_property
    def center_bias_log_likelihood(self) -> Float[np.ndarray, " image"]:
        """Of every image, NaN where it has no fixations."""
        return self.center_bias.log_likelihood_per_image

    @cached_property
    def gold_information_gain(self) -> Float[np.ndarray, " image"]:
        """Of every image, NaN where it has no fixations."""
        return information_gain(self.gold.log_likelihood_per_image, self.center_bias_log_likelihood)
