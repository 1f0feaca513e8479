"""How good the conditional densities of a model of scanpaths are: one density, and its scores, for each fixation."""

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from foveal.gaze import Dataset
from foveal.gaze.scanpaths import histories
from foveal.metrics import FixationBatch, auc, information_gain, log_likelihood, normalized_scanpath_saliency
from foveal.models.scanpaths.base import REMEMBERED, ScanpathModel
from foveal.progress import Progress, Report

PIXELS_AT_ONCE = 2**22  # of densities that are computed together


def conditional_scores(model: ScanpathModel, dataset: Dataset, progress: Report | None = None) -> pd.DataFrame:
    """Judge the density of every fixation that comes after another, given the fixations before it.

    Parameters
    ----------
    model
        The model.
    dataset
        With observers and orders.
    progress
        Called with the data set's name, the number of images done and of all.

    Returns
    -------
    One row a fixation, with the columns image, subject, order, LL (bit above uniform), IG (bit above the static
    density), NSS and AUC: as the field does it, each density is judged at the one fixation that it predicts. Means over
    the fixations of an image, and then over images, give every image the same say.

    Raises
    ------
    FovealError
        If an observer or an order is not known, or an image cannot be read.
    """
    report = Progress.of(progress)
    rows, before = histories(dataset.fixations, REMEMBERED)
    following = dataset.fixations.where(rows)
    images, scores = np.unique(following.image).tolist(), []
    for number, image in enumerate(images, start=1):
        stimulus, there = dataset.stimuli[image], np.arange(len(rows))[following.rows_of(image)]
        static = model.static.log_density_of([stimulus.image], stimulus.known_pixels_per_degree)
        at_once = max(1, PIXELS_AT_ONCE // static.numel())
        for start in range(0, len(there), at_once):
            some = there[start : start + at_once]
            fixations = FixationBatch.stack([following.where([row]) for row in some])
            with torch.inference_mode():
                log_densities = model.given(static, torch.from_numpy(before[some]).float().to(static.device))
                scores.append(_scores(log_densities, static, fixations.to(static.device)))
        report(dataset.name, number, len(images))
    keys = {"image": following.image, "subject": following.subject, "order": following.order}
    columns = {name: np.concatenate([score[name] for score in scores]) for name in ("LL", "IG", "NSS", "AUC")}
    return pd.DataFrame(keys | columns)


def _scores(
    log_densities: Float[Tensor, "fixation height width"],
    static: Float[Tensor, "1 height width"],
    fixations: FixationBatch,
) -> dict[str, Float[np.ndarray, " fixation"]]:
    likelihood, of_static = (
        log_likelihood(densities, fixations).double().cpu().numpy()
        for densities in (log_densities, static.expand_as(log_densities))
    )
    return {
        "LL": likelihood,
        "IG": information_gain(likelihood, of_static),
        "NSS": normalized_scanpath_saliency(log_densities.exp(), fixations).double().cpu().numpy(),
        "AUC": auc(log_densities, fixations).double().cpu().numpy(),
    }
