"""Does foveal-s know the viewing distance? The same picture in other pixels, and a scale that is not the true one.

    python benchmarks/viewing.py foveal-s

First, photographs of OSIE at 0.5, 1, 2 and 4 times their pixels, with as many times the pixels per degree: the
correlation of each density with that at 1, on the photograph's own pixels. Then the information gain on photographs of
MIT1003, where each is said to have been seen from so many times the true distance: if the model is right about degrees,
the true distance is the best. The center bias is that of the data set's other images.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from timing import keep

import foveal
from foveal.gaze import Dataset, Stimuli
from foveal.models import load_model
from foveal.models.base import LARGEST_SIDE
from foveal.models.deep.foveal_s import FovealS
from foveal.models.parts.finalizer import resize_log_density
from foveal.progress import Progress
from foveal.training.fits.numbers import unseen_of

ENLARGED = (0.5, 2.0, 4.0)
FARTHER = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 2.0)
N_PHOTOGRAPHS, EVERY = 20, 8


def correlations(model: FovealS, data: Dataset, times: float) -> list[float]:
    """Of densities at so many times the pixels with those at the photographs' own, photograph by photograph."""
    found = []
    for number in range(0, len(data), len(data) // N_PHOTOGRAPHS):
        image, scale = data.stimuli[number].image, data.stimuli[number].pixels_per_degree
        assert scale is not None
        height, width = image.shape[:2]
        method = cv2.INTER_AREA if times < 1 else cv2.INTER_CUBIC
        other = cv2.resize(image, (round(width * times), round(height * times)), interpolation=method)
        expected = model.log_density_of([image], scale)
        density = resize_log_density(model.log_density_of([other], scale * times), (height, width))
        found.append(float(np.corrcoef(expected.exp().flatten(), density.exp().flatten())[0, 1]))
    return found


def gain_at(model: FovealS, data: Dataset, times: float) -> float:
    """Information gain above the data set's center bias, bit, if the distance was so many times the true one."""
    assert data.stimuli.pixels_per_degree is not None
    stimuli = Stimuli(data.stimuli.sources, data.stimuli.ids, data.stimuli.pixels_per_degree * times)
    farther = replace(data, stimuli=stimuli)
    unseen = [replace(some, log_priors=some.reference) for some in unseen_of(model, farther, Progress())]
    return float(torch.cat([some.gain([model]) for some in unseen]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    assert isinstance(model, FovealS)
    osie, mit1003 = (foveal.load_dataset(name, arguments.data_root) for name in ("osie", "mit1003"))
    results: dict[str, float] = {"largest side that a model sees, px": LARGEST_SIDE}
    for times in ENLARGED:
        found = correlations(model, osie, times)
        results[f"{times:g} times the pixels, mean correlation"] = float(np.mean(found))
        results[f"{times:g} times the pixels, least correlation"] = min(found)
    some = mit1003.select(np.arange(0, len(mit1003), EVERY))
    for times in FARTHER:
        results[f"MIT1003 at {times:g} times the distance, IG"] = gain_at(model, some, times)
    keep(f"viewing_{Path(arguments.model).stem}", results)


if __name__ == "__main__":
    main()
