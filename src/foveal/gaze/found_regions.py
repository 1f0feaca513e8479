"""Regions found by their density: where most fixations fall, or where a model says that they do.

Bylinskii, Recasens, Borji, Oliva, Torralba & Durand, *Where should saliency models look next?*, ECCV 2016, take what is
above the 95th percentile of people's map.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import label
from skimage.measure import approximate_polygon, find_contours
from skimage.segmentation import watershed

from foveal.gaze.dataset import Dataset
from foveal.gaze.fixations import Fixations
from foveal.gaze.maps import fixation_map
from foveal.gaze.regions import Region, Regions
from foveal.gaze.stimuli import Stimulus
from foveal.progress import Progress, Report

TOP = 95.0  # percentile of a map
SIGMA = 1.0  # degree of visual angle: width of the Gaussian on each fixation
LEAST_FIXATIONS, LEAST_SUBJECTS = 5, 4  # of a region that is kept
TOLERANCE = 1.0  # px by which an outline may differ from a piece


def find_regions(dataset: Dataset, *, progress: Report | None = None) -> Regions:
    """The regions of every photograph in which fixations are dense, those with most fixations first.

    The map is a Gaussian of one degree on every fixation. What is above its 95th percentile is split between its local
    maxima by a watershed. A piece is a region if it holds five fixations or more, of four observers or more where they
    are known. Forced first fixations are in no data set that Foveal loads.
    """
    report = Progress.of(progress)
    regions: list[Region] = []
    images = np.unique(dataset.fixations.image).tolist()
    for done, image in enumerate(images):
        report("regions", done, len(images))
        fixations = dataset.fixations.for_image(image)
        regions += _regions_in(people_map(dataset, image), fixations, dataset.stimuli[image])
    report("regions", len(images), len(images))
    return Regions(tuple(regions))


def people_map(dataset: Dataset, image: int) -> Float[np.ndarray, "height width"]:
    """Density of the fixations on one photograph: a Gaussian of one degree on each of them."""
    stimulus = dataset.stimuli[image]
    sigma = SIGMA * stimulus.assumed_pixels_per_degree
    return fixation_map(dataset.fixations.for_image(image), stimulus.size, sigma=sigma)


def top_of(values: Float[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The pixels above the 95th percentile of a map; none of a constant map.

    >>> int(top_of(np.arange(100.0).reshape(10, 10)).sum())
    5
    """
    return values > np.percentile(values, TOP)


def pieces_of(values: Float[np.ndarray, "height width"], apart: float) -> Int[np.ndarray, "height width"]:
    """What is above a map's 95th percentile, split between its local maxima by a watershed.

    Parameters
    ----------
    values
        The map.
    apart
        Of maxima nearer than so many px, along either side, only the highest counts. What is not connected with one
        that counts is in no piece.

    Returns
    -------
    The number of the piece that each pixel is in, from 1; 0 outside all.
    """
    top = top_of(values)
    side = 2 * max(1, round(apart)) + 1
    highest_around = cv2.dilate(values.astype(np.float32), np.ones((side, side), np.uint8))
    markers, _ = label(top & (values.astype(np.float32) == highest_around))
    return watershed(-values, markers, mask=top)


def outline_of(mask: Bool[np.ndarray, "height width"]) -> Float[np.ndarray, "corner 2"]:
    """The outer border of the largest part of a mask, x and y in px, halfway between pixels inside and outside."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    part = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    contours = find_contours(np.pad(part, 1).astype(np.float64), 0.5)
    longest = max(contours, key=lambda contour: abs(_area(contour)))
    simple = approximate_polygon(longest, TOLERANCE)[:-1]  # the last point is the first
    corners = simple if len(simple) >= 3 else longest[:-1]
    return corners[:, ::-1] - 1 + (left, top)


def _area(contour: Float[np.ndarray, "corner 2"]) -> float:
    y, x = contour.T
    return float(x[:-1] @ y[1:] - x[1:] @ y[:-1]) / 2


def _regions_in(values: Float[np.ndarray, "height width"], fixations: Fixations, stimulus: Stimulus) -> list[Region]:
    pieces = pieces_of(values, SIGMA * stimulus.assumed_pixels_per_degree)
    at = pieces[fixations.pixel_y, fixations.pixel_x]
    n_fixations = np.bincount(at, minlength=pieces.max() + 1)
    regions: list[Region] = []
    for piece in np.argsort(-n_fixations[1:], kind="stable") + 1:
        n_subjects = len(fixations.where(at == piece).subjects)
        too_few = n_subjects < LEAST_SUBJECTS and fixations.has_subjects
        if n_fixations[piece] < LEAST_FIXATIONS or too_few:
            continue
        regions.append(
            Region(
                stimulus.id,
                len(regions) + 1,
                outline_of(pieces == piece),
                n_fixations=int(n_fixations[piece]),
                n_subjects=n_subjects,
            )
        )
    return regions
