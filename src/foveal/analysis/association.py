"""How strongly activation maps answer where people looked inside regions.

He, Tavakoli, Borji, Mi & Pugeault, "Understanding and visualizing deep visual saliency models", CVPR 2019, eq. 1.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.metrics.fixation_batch import FixationBatch
from foveal.models.parts.geometry import Axis, Grid, interpolation


def associations(
    maps: Float[Tensor, "map h w"], grid: Grid, size: tuple[int, int], fixations: FixationBatch
) -> Float[Tensor, "region map"]:
    r"""NSS of every map, resized to its image, at the fixations inside every region.

    $\mathrm{Assoc}_{kj} = \frac{1}{N_k}\sum_{i \in k} \frac{a_j(x_i) - \mu_j}{\sigma_j}$ with $\mu_j$ and $\sigma_j$
    over all pixels of the resized map (eq. 1). No map is resized for it (see `standardized`): a mean over fixations is
    linear in the small map. A constant map has 0.

    Parameters
    ----------
    maps
        Activation maps of one image, in any unit.
    grid
        Where their values lie in the image.
    size
        Height and width of the image in px.
    fixations
        Fixated pixels of the image; each region stands for an image of the batch. Every region has some.

    Raises
    ------
    FovealError
        If a region has no fixations.

    >>> peak = torch.zeros(1, 3, 3); peak[0, 1, 1] = 1.0
    >>> whole = Grid(Axis(3), Axis(3))
    >>> associations(peak, whole, (3, 3), FixationBatch.of([(1, 1)], [(0, 0), (1, 1)]))
    tensor([[2.8284],
            [1.2374]])
    """
    height, width = size
    rows = interpolation(grid.rows, Axis(height), maps)
    columns = interpolation(grid.columns, Axis(width), maps)
    return _mean_of_fixations(fixations, rows, columns).flatten(1) @ standardized(maps, rows, columns).flatten(1).T


def standardized(
    maps: Float[Tensor, "map h w"], rows: Float[Tensor, "height h"], columns: Float[Tensor, "width w"]
) -> Float[Tensor, "map h w"]:
    r"""Maps in whose place the resized ones are z-scores: over all px, their mean is 0 and their standard deviation 1.

    A bilinear resize is $RMC^\top$. So the mean is linear in the small map $M$, and where it is 0,
    $\sigma^2 = \langle \frac{R^\top R}{H} M \frac{C^\top C}{W}, M\rangle$. A constant map is 0 everywhere.

    >>> standardized(torch.tensor([[[5.0, 7.0]]]), torch.eye(1), torch.eye(2))
    tensor([[[-1.,  1.]]])
    """
    centered = maps - (rows.mean(dim=0) @ maps @ columns.mean(dim=0))[:, None, None]
    of_rows, of_columns = rows.T @ rows / len(rows), columns.T @ columns / len(columns)
    variance = (of_rows @ centered @ of_columns * centered).sum(dim=(1, 2))
    varies = (maps.amin(dim=(1, 2)) < maps.amax(dim=(1, 2))) & (variance > 0)
    return torch.where(varies[:, None, None], centered / variance.where(varies, 1.0).sqrt()[:, None, None], 0.0)


def _mean_of_fixations(
    fixations: FixationBatch, rows: Float[Tensor, "height h"], columns: Float[Tensor, "width w"]
) -> Float[Tensor, "region h w"]:
    """By how much each value of a small map counts in the mean over a region's fixations."""
    share = 1 / fixations.checked_count("fixations in a region").to(rows)
    of_region = torch.zeros(fixations.n_images, len(fixations.image)).to(rows)
    of_region[fixations.image, torch.arange(len(fixations.image))] = share[fixations.image]
    return torch.einsum("kf,fh,fw->khw", of_region, rows[fixations.y], columns[fixations.x])
