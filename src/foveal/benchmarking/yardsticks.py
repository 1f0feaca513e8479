"""The center bias and the gold standard of a data set: what models are measured against."""

from functools import cached_property

import numpy as np
import pandas as pd
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

    def why_not(self, name: str) -> str | None:
        """What keeps the data set from having a center bias ("centerbias") or a gold standard ("gold"); None if naught.

        Known without fitting anything.
        """
        data = self.dataset
        looked_at = pd.DataFrame({"image": data.fixations.image, "subject": data.fixations.subject})
        subjects_per_image = looked_at.groupby("image")["subject"].nunique()
        if len(subjects_per_image) < 2:
            return f"a center bias, and {data.name} has fixations on one image only"
        if name == "centerbias":
            return None
        if not data.fixations.has_subjects:
            return f"a gold standard, and {data.name} does not say which subject looked where"
        if data.stimuli.pixels_per_degree is None:
            return f"a gold standard, and {data.name} does not say its pixels per degree"
        if subjects_per_image.max() < 2:
            return f"a gold standard, and {data.name} has no image with two subjects"
        return None

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
