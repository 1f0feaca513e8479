"""Fit the detector of faces to labelled heads.

Zhou, Wang & Krähenbühl 2019 ("Objects as points"): a cell at the center of a face is to answer yes, cells further off
no, and the less so the nearer they are; at the center, the position and the sides are learned as well.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.gaze import Dataset, Heads
from foveal.gaze.folds import fold_of
from foveal.models.base import stacked
from foveal.models.deep.faces import FaceDetector, shipped_network
from foveal.models.deep.foveal_s import FovealS
from foveal.models.parts.geometry import Grid
from foveal.progress import Report
from foveal.training.fits.learning import way_to_learn

HELD_OUT = 0  # the fold on which the detector is judged
BATCH_SIZE = 8
EPOCHS = 10
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.05
SPREAD, LEAST_SPREAD = 0.15, 0.6  # of what is near a center: share of the sides of the box, and at least so many cells
SURE, NEAR = 2, 4  # exponents of the focal loss: how little sure cells count, and cells near a center
SIZE_WEIGHT = 0.3  # of the position and the sides in the loss
RARE = -4.0  # log odds of a face in a cell, to begin with


@dataclass(frozen=True)
class Example:
    """One photograph of this (height, width): the network's features in 16 bits, and what its cells are to learn.

    `nearness` is 1 at the cell of a face's center and falls off around it; `is_judged` leaves out heads without a face;
    `cells` are those of the faces' centers, as positions in the flattened grid, and `boxes` what `FaceDetector.forward`
    is to say of each.
    """

    size: tuple[int, int]
    features: dict[str, Tensor]
    nearness: Float[Tensor, "row column"]
    is_judged: Bool[Tensor, "row column"]
    cells: Int[Tensor, " face"]
    boxes: Float[Tensor, "face 4"]


@way_to_learn.register(FaceDetector)
def learn_faces(detector: FaceDetector, dataset: Dataset, seed: int, report: Report) -> None:
    """Fit the detector to a data set's labelled faces but those of fold 0.

    Raises
    ------
    FovealError
        If nobody labelled the heads in the data set, or a photograph cannot be read.
    """
    if not dataset.heads:
        raise FovealError(
            f"{dataset.name}: says of no photograph where the faces are (EyeCrowd does: foveal datasets eyecrowd)"
        )
    network = shipped_network(detector.device)
    torch.manual_seed(seed)
    for layer in detector.modules():
        if isinstance(layer, nn.Conv2d):
            layer.reset_parameters()
    nn.init.constant_(cast(Tensor, detector.head[-1].bias)[:1], RARE)
    detector.taps.load_state_dict(dict(network.taps.named_buffers()), strict=False)  # the features' moments
    fitted = np.flatnonzero(fold_of(dataset) != HELD_OUT)
    examples = _examples(network, dataset.select(fitted), report)
    n_steps = EPOCHS * len(_batches(examples))
    optimizer = torch.optim.AdamW(detector.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=n_steps)
    for epoch in range(EPOCHS):
        for batch in _batches(examples):
            features = {
                name: torch.stack([example.features[name] for example in batch]).float() for name in detector.taps
            }
            loss = _loss(detector(network, features, batch[0].size), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        report("epochs", epoch + 1, EPOCHS)


@torch.no_grad()  # not inference mode: what comes of it is used in the fit
def _examples(network: FovealS, dataset: Dataset, report: Report) -> list[Example]:
    examples = []
    for image, heads in enumerate(dataset.heads):
        pixels = stacked([dataset.stimuli[image].image]).to(network.device)
        size = pixels.shape[2], pixels.shape[3]
        features = network.all_features(network.see(pixels))
        kept = {name: features[name][0].half() for name in network.taps}
        examples.append(Example(size, kept, *targets(heads, network.cells(size))))
        report("features", image + 1, len(dataset))
    return examples


def targets(
    heads: Heads, grid: Grid
) -> tuple[Float[Tensor, "row column"], Bool[Tensor, "row column"], Int[Tensor, " face"], Float[Tensor, "face 4"]]:
    """What the cells of one photograph are to say of its heads: the last four fields of `Example`."""
    columns, rows = torch.arange(grid.columns.length), torch.arange(grid.rows.length)
    step = torch.tensor([grid.columns.step, grid.rows.step])
    corner, sides = (torch.from_numpy(heads.boxes).float() / torch.cat([step, step])).split(2, dim=1)
    corner = corner - torch.tensor([grid.columns.first, grid.rows.first]) / step
    center = corner + sides / 2
    nearness = torch.zeros(len(rows), len(columns))
    is_judged = torch.ones_like(nearness, dtype=torch.bool)
    for (x, y), (w, h), has_face in zip(center, sides, heads.has_face, strict=True):
        if has_face:
            down, across = (
                torch.exp(-((cells - place) / max(SPREAD * side, LEAST_SPREAD)).square() / 2)
                for cells, place, side in ((rows, y.round(), h), (columns, x.round(), w))
            )
            nearness = torch.maximum(nearness, down[:, None] * across)
        else:
            is_judged &= ~(((rows - y).abs() <= h / 2)[:, None] & ((columns - x).abs() <= w / 2))
    has_face = torch.from_numpy(heads.has_face)
    at = center[has_face].round().clamp(torch.zeros(2), torch.tensor([len(columns) - 1, len(rows) - 1]))
    x, y = at.long().unbind(dim=1)
    nearness[y, x], is_judged[y, x] = 1.0, True
    boxes = torch.cat([center[has_face] - at, sides[has_face].log()], dim=1)
    return nearness, is_judged, y * len(columns) + x, boxes


def _batches(examples: list[Example]) -> list[list[Example]]:
    """All examples in a new order, those of one size together."""
    by_size: dict[tuple[int, int], list[Example]] = {}
    for number in torch.randperm(len(examples)).tolist():
        by_size.setdefault(examples[number].size, []).append(examples[number])
    batches = [
        same[start : start + BATCH_SIZE] for same in by_size.values() for start in range(0, len(same), BATCH_SIZE)
    ]
    return [batches[number] for number in torch.randperm(len(batches)).tolist()]


def _loss(answers: Float[Tensor, "image 5 row column"], batch: list[Example]) -> Float[Tensor, ""]:
    """The penalty-reduced focal loss of all judged cells, and the boxes' absolute errors, a face."""
    nearness = torch.stack([example.nearness for example in batch])
    is_judged = torch.stack([example.is_judged for example in batch])
    yes, no = F.logsigmoid(answers[:, 0]), F.logsigmoid(-answers[:, 0])
    focal = torch.where(nearness == 1, no.exp() ** SURE * yes, (1 - nearness) ** NEAR * yes.exp() ** SURE * no)
    said = [one[1:].flatten(1)[:, example.cells].T for one, example in zip(answers, batch, strict=True)]
    wanted = torch.cat([example.boxes for example in batch])
    n_faces = max(1, len(wanted))
    return (SIZE_WEIGHT * (torch.cat(said) - wanted).abs().sum() - focal[is_judged].sum()) / n_faces
