"""Does the density of a photograph move with the photograph, and does it stay what it is at another size?

    python benchmarks/equivariance.py foveal-s --data-root data

Of 20 photographs of OSIE at ten sizes each (200 to 4,000 px, odd and even, portrait and landscape), padded with gray:
by how much the saliency fails to move with the photograph when the padding above and to the left is changed, in px of
the image as the network sees it (without center bias, over the photograph's middle half); and the Kullback-Leibler
divergence of the density at each size from that at the photograph's own, brought to one grid.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from timing import keep

import foveal
from foveal.images import RGBImage
from foveal.models import load_model
from foveal.models.deep.foveal_s import CELL, FovealS
from foveal.models.parts.geometry import Axis, Grid, resample

SIZES = ((150, 200), (267, 200), (301, 401), (480, 640), (641, 480), (600, 799), (768, 1024), (1333, 1000))
SIZES += ((1500, 2000), (3000, 4000))
PADDINGS = ((0.05, 0.1), (0.03, 0.01), (0.002, 0.002), (0.1, 0), (0, 0.07))  # above and to the left, of the size
IN_ALL = 1.2  # height and width with all padding
GRAY = 127


@dataclass(frozen=True)
class Displacement:
    """Of the saliency of one photograph, px of the working image, when it is moved by so many rows and columns."""

    image: str
    size: tuple[int, int]
    by: tuple[int, int]
    rows: float
    columns: float


def displacements(model: FovealS, image: RGBImage, name: str, size: tuple[int, int]) -> Iterator[Displacement]:
    """Of a photograph brought to a (height, width), for every padding."""
    photograph = _at(image, size)
    in_all = math.ceil(IN_ALL * size[0]), math.ceil(IN_ALL * size[1])
    grid = model.cells(in_all)
    still = _saliency(model, _padded(photograph, in_all, (0, 0)))
    rows, columns = (round(side / CELL * length / whole) for side, length, whole in zip(
        model.working_size(in_all), size, in_all, strict=True))  # fmt: skip
    middle = slice(rows // 4, -(-3 * rows // 4)), slice(columns // 4, -(-3 * columns // 4))
    for above, left in PADDINGS:
        by = math.ceil(above * size[0]), math.ceil(left * size[1])
        moved = _saliency(model, _padded(photograph, in_all, by))
        back = resample(moved, grid, Grid(_moved(grid.rows, by[0]), _moved(grid.columns, by[1])))
        down, right = _shift(still[middle], back[middle])
        yield Displacement(name, size, by, down * CELL, right * CELL)


def _padded(image: RGBImage, in_all: tuple[int, int], by: tuple[int, int]) -> RGBImage:
    """The photograph on a gray ground, so many rows and columns from its upper left corner."""
    canvas = np.full((*in_all, 3), GRAY, np.uint8)
    canvas[by[0] : by[0] + image.shape[0], by[1] : by[1] + image.shape[1]] = image
    return canvas


def _at(image: RGBImage, size: tuple[int, int]) -> RGBImage:
    """A part of the photograph of the size's shape, brought to it."""
    height, width = image.shape[:2]
    scale = min(height / size[0], width / size[1])
    rows, columns = round(size[0] * scale), round(size[1] * scale)
    top, left = (height - rows) // 2, (width - columns) // 2
    part = image[top : top + rows, left : left + columns]
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    return cv2.resize(part, (size[1], size[0]), interpolation=method)


def _moved(axis: Axis, by: int) -> Axis:
    return Axis(axis.length, axis.first + by, axis.step)


@torch.no_grad()  # in float32 on all machines
def _saliency(model: FovealS, image: RGBImage) -> torch.Tensor:
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    return model.saliency(pixels)[0]


def _shift(first: torch.Tensor, second: torch.Tensor) -> tuple[float, float]:
    """By how many cells the second map lies below and to the right of the first, by least squares."""
    along_rows, along_columns = torch.gradient((first + second) / 2)
    slopes = torch.stack([along_rows, along_columns, torch.ones_like(first)], dim=2).flatten(0, 1)
    rows, columns, _ = torch.linalg.lstsq(slopes, (first - second).reshape(-1, 1)).solution[:, 0].tolist()
    return rows, columns


def divergence(model: FovealS, image: RGBImage, size: tuple[int, int]) -> float:
    """Of the density of the part of a photograph at a size from that at the part's own size, nats."""
    height, width = image.shape[:2]
    scale = min(height / size[0], width / size[1])
    own = round(size[0] * scale), round(size[1] * scale)
    saliency = _saliency(model, _at(image, own))
    other = resample(_saliency(model, _at(image, size)), *_on_one_grid(model, size, own))
    log_p, log_q = (maps.flatten().log_softmax(dim=0) for maps in (saliency, other))
    return float((log_p.exp() * (log_p - log_q)).sum())


def _on_one_grid(model: FovealS, size: tuple[int, int], own: tuple[int, int]) -> tuple[Grid, Grid]:
    """The cells of an image of one size, and those of another, both in px of the first."""
    source, target = model.cells(size), model.cells(own)
    rows, columns = size[0] / own[0], size[1] / own[1]
    return source, target.scaled(rows, columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    assert isinstance(model, FovealS)
    data = foveal.load_dataset("osie", arguments.data_root)
    found, divergences = [], []
    for number in range(0, 700, 35):
        stimulus = data.stimuli[number]
        for size in SIZES:
            found += displacements(model, stimulus.image, stimulus.id, size)
            divergences.append(divergence(model, stimulus.image, size))
    far = np.array([max(abs(one.rows), abs(one.columns)) for one in found])
    worst = found[int(far.argmax())]
    keep(
        "equivariance",
        {
            "moved photographs": len(found),
            "displacement downwards, px: mean": float(np.mean([one.rows for one in found])),
            "displacement to the right, px: mean": float(np.mean([one.columns for one in found])),
            "larger of both, px: median": float(np.median(far)),
            "larger of both, px: 95 % are below": float(np.quantile(far, 0.95)),
            "larger of both, px: largest": float(far.max()),
            "the largest": f"{worst.image} at {worst.size}, moved by {worst.by}",
            "divergence from the photograph's own size, nats: median": float(np.median(divergences)),
            "divergence, nats: 95 % are below": float(np.quantile(divergences, 0.95)),
        },
    )


if __name__ == "__main__":
    main()
