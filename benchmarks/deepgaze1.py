"""DeepGaze I against its paper: explained information, and AUC on images of other sizes.

    foveal train deepgaze1 --dataset mit1003 --split onesize --leave-out subjects --out dg1     # Fig. 3
    python benchmarks/deepgaze1.py dg1                                                          # Fig. 3 and Fig. 4

The first command fits the readout to all fixations on the 463 images of 1024 x 768, and again without each subject; the
second judges the fits of the folds on the subjects that they did not see, and the first fit on the 540 other images.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from timing import keep

import foveal
from foveal.benchmark.observations import Observations
from foveal.benchmark.scoring import maps_of_model, score
from foveal.benchmark.yardsticks import Yardsticks
from foveal.metrics import get_metrics
from foveal.models import load_model
from foveal.training.feature_cache import FeatureCache
from foveal.training.fit_readout import ReadoutProblem, counts_of, log_likelihoods, log_priors_of

PAPER = {"explained information, test subjects": 0.56, "AUC (MIT300)": 0.8440, "sAUC (MIT300)": 0.7169}


def explained(folder: Path) -> dict[str, float]:
    """IG of each fold's readout over that of the gold standard, on its held-out and on its other subjects."""
    data = foveal.load_dataset("mit1003").split("onesize")
    model = load_model(folder / "deepgaze1.safetensors")
    groups = FeatureCache(model, data).groups()
    yardsticks = Yardsticks(data)
    problem = ReadoutProblem(
        groups, log_priors_of(groups, data, yardsticks.center_bias.density), counts_of(groups, data.fixations)
    )
    subject = data.fixations.subject
    test, train = np.zeros(len(subject)), np.zeros(len(subject))
    sigmas, weights = [], []
    for number, left_out in enumerate(data.fixations.subjects):
        fold = load_model(folder / "folds" / f"{number}.safetensors")
        sigmas.append(float(fold.readout.log_sigma.exp()))
        weights.append(float(fold.readout.prior_weight))
        image, values = log_likelihoods(fold, problem, data.fixations)
        values = values[np.argsort(image, kind="stable")]
        test = np.where(subject == left_out, values, test)
        train += np.where(subject == left_out, 0, values) / (len(data.fixations.subjects) - 1)
    areas = data.stimuli.sizes.prod(axis=1)[data.fixations.image]
    prior = (yardsticks.center_bias.log_likelihoods + np.log(areas)) / math.log(2)
    gold = (yardsticks.gold.log_likelihoods + np.log(areas)) / math.log(2)

    def gain(values: np.ndarray) -> float:
        """Mean over images, bit per fixation above the centre bias."""
        return float(np.mean([(values - prior)[data.fixations.rows_of(i)].mean() for i in range(len(data))]))

    return {
        "gold IG": gain(gold),
        "IG, test subjects": gain(test),
        "IG, training subjects": gain(train),
        "explained information, test subjects": gain(test) / gain(gold),
        "explained information, training subjects": gain(train) / gain(gold),
        "blur, px": float(np.mean(sigmas)),
        "weight of the centre bias": float(np.mean(weights)),
    }


def on_other_images(folder: Path) -> dict[str, float]:
    """AUC with the centre bias, sAUC with a uniform prior, IG and NSS, on the 540 images of other sizes."""
    data = foveal.load_dataset("mit1003")
    images = data.split_indices("othersizes").tolist()
    observations = Observations(data, Yardsticks(data), seed=0)

    def mean(metrics: list[str], *, uniform_prior: bool) -> dict[str, float]:
        model = load_model(folder / "deepgaze1.safetensors")
        if uniform_prior:
            with torch.no_grad():
                model.readout.prior_weight.zero_()
        scores: dict[int, dict[str, float]] = {}
        source = maps_of_model(model, data, raw=False)
        for some, _ in score(source, images, get_metrics(metrics), observations, raw=uniform_prior):
            scores |= some
        return {name: float(np.mean([values[name] for values in scores.values()])) for name in metrics}

    with_prior = mean(["AUC", "NSS", "LL"], uniform_prior=False)
    baseline = float(observations.yardsticks.center_bias_log_likelihood[images].mean())
    gold = float(observations.yardsticks.gold_information_gain[images].mean())
    return {
        "AUC, 540 images, centre bias": with_prior["AUC"],
        "sAUC, 540 images, uniform prior": mean(["sAUC"], uniform_prior=True)["sAUC"],
        "NSS, 540 images": with_prior["NSS"],
        "IG, 540 images": with_prior["LL"] - baseline,
        "explained information, 540 images": (with_prior["LL"] - baseline) / gold,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what foveal train wrote")
    folder = parser.parse_args().folder
    parts = explained(folder) | on_other_images(folder)
    keep("deepgaze1", parts | {f"paper: {name}": value for name, value in PAPER.items()})


if __name__ == "__main__":
    main()
