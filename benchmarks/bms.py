"""BMS: agreement with the published maps and scores, time on one core, and flood fill against reconstruction."""

import argparse
from pathlib import Path

import cv2
import numpy as np
import scipy.io
import torch
from skimage.morphology import reconstruction
from timing import keep, median_seconds

from foveal.gaze import Fixations
from foveal.images import read_image
from foveal.metrics import FixationBatch, auc, normalized_scanpath_saliency
from foveal.models import load_model
from foveal.models.classical.bms import boolean_maps, surrounded, whitened_channels


def by_flood_fill(channels: list[np.ndarray], step: int) -> list[np.ndarray]:
    """What is surrounded in every Boolean map, polarities together: one flood fill a map and polarity."""
    return [
        surrounded(boolean_map) | surrounded(cv2.bitwise_not(boolean_map))
        for channel in channels
        for boolean_map in boolean_maps(channel, step)
    ]


def by_reconstruction(channels: list[np.ndarray], step: int) -> list[np.ndarray]:
    """The same from one grayscale reconstruction from the border a channel and polarity."""
    found = []
    for channel in channels:
        reached = {}
        for name, mask in (("above", channel), ("below", 255 - channel)):
            seed = mask.copy()
            seed[1:-1, 1:-1] = 0
            reached[name] = reconstruction(seed, mask, footprint=np.ones((3, 3)))
        for threshold in range(int(channel.min()), int(channel.max()), step):
            above = (channel > threshold) & (reached["above"] <= threshold)
            below = (channel <= threshold) & (reached["below"] < 255 - threshold)
            found.append((above | below).astype(np.uint8) * 255)
    return found


def all_fixations(root: Path, image: int) -> Fixations:
    """Every fixation of an image, the forced first ones too, as the published scores count them."""
    structs = scipy.io.loadmat(root / "osie/data/eye/fixations.mat", squeeze_me=True, struct_as_record=False)
    subjects = structs["fixations"][image].subjects
    x, y = (np.concatenate([getattr(subject, name) for subject in subjects]) - 1 for name in ("fix_x", "fix_y"))
    return Fixations.of(np.zeros(len(x)), x, y).inside(np.array([[600, 800]]))


def score(saliency: torch.Tensor, fixations: FixationBatch) -> tuple[float, float]:
    return auc(saliency, fixations).item(), normalized_scanpath_saliency(saliency, fixations).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--maps", type=Path, required=True, help="the authors' maps of 1001 to 1005")
    arguments = parser.parse_args()
    stimuli = arguments.data_root / "osie/data/stimuli"
    model = load_model("bms")
    results: dict[str, float] = {}

    ours, theirs = [], []
    for number in range(1001, 1006):
        saliency = model.saliency_map_of([read_image(stimuli / f"{number}.jpg")])
        published = cv2.imread(str(arguments.maps / f"{number}.png"), cv2.IMREAD_GRAYSCALE).astype(np.float32)
        correlation = np.corrcoef(saliency.numpy().ravel(), published.ravel())[0, 1]
        results[f"correlation with the published map of {number}"] = float(correlation)
        fixations = FixationBatch.stack([all_fixations(arguments.data_root, number - 1001)])
        ours.append(score(saliency, fixations))
        theirs.append(score(torch.from_numpy(published)[None], fixations))
    for whose, both in (("our", ours), ("published", theirs)):
        results[f"exact AUC, 1001 to 1005, {whose} maps"], results[f"NSS, 1001 to 1005, {whose} maps"] = (
            float(value) for value in np.mean(both, axis=0)
        )

    scores = []
    for image in range(0, 700, 14):
        saliency = model.saliency_map_of([read_image(stimuli / f"{1001 + image}.jpg")])
        fixations = FixationBatch.stack([all_fixations(arguments.data_root, image)])
        scores.append(score(saliency, fixations))
    results["exact AUC, 50 images, first fixations too (published: .855)"] = float(np.mean(scores, axis=0)[0])
    results["NSS, 50 images, first fixations too (published: 1.79)"] = float(np.mean(scores, axis=0)[1])

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photograph = read_image(stimuli / "1001.jpg")
    results["seconds an 800 x 600 image, one core"] = median_seconds(lambda: model.saliency_map_of([photograph]), 10)
    small = cv2.resize(photograph, (400, 300), interpolation=cv2.INTER_AREA)
    channels = whitened_channels(small, 3)
    same = all((a == b).all() for a, b in zip(by_flood_fill(channels, 8), by_reconstruction(channels, 8), strict=True))
    results["flood fill and reconstruction agree"] = bool(same)
    fill = median_seconds(lambda: by_flood_fill(channels, 8), 5)
    rebuilt = median_seconds(lambda: by_reconstruction(channels, 8), 5)
    results["seconds, flood fill a Boolean map (OpenCV)"] = fill
    results["seconds, reconstruction a channel (scikit-image)"] = rebuilt
    results["ratio"] = rebuilt / fill
    keep("bms", results)


if __name__ == "__main__":
    main()
