"""Where people looked, in all views in which images are shown: on cells, with what the center bias says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.features.cells import OfOneSize, counts_of, empirical_maps, log_priors_of
from foveal.features.views import WHOLE, View
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models.parts.geometry import GridOf


class Maps(NamedTuple):
    """Log priors, fixations in each cell, and empirical maps of images of one size in one view."""

    log_priors: Float[Tensor, "image row column"]
    counts: Float[Tensor, "image row column"]
    densities: Float[Tensor, "image row column"]


def maps_in_views(
    in_views: Mapping[View, Sequence[OfOneSize]],
    data: Dataset,
    density: CenterBiasKDE,
    cells: GridOf,
    unseen: Sequence[int],
) -> dict[View, list[Maps]]:
    """The maps of all images of a data set, view by view and size by size; the first view is the plain one.

    The center bias of each image is made without the image itself; `unseen` images had no part in it anyway.
    """
    plain = next(iter(in_views.values()))
    log_priors = log_priors_of(plain, data, density, cells, unseen)
    found: dict[View, list[Maps]] = {}  # without zooms, which change nothing here
    for view, groups in in_views.items():
        unzoomed = replace(view, zoom=1.0)
        if unzoomed not in found:
            together = zip(groups, log_priors, strict=True)
            found[unzoomed] = [_in_view(view, data, group, of_group, cells) for group, of_group in together]
    return {view: found[replace(view, zoom=1.0)] for view in in_views}


def _in_view(
    view: View, data: Dataset, group: OfOneSize, log_priors: Float[Tensor, "image _ _"], cells: GridOf
) -> Maps:
    """The maps of a group's images as a view has them, given the whole images' priors."""
    if view.crop != WHOLE:
        sizes = data.stimuli.sizes.tolist()
        parts = [
            view.crop.log_prior_of(log_prior, image, tuple(sizes[image]), cells)
            for image, log_prior in zip(group.images, log_priors, strict=True)
        ]
        log_priors = torch.stack(parts)
    (counts,) = counts_of([group], view.crop.fixations_of(data), cells)
    maps = Maps(log_priors, counts, empirical_maps(counts, group, data))
    return Maps(*(each.flip(2) for each in maps)) if view.mirrored else maps
