"""What a model learns from a data set before it is calibrated; each way to learn is a file in here."""

from functools import singledispatch

import torch

from foveal.discovery import import_all
from foveal.gaze import Dataset
from foveal.models import SaliencyMapModel
from foveal.progress import Report


@singledispatch
def way_to_learn(model: SaliencyMapModel, dataset: Dataset, seed: int, report: Report) -> None:
    """Nothing: what most models make their maps of is in their papers. A file registers how models of a class learn."""


def learn(model: SaliencyMapModel, dataset: Dataset, seed: int, report: Report) -> None:
    """Let a model learn what it has to; torch's own random generator stays as it is.

    Raises
    ------
    FovealError
        If the data set does not have what the model learns from.
    """
    import_all(__name__)
    with torch.random.fork_rng():
        way_to_learn(model, dataset, seed, report)
