"""Learn where the horizon is in a scene from its gist.

Judd, Ehinger, Durand & Torralba 2009, section 3.1, learn a detector of the horizon from gist features, because objects
rest on the ground and people look for them near it. Here no photograph's horizon is labelled; what is learned is the
row that people look at on average, as Torralba, Oliva, Castelhano & Henderson 2006 ("Contextual guidance of eye
movements and attention in real-world scenes", Psychological Review 113) have it of the objects that are searched for.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.models.base import to_tensor
from foveal.models.parts.gist import gist
from foveal.progress import Report

SHRINKAGE = 10.0  # of the ridge regression on standardised numbers, in squared errors of one image


@torch.no_grad()
def learn_horizon(horizon: nn.Linear, dataset: Dataset, report: Report) -> None:
    """Fit the row that is looked at, 0 at the upper border and 1 at the lower, to the gist of each photograph.

    Images that cannot be read are left out.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    scenes, rows = scenes_and_rows(dataset, report)
    weights, bias = ridge(scenes, rows, SHRINKAGE * len(scenes))
    horizon.weight.copy_(weights[None])
    horizon.bias.fill_(bias)


def scenes_and_rows(dataset: Dataset, report: Report) -> tuple[Float[Tensor, "image number"], Float[Tensor, " image"]]:
    """The gist of each photograph that can be read, and the mean row of its fixations as a share of its height.

    Raises
    ------
    FovealError
        If none can be read.
    """
    scenes, rows = [], []
    for index in range(len(dataset)):
        photographs, _ = dataset.stimuli.read([index])
        for photograph in photographs.values():
            scenes.append(gist(to_tensor([photograph]))[0])
            rows.append(float(dataset.fixations.for_image(index).y.mean()) / photograph.shape[0])
        report("horizon", index + 1, len(dataset))
    if not scenes:
        raise FovealError(f"{dataset.name}: no photograph can be read")
    return torch.stack(scenes), torch.tensor(rows)


def ridge(
    inputs: Float[Tensor, "sample number"], outputs: Float[Tensor, " sample"], penalty: float
) -> tuple[Float[Tensor, " number"], float]:
    r"""Weights and bias that minimise $\sum_i (y_i - b - w^\top x_i)^2 + \lambda \sum_j (\sigma_j w_j)^2$.

    $\sigma_j$ is the deviation of the j-th input; one that does not vary has no weight.
    """
    x, y = inputs.double(), outputs.double()
    mean, deviation = x.mean(dim=0), x.std(dim=0, correction=0)
    varies = deviation > 0
    standardised = torch.where(varies, (x - mean) / deviation, 0.0)
    normal = standardised.T @ standardised + penalty * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(normal, standardised.T @ (y - y.mean()))
    weights = torch.where(varies, weights / deviation, 0.0)
    return weights.float(), float(y.mean() - mean @ weights)
