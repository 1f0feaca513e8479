"""Learn in which directions of patches, at which scales, what people look at stands out (see `models.classical.lds`).

Fang, Li, Tian, Huang & Chen 2017 weigh candidates so that targets come before distractors, pair by pair; the weights
that they published are not negative. Their term for a pair was not at hand; here it is a squared hinge: the sum at a
place that is looked at much is to be larger by one than at a place of the same image that is not, for each of the
hundred pairs of places that are drawn of an image.
"""

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.models.classical.lds import LDS
from foveal.progress import Report
from foveal.training.fits.learning import way_to_learn
from foveal.training.fits.learning.filters import learn_filters
from foveal.training.fits.learning.places import features_of_places

COST = 1.0  # of a pair that is in the right order by nothing, in units of half the squared norm of the weights
RELEVANT = 1e-3  # a share of the largest weight; below, a candidate is not worth its time
STEPS = 1000  # of the search, at most


@way_to_learn.register(LDS)
def learn_subspaces(model: LDS, dataset: Dataset, seed: int, report: Report) -> None:
    """Learn the principal components of patches, and then the weights of their contrasts at each scale.

    Images that cannot be read are left out.

    Raises
    ------
    FovealError
        If not one photograph can be read, or what people look at stands out in no direction.
    """
    learn_filters(model, dataset, seed, report)
    candidates = torch.ones_like(model.weights, dtype=torch.bool)
    places = features_of_places(lambda images: model.contrasts(images, candidates), dataset, seed, report)
    weights = pairwise_weights(torch.cat([(more[:, None] - less).flatten(0, 1) for more, less in places]))
    if not weights.any():
        raise FovealError(f"{dataset.name}: what people look at stands out in no direction of patches")
    model.weights = torch.where(weights > RELEVANT * weights.max(), weights, 0.0).view_as(model.weights)


def pairwise_weights(differences: Float[Tensor, "pair feature"]) -> Float[Tensor, " feature"]:
    r"""Weights $w \ge 0$ that minimise $\frac12 |w|^2 + C \sum_i \max(0, 1 - w^\top d_i)^2$ over pairs' differences."""
    d = differences.double().numpy()

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        missing = np.maximum(0, 1 - d @ weights)
        return float(weights @ weights / 2 + COST * missing @ missing), weights - 2 * COST * missing @ d

    found = minimize(
        objective,
        np.zeros(d.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * d.shape[1],
        options={"maxiter": STEPS, "maxfun": 2 * STEPS, "ftol": 1e-12, "gtol": 1e-6 * len(d)},
    )
    return torch.from_numpy(found.x).float()
