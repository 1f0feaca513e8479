"""Fit a linear readout of local features (see `models.parts.pixel_readout`) as a classifier of places.

Judd, Ehinger, Durand & Torralba 2009, section 4.1: of each image, ten places from among those that are looked at most
and ten from among those that are looked at least; a linear support vector machine (liblinear's default: squared hinge,
as much cost a place as its norm has) tells them apart.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.gaze import Dataset, fixation_map
from foveal.models.base import to_tensor
from foveal.models.classical.judd import Judd
from foveal.progress import Progress
from foveal.training.examples import DEGREES_ACROSS
from foveal.training.learning import way_to_learn
from foveal.training.learning.horizon import learn_horizon

MOST, LEAST = 0.2, 0.7  # shares of the places, by the blurred map of fixations, from which samples are drawn
SAMPLES = 10  # of each, an image
COST = 1.0  # of a place on the wrong side, in units of half the squared norm of the weights
BATCH_SIZE = 8
LBFGS_STEPS = 500


@way_to_learn.register(Judd)
def learn_classifier(model: Judd, dataset: Dataset, seed: int, report: Progress) -> None:
    """Fit the horizon, then the readout, a single 1x1 convolution, to tell places that are looked at from others.

    Images that cannot be read are left out.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    learn_horizon(model.horizon, dataset, report)
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


@torch.no_grad()  # not inference mode: what comes of it is used in a fit
def features_of_places(
    features: Callable[[Float[Tensor, "image 3 height width"]], Float[Tensor, "image feature h w"]],
    dataset: Dataset,
    seed: int,
    report: Progress,
) -> list[tuple[Float[Tensor, "place feature"], Float[Tensor, "place feature"]]]:
    """Of each image that can be read, what is known of places that are looked at much, and of places that are not.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    generator = torch.Generator().manual_seed(seed)
    found, done = [], 0
    for indices in dataset.stimuli.batches(BATCH_SIZE):
        photographs, _ = dataset.stimuli.read(indices)
        if photographs:
            maps = features(to_tensor(list(photographs.values())))
            size = maps.shape[2], maps.shape[3]
            for image, of_image in zip(photographs, maps.flatten(2), strict=True):
                most, least = _places(dataset, image, size, generator)
                found.append((of_image[:, most].T, of_image[:, least].T))
        done += len(indices)
        report("features", done, len(dataset))
    if not found:
        raise FovealError(f"{dataset.name}: no photograph can be read")
    return found


def _places(
    dataset: Dataset, image: int, size: tuple[int, int], generator: torch.Generator
) -> tuple[Int[Tensor, " place"], Int[Tensor, " place"]]:
    """Places of one image's grid of this (height, width), drawn from those looked at most and from those least."""
    stimulus = dataset.stimuli[image]
    degree = stimulus.pixels_per_degree or max(stimulus.size) / DEGREES_ACROSS
    looked_at = torch.from_numpy(fixation_map(dataset.fixations.for_image(image), stimulus.size, sigma=degree))
    order = F.interpolate(looked_at[None, None], size=size, mode="area").flatten().argsort(stable=True)
    most, least = order[-max(1, round(MOST * len(order))) :], order[: max(1, round(LEAST * len(order)))]
    drawn = [some[torch.randperm(len(some), generator=generator)[:SAMPLES]] for some in (most, least)]
    return drawn[0], drawn[1]
