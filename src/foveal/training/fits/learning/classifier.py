"""Fit a linear readout of local features (see `models.parts.pixel_readout`) as a classifier of places.

Judd, Ehinger, Durand & Torralba 2009, section 4.1: of each image, ten places from among those that are looked at most
and ten from among those that are looked at least; a linear support vector machine (liblinear's default: squared hinge,
as much cost a place as its norm has) tells them apart.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.gaze import Dataset
from foveal.models.classical.judd import Judd
from foveal.models.deep.edn import EDN
from foveal.models.parts.pixel_readout import PixelReadoutModel
from foveal.progress import Report
from foveal.training.fits.learning import way_to_learn
from foveal.training.fits.learning.horizon import learn_horizon
from foveal.training.fits.learning.places import features_of_places

COST = 1.0  # of a place on the wrong side, in units of half the squared norm of the weights
LBFGS_STEPS = 500


@way_to_learn.register(Judd)
def learn_horizon_and_classifier(model: Judd, dataset: Dataset, seed: int, report: Report) -> None:
    """Fit the horizon, then the readout, as `learn_classifier` does.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    learn_horizon(model.horizon, dataset, report)
    learn_classifier(model, dataset, seed, report)


@way_to_learn.register(EDN)
def learn_classifier(model: PixelReadoutModel, dataset: Dataset, seed: int, report: Report) -> None:
    """Fit the readout, a single 1x1 convolution, to tell places that are looked at from others.

    Images that cannot be read are left out.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    most, least = zip(*features_of_places(model.features, dataset, seed, report), strict=True)
    features = torch.cat([*most, *least])
    labels = torch.ones(len(features))
    labels[sum(map(len, most)) :] = -1
    mean, deviation = features.mean(dim=0), features.std(dim=0)
    model.standardise(mean, deviation)
    weights = support_vector_weights((features - model.mean) / model.std, labels)
    (linear,) = (layer for layer in model.readout.modules() if isinstance(layer, nn.Conv2d))
    assert linear.bias is not None
    with torch.no_grad():
        linear.weight.copy_(weights[:-1].view_as(linear.weight))
        linear.bias.copy_(weights[-1:])


def support_vector_weights(
    features: Float[Tensor, "sample feature"], labels: Float[Tensor, " sample"]
) -> Float[Tensor, " weight"]:
    r"""Weights, the bias last, that minimise $\frac12 |w|^2 + C \sum_i \max(0, 1 - y_i\, w^\top x_i)^2$, $y_i = \pm1$.

    As in liblinear, the bias is the weight of a feature that is always 1.
    """
    samples = torch.cat([features, torch.ones(len(features), 1)], dim=1).double()
    weights = torch.zeros(samples.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=LBFGS_STEPS, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        missing = (1 - labels * (samples @ weights)).clamp(min=0)
        objective = weights.square().sum() / 2 + COST * missing.square().sum()
        objective.backward()
        return objective

    optimizer.step(closure)
    return weights.detach().float()
