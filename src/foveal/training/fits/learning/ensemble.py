"""Learn from every photograph alone where people look in it (see `models.deep.iseel`).

The paper solves by the pseudo-inverse. Some hundred cells are few samples: learners of 30 of OSIE's photographs have on
8 others a mean AUC of .67 with it, and of .76 with the penalty.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.gaze import Dataset, fixation_map
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models.base import to_tensor
from foveal.models.deep.iseel import ISEEL
from foveal.models.parts.extreme_learning import output_weights
from foveal.models.parts.prior import prior_of
from foveal.progress import Report
from foveal.training.fits.learning import way_to_learn

PENALTY = 3.0  # of a learner's squared output weights, in squared errors of one cell


@way_to_learn.register(ISEEL)
@torch.no_grad()
def learn_ensemble(
    model: ISEEL,
    dataset: Dataset,
    seed: int,  # noqa: ARG001 (what ways take: hidden layers are drawn by the learners' numbers)
    report: Report,
) -> None:
    """Have a learner for each photograph, and the data set's center bias.

    Images that cannot be read are left out.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    scenes: list[Tensor] = []
    weights: list[Tensor] = []
    for index in range(len(dataset)):
        photographs, _ = dataset.stimuli.read([index])
        for photograph in photographs.values():
            features, scene = model.see(to_tensor([photograph]))
            target = looked_at(dataset, index, (features.shape[1], features.shape[2]))
            hidden = model.hidden(features[0], range(len(scenes), len(scenes) + 1))
            weights.append(output_weights(hidden[:, 0], target.flatten(), PENALTY))
            scenes.append(scene[0])
        report("learners", index + 1, len(dataset))
    if not scenes:
        raise FovealError(f"{dataset.name}: no photograph can be read")
    model.log_center = prior_of(CenterBiasKDE.fit(dataset)).float()
    model.take(torch.stack(scenes), torch.stack(weights))


def looked_at(dataset: Dataset, image: int, cells: tuple[int, int]) -> Float[Tensor, "row column"]:
    """People's map of an image, blurred by a degree, on so many rows and columns of cells; 1 at its highest."""
    stimulus = dataset.stimuli[image]
    degree = stimulus.assumed_pixels_per_degree
    blurred = torch.from_numpy(fixation_map(dataset.fixations.for_image(image), stimulus.size, sigma=degree))
    on_cells = F.interpolate(blurred[None, None], size=cells, mode="area")[0, 0]
    return on_cells / on_cells.max()
