"""Places of photographs to tell apart: what people look at most, and what they look at least.

As Judd, Ehinger, Durand & Torralba 2009 ("Learning to predict where humans look", ICCV), section 4.1, draw them.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.gaze import Dataset, fixation_map
from foveal.models.base import to_tensor
from foveal.progress import Report

MOST, LEAST = 0.2, 0.7  # shares of the places, by the map of fixations blurred by a degree, from which some are drawn
SAMPLES = 10  # of each, an image
BATCH_SIZE = 8


@torch.no_grad()  # not inference mode: what comes of it is used in a fit
def features_of_places(
    features: Callable[[Float[Tensor, "image 3 height width"]], Float[Tensor, "image feature h w"]],
    dataset: Dataset,
    seed: int,
    report: Report,
) -> list[tuple[Float[Tensor, "place feature"], Float[Tensor, "place feature"]]]:
    """What is known of places that are looked at most, and of places that are looked at least: image by image.

    Of each, ten of an image, or all if it has fewer, drawn with this seed. Images that cannot be read are left out.

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
    degree = stimulus.assumed_pixels_per_degree
    looked_at = torch.from_numpy(fixation_map(dataset.fixations.for_image(image), stimulus.size, sigma=degree))
    order = F.interpolate(looked_at[None, None], size=size, mode="area").flatten().argsort(stable=True)
    most, least = order[-max(1, round(MOST * len(order))) :], order[: max(1, round(LEAST * len(order)))]
    drawn = [some[torch.randperm(len(some), generator=generator)[:SAMPLES]] for some in (most, least)]
    return drawn[0], drawn[1]
