"""The detector of faces beside scikit-image's cascade, on the 50 photographs of EyeCrowd that it has not seen.

    pip install scikit-image
    python benchmarks/faces.py --data-root data

Right is a box whose center lies in that of a face (or, of Foveal's, which overlaps it by half) that no surer box has
taken; what lies on a head seen from behind counts neither way. The cascade (local binary patterns, frontal faces) says
of no box how sure it is: it is run with several numbers of neighbours that a box must have. Draws the curves as
docs/assets/faces.png.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage.data
import torch
from matplotlib.figure import Figure
from skimage.feature import Cascade
from timing import keep

import foveal
from foveal.gaze import Dataset, Heads
from foveal.models import load_model
from foveal.models.base import stacked
from foveal.models.deep.faces import FaceDetector

PICTURE = Path(__file__).parent.parent / "docs" / "assets" / "faces.png"
LEAST_SCORE = 0.02
NEIGHBOURS = (1, 3, 8)
OVERLAP = 0.5
SMALLEST, LARGEST = (24, 24), (400, 400)  # px, of the boxes that the cascade looks for: it knows none below

Right = Callable[[np.ndarray, np.ndarray], np.ndarray]  # one box, all heads' boxes: which of these it finds


def by_center(box: np.ndarray, heads: np.ndarray) -> np.ndarray:
    inside = (box[:2] + box[2:] / 2 - heads[:, :2]) / heads[:, 2:]
    return ((inside >= 0) & (inside <= 1)).all(axis=1)


def by_overlap(box: np.ndarray, heads: np.ndarray) -> np.ndarray:
    first = np.maximum(box[:2], heads[:, :2])
    last = np.minimum(box[:2] + box[2:], heads[:, :2] + heads[:, 2:])
    shared = (last - first).clip(0).prod(axis=1)
    return shared / (box[2:].prod() + heads[:, 2:].prod(axis=1) - shared) >= OVERLAP


def judged(boxes: np.ndarray, heads: Heads, right: Right) -> np.ndarray:
    """Of each box, the surest first: 1 right, 0 wrong, -1 of a head without a face."""
    taken = np.zeros(len(heads.boxes), bool)
    verdicts = []
    for box in boxes:
        found = right(box, heads.boxes)
        free = np.flatnonzero(found & heads.has_face & ~taken)
        taken[free[:1]] = True
        verdicts.append(1 if len(free) else -1 if (found & ~heads.has_face).any() else 0)
    return np.array(verdicts, dtype=int)


def curve(scores: np.ndarray, verdicts: np.ndarray, n_faces: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Recall and precision of all boxes down to each score."""
    order = np.argsort(-scores, kind="stable")
    order = order[verdicts[order] >= 0]
    hits = verdicts[order].cumsum()
    return hits / n_faces, hits / np.arange(1, len(order) + 1), scores[order]


def average_precision(recall: np.ndarray, precision: np.ndarray) -> float:
    """Area under the curve whose precision is the best that is reached with at least this recall."""
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0) * best).sum())


def cascade_point(cascade: Cascade, data: Dataset, neighbours: int) -> tuple[float, float]:
    """Recall and precision of its boxes that have so many neighbours."""
    verdicts = []
    for stimulus, heads in zip(data.stimuli, data.heads, strict=True):
        boxes = cascade.detect_multi_scale(stimulus.image, 1.2, 1, SMALLEST, LARGEST, min_neighbor_number=neighbours)
        corners = np.array([[box["c"], box["r"], box["width"], box["height"]] for box in boxes], float).reshape(-1, 4)
        verdicts.append(judged(corners, heads, by_center))
    together = np.concatenate(verdicts)
    hits, boxes_judged = (together == 1).sum(), (together >= 0).sum()
    return float(hits / number_of_faces(data)), float(hits / max(1, boxes_judged))


def number_of_faces(data: Dataset) -> int:
    return sum(int(heads.has_face.sum()) for heads in data.heads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    data = foveal.load_dataset("eyecrowd", arguments.data_root).split("fold0")
    results: dict[str, float] = {"photographs": len(data), "faces": number_of_faces(data)}
    ax = (figure := Figure(figsize=(6, 5), layout="constrained", dpi=130)).subplots()

    detector = load_model("faces")
    assert isinstance(detector, FaceDetector)
    with torch.inference_mode():
        found = [detector.detect(stacked([stimulus.image]), LEAST_SCORE)[0] for stimulus in data.stimuli]
    scores = np.concatenate([faces.scores.numpy() for faces in found])
    for way, right, style in (("center in the face", by_center, "-"), ("overlap of a half", by_overlap, "--")):
        each = [judged(faces.boxes.numpy(), heads, right) for faces, heads in zip(found, data.heads, strict=True)]
        recall, precision, at = curve(scores, np.concatenate(each), number_of_faces(data))
        last = int((at >= detector.config.least_score).sum()) - 1
        results[f"Foveal, {way}: average precision"] = average_precision(recall, precision)
        results[f"Foveal, {way}: precision"], results[f"Foveal, {way}: recall"] = precision[last], recall[last]
        ax.plot(recall, precision, style, color="#3b5f8a", label=f"Foveal, {way}")
        ax.plot(recall[last], precision[last], "o", color="#3b5f8a")

    cascade = Cascade(skimage.data.lbp_frontal_face_cascade_filename())
    points = [cascade_point(cascade, data, neighbours) for neighbours in NEIGHBOURS]
    for neighbours, (recall, precision) in zip(NEIGHBOURS, points, strict=True):
        results[f"cascade, neighbours {neighbours}: precision"] = precision
        results[f"cascade, neighbours {neighbours}: recall"] = recall
    ax.plot(*zip(*points, strict=True), "s-", color="#c1554d", label="cascade, center in the face")
    ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    ax.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside upper center")
    figure.savefig(PICTURE)
    keep("faces", results)


if __name__ == "__main__":
    main()
