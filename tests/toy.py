"""Photographs, fixations and data sets that the tests make themselves."""

import resource
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import torch

from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.models import SaliencyMapModel, SaliencyModel, load_model
from foveal.models.catalogue import class_of


def make_photograph(seed: int = 0, size: tuple[int, int] = (60, 80)) -> np.ndarray:
    """A smooth colored background with one bright disc whose place depends on the seed."""
    rng = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[:height, :width]
    background = 90 + 40 * np.sin(x / width * 3 + seed)[..., None] * np.array([1.0, 0.5, -0.5])
    cx, cy = disc_center(seed, size)
    disc = (x - cx) ** 2 + (y - cy) ** 2 < (min(size) / 8) ** 2
    image = np.where(disc[..., None], [250, 220, 40], background) + rng.normal(0, 2, (height, width, 3))
    return image.clip(0, 255).astype(np.uint8)


def disc_center(seed: int, size: tuple[int, int]) -> tuple[float, float]:
    rng = np.random.default_rng(1000 + seed)
    return rng.uniform(0.3, 0.7) * size[1], rng.uniform(0.3, 0.7) * size[0]


def odd_one_out(differs_in: str) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Six green bars on gray, of which the fifth is red ("color") or lies ("orientation"); and where they are."""
    image = np.full((150, 200, 3), 110, np.uint8)
    places = [(y, x) for y in (40, 110) for x in (40, 100, 160)]
    for number, (y, x) in enumerate(places):
        height, width = (3, 14) if number == 4 and differs_in == "orientation" else (14, 3)
        odd = number == 4 and differs_in == "color"
        image[y - height : y + height, x - width : x + width] = (200, 70, 70) if odd else (70, 140, 70)
    return image, places


def make_dataset(
    n_images: int = 8,
    n_subjects: int = 5,
    per_subject: int = 6,
    size: tuple[int, int] = (60, 80),
    name: str = "toy",
    pixels_per_degree: float = 4.0,
) -> Dataset:
    """Photographs with a disc, and subjects who mostly look at it, otherwise around the center."""
    rng = np.random.default_rng(7)
    height, width = size
    rows = []
    for image in range(n_images):
        cx, cy = disc_center(image, size)
        for subject in range(n_subjects):
            for order in range(per_subject):
                at_disc = rng.random() < 0.7
                center = (cx, cy) if at_disc else (width / 2, height / 2)
                spread = 3.0 if at_disc else min(size) / 5
                x, y = rng.normal(center, spread)
                rows.append((image, np.clip(x, 0, width - 1), np.clip(y, 0, height - 1), subject, order))
    image, x, y, subject, order = (np.array(column) for column in zip(*rows, strict=True))
    fixations = Fixations.of(image, x, y, subject=subject, order=order)
    stimuli = Stimuli([make_photograph(i, size) for i in range(n_images)], pixels_per_degree=pixels_per_degree)
    return Dataset(name, stimuli, fixations)


def loaded(name: str, device: str = "cpu") -> SaliencyModel:
    """A model as it comes; one without weights at its tiny size, with weights by chance that are always the same.

    One that says a map has a center bias, as if it was calibrated.
    """
    cls = class_of(name)
    if cls.card.made_by is None:
        return load_model(name, device)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = cls(cls.tiny)
    if isinstance(model, SaliencyMapModel):
        model.calibration.log_prior = load_model("centerbias").log_grid.clone()
    return model.eval().to(device)


def write_image(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return path


def write_palette_without_colors(path: Path, size: tuple[int, int] = (1, 1)) -> None:
    """A PNG that says that it has a palette, and has none: Pillow opens it, and fails when its pixels are wanted."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size[::-1], 8, 3, 0, 0, 0))
    pixels = zlib.compress(bytes(size[0] * (1 + size[1])))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


@contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """Like a full disk: no file of this process can become larger."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
