"""Gold standard and center bias of one 768 x 1024 image with 100 fixations, against pysaliency 0.2.22.

Same process, same fixations, same given bandwidth (how long Foveal takes to choose it is timed apart): 10 subjects of
10 fixations on each of 11 images. Compared are
- one density of all fixations of an image: `KDEGoldModel.log_density` against one view of the gold standard;
- what scoring needs: every subject left out in turn and the center bias of the ten other images.

And Foveal's two ways on 3 images with 3,450 fixations each: sums over pairs, and over cells.
"""

import time
import warnings
from unittest import mock

import numpy as np
import torch
from timing import keep, median_seconds

from foveal.gaze import Dataset, Fixations, Stimuli, fixation_map
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models.baselines import CrossValidatedCenterBias, CrossValidatedGoldStandard

HEIGHT, WIDTH, N_IMAGES, N_SUBJECTS, PER_SUBJECT = 768, 1024, 11, 10, 10
SIGMA = 35.0  # px
CROWDED = (3, 15, 230)  # images, subjects, and fixations of each on an image


def make_dataset(n_images: int = N_IMAGES, n_subjects: int = N_SUBJECTS, per_subject: int = PER_SUBJECT) -> Dataset:
    rng = np.random.default_rng(0)
    n = n_images * n_subjects * per_subject
    x = rng.normal(WIDTH / 2, WIDTH / 6, n).clip(0, WIDTH - 1)
    y = rng.normal(HEIGHT / 2, HEIGHT / 6, n).clip(0, HEIGHT - 1)
    image = np.repeat(np.arange(n_images), n_subjects * per_subject)
    subject = np.tile(np.repeat(np.arange(n_subjects), per_subject), n_images)
    images = [rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(n_images)]
    return Dataset("random", Stimuli(images, pixels_per_degree=35.0), Fixations.of(image, x, y, subject=subject))


def crowded() -> dict[str, float]:
    """Processor time of a fit both ways, and how far apart they are."""
    dataset = make_dataset(*CROWDED)
    center_bias = CrossValidatedCenterBias(dataset, CenterBiasKDE.fit(dataset))
    seconds, likelihoods, bandwidth = {}, {}, {}
    for name, most_pairwise in (("cells", 500), ("pairs", len(dataset.fixations))):
        with mock.patch("foveal.gaze.kde.MOST_PAIRWISE", most_pairwise):
            start = time.process_time()
            fitted = CrossValidatedGoldStandard.fit(dataset, center_bias)
            likelihoods[name], bandwidth[name] = fitted.log_likelihood_per_image, fitted.bandwidth
            seconds[name] = time.process_time() - start
    return {
        "crowded, in cells, s of processor time": seconds["cells"],
        "crowded, in pairs, s of processor time": seconds["pairs"],
        "crowded, ratio": seconds["pairs"] / seconds["cells"],
        "crowded, largest difference of an image, bit": float(
            np.abs(likelihoods["cells"] - likelihoods["pairs"]).max()
        ),
        "crowded, bandwidth in cells over that in pairs": bandwidth["cells"] / bandwidth["pairs"],
    }


def main() -> None:
    dataset = make_dataset()
    first = dataset.fixations.for_image(0)
    center_bias = CrossValidatedCenterBias(dataset, CenterBiasKDE.fit(dataset))
    weights = np.array([0.9, 0.09, 0.01])
    gold = CrossValidatedGoldStandard(dataset, center_bias, SIGMA / 35.0, weights)

    ours_fit = median_seconds(lambda: CrossValidatedGoldStandard.fit(dataset, center_bias), 1)
    ours_density = median_seconds(lambda: np.log(fixation_map(first, (HEIGHT, WIDTH), sigma=SIGMA) / 100), 10)
    ours_all = median_seconds(lambda: gold.log_densities(0), 10)
    ours_prior = median_seconds(lambda: center_bias.log_densities(0), 10)

    warnings.filterwarnings("ignore")
    import pysaliency
    from pysaliency.baseline_utils import CrossvalidatedBaselineModel, KDEGoldModel

    stimuli = pysaliency.Stimuli([stimulus.image for stimulus in dataset.stimuli])
    columns = dataset.fixations
    theirs = pysaliency.Fixations.create_without_history(columns.x, columns.y, columns.image, columns.subject)

    def their_density() -> np.ndarray:
        model = KDEGoldModel(stimuli, theirs, bandwidth=SIGMA / WIDTH, keep_aspect=True, caching=False)
        return model.log_density(stimuli[0])

    def their_prior() -> np.ndarray:
        model = CrossvalidatedBaselineModel(stimuli, theirs, bandwidth=0.04, caching=False)
        return model.log_density(stimuli[0])

    theirs_density = median_seconds(their_density, 3)
    theirs_prior = median_seconds(their_prior, 3)

    # The same estimate, but for half a pixel and the border, which theirs renormalises as a whole.
    difference = np.exp(their_density()) - fixation_map(first, (HEIGHT, WIDTH), sigma=SIGMA) / 100
    keep(
        "gold_standard",
        {
            "threads": torch.get_num_threads(),
            "total variation between the two densities": float(np.abs(difference).sum() / 2),
            "density of one image, Foveal, ms": 1000 * ours_density,
            "density of one image, pysaliency KDEGoldModel, ms": 1000 * theirs_density,
            "density of one image, ratio": theirs_density / ours_density,
            "center bias of the other images, Foveal, ms": 1000 * ours_prior,
            "center bias of the other images, pysaliency, ms": 1000 * theirs_prior,
            "center bias of the other images, ratio": theirs_prior / ours_prior,
            "gold (10 subjects left out) with center bias, Foveal, ms": 1000 * ours_all,
            "choosing bandwidth and weights on all 11 images, Foveal, ms": 1000 * ours_fit,
            "pysaliency's single KDEGoldModel density over that, ratio": theirs_density / ours_all,
            "pysaliency's 10 densities and center bias over that, ratio": (10 * theirs_density + theirs_prior)
            / ours_all,
            **crowded(),
        },
    )


if __name__ == "__main__":
    main()
