"""How sure is it that a photograph is known by its content, and by nothing else's?

    python benchmarks/recognition.py --data-root data

Each pair of photographs of OSIE, EyeCrowd, Scene and MIT1003: in how many of the 64 bits do their hashes
differ? And of every ninth photograph, copies that people make: half as large, larger, at low JPEG quality, as WebP, in
gray, brighter.
"""

import argparse
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image
from timing import keep

import foveal
from foveal.gaze.recognition import SAME_WITHIN, perceptual_hash, perceptual_hashes

EVERY = 9
SHOWN = 14  # bits


def saved(image: Image.Image, **options: int | str) -> Image.Image:
    """What is read of an image that was written to a file."""
    file = BytesIO()
    image.save(file, **options)
    return Image.open(file)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "1.3 times": lambda image: image.resize((image.width * 13 // 10, image.height * 13 // 10)),
    "JPEG 30": lambda image: saved(image, format="JPEG", quality=30),
    "WebP 70": lambda image: saved(image, format="WEBP", quality=70),
    "gray": lambda image: image.convert("L"),
    "brighter": lambda image: image.point(lambda value: min(255, int(value * 1.15))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    datasets = [foveal.load_dataset(name, arguments.data_root) for name in ("osie", "eyecrowd", "scene", "mit1003")]
    hashes = np.concatenate([perceptual_hashes(data.stimuli) for data in datasets])
    differing = np.bitwise_count(hashes[:, None] ^ hashes)[np.triu_indices(len(hashes), 1)]
    results: dict[str, int | float] = {"photographs": len(hashes), "pairs": len(differing)}
    results |= {f"pairs that differ in {bits} bits": int((differing == bits).sum()) for bits in range(SHOWN)}
    sources = [stimulus for data in datasets for stimulus in data.stimuli][::EVERY]
    for name, copy in COPIES.items():
        bits = [
            int(np.bitwise_count(perceptual_hash(copy(Image.fromarray(stimulus.image))) ^ known))
            for stimulus, known in zip(sources, hashes[::EVERY], strict=True)
        ]
        results[f"{name}: share of copies that are recognized"] = float((np.array(bits) <= SAME_WITHIN).mean())
        results[f"{name}: bits that differ at most"] = max(bits)
    keep("recognition", results)


if __name__ == "__main__":
    main()
