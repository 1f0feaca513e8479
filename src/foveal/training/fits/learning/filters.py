"""Filters from natural images, for the models that learn theirs: no fixation is looked at."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.errors import FovealError
from foveal.gaze import Dataset
from foveal.models.base import to_tensor
from foveal.models.parts.patch_filters import PatchFilterModel
from foveal.models.parts.working_size import resized, scaled_size
from foveal.progress import Report
from foveal.training.fits.learning import way_to_learn

PATCHES = 40_000  # in all, as many of each photograph


@way_to_learn.register(PatchFilterModel)
def learn_filters(model: PatchFilterModel, dataset: Dataset, seed: int, report: Report) -> None:
    """Learn a model's filters from patches at random places of a data set's photographs.

    Photographs are halved before (`PatchFilterModel.learned_at`), so that what is learned is not how JPEG rounds blocks
    of 8 px. One that cannot be read is left out.

    Raises
    ------
    FovealError
        If not one photograph can be read.
    """
    generator = torch.Generator().manual_seed(seed)
    of_each = math.ceil(PATCHES / len(dataset))
    # In one place: many small tensors that outlive large ones would leave holes of gigabytes between them.
    patches = torch.empty(len(dataset), of_each, 3 * model.patch_side**2)
    n_read = 0
    for index in range(len(dataset)):
        photographs, _ = dataset.stimuli.read([index])
        for photograph in photographs.values():
            image = to_tensor([photograph])
            small = resized(image, scaled_size((image.shape[2], image.shape[3]), model.learned_at))
            patches[n_read] = _random_patches(model.prepared(small)[0], model.patch_side, of_each, generator)
            n_read += 1
        report("patches", index + 1, len(dataset))
    if n_read == 0:
        raise FovealError(f"{dataset.name}: no photograph can be read")
    model.learn(patches[:n_read].flatten(0, 1), seed)


def _random_patches(
    image: Float[Tensor, "3 height width"], side: int, number: int, generator: torch.Generator
) -> Float[Tensor, "patch value"]:
    """Patches of an image, one a row: its three channels, each row by row."""
    everywhere = image.unfold(1, side, 1).unfold(2, side, 1)  # a view: nothing is copied
    rows, columns = (torch.randint(length, (number,), generator=generator) for length in everywhere.shape[1:3])
    return everywhere[:, rows, columns].transpose(0, 1).flatten(1)
