"""DeepGaze I and other models against its paper's Figs. 3 and 4: explained information, and AUC on other images.

    foveal train deepgaze1 --dataset mit1003 --split onesize --leave-out subjects --out dg1
    foveal train bms --dataset mit1003 --split onesize --out bms
    python benchmarks/deepgaze1.py "DeepGaze I"=dg1 bms=bms/bms.safetensors

What is named must have been fitted to the 463 images of 1024 x 768. A folder holds readouts that were fitted without
one subject each, and is judged on these subjects (Fig. 3); a file is judged as it is: calibrated on the same fixations,
as the paper's other models are (icf and judd have learned a few weights from them as well). All are judged on the 540
other images, whose fixations nothing saw (for Fig. 4).

With --gold-by-image, the gold standard of the 463 images is also fitted image by image, to see what hangs on it.
Writes docs/assets/deepgaze1_models.png.
"""

import argparse
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from timing import keep

import foveal
from foveal.benchmark.observations import Observations, ObservedBatch
from foveal.benchmark.scoring import MapsOfModel, map_values
from foveal.benchmark.yardsticks import Yardsticks
from foveal.features.cache import FeatureCache
from foveal.features.cells import counts_of, log_priors_of
from foveal.gaze.kde import leave_one_subject_out_densities
from foveal.metrics import get_metrics
from foveal.models import SaliencyMapModel, SaliencyModel, load_model
from foveal.models.baselines import CenterBias
from foveal.models.calibration import to_working_grid
from foveal.models.deep.deepgaze1 import DeepGaze1, density_grid
from foveal.models.parts.finalizer import normalize_log_density, resize_maps
from foveal.models.registry import read_provenance
from foveal.training.fits.readout_problem import ReadoutProblem, log_likelihoods

PICTURE = Path(__file__).parent.parent / "docs" / "assets" / "deepgaze1_models.png"
PAPER = {"explained, left-out subjects": 0.56, "AUC": 0.8440, "sAUC": 0.7169}
BEST_BEFORE = {"explained, left-out subjects": ("eDN", 0.34), "AUC": ("BMS", 0.8257), "sAUC": ("AWS", 0.6790)}
BANDWIDTHS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5)  # degrees
SHARES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)  # of the other subjects' density
OF_THE_REST = (0.3, 0.6, 0.8, 0.9, 0.98)  # that the center bias takes; uniform gets what is left


class Figures:
    """The 463 images and the 540, with what models are measured against."""

    def __init__(self) -> None:
        whole = foveal.load_dataset("mit1003")
        self.data = whole.split("onesize")
        self.yardsticks = Yardsticks(self.data)
        self.others = whole.split_indices("othersizes").tolist()
        self.observations = Observations(whole, Yardsticks(whole), seed=0)

    @cached_property
    def prior(self) -> np.ndarray:
        """Log-likelihood of each fixation on the 463 images under the center bias, bit above uniform."""
        return self._bits(self.yardsticks.center_bias.log_likelihoods)

    @cached_property
    def gold(self) -> float:
        """Information gain of the gold standard on the 463 images."""
        return self.gain(self._bits(self.yardsticks.gold.log_likelihoods))

    def _bits(self, nats: np.ndarray) -> np.ndarray:
        areas = self.data.stimuli.sizes.prod(axis=1)[self.data.fixations.image]
        return (nats + np.log(areas)) / np.log(2)

    def gain(self, values: np.ndarray) -> float:
        """Mean over images, bit per fixation above the center bias, of values of all fixations."""
        return float(self.data.fixations.mean_by_image(values - self.prior, len(self.data)).mean())

    def of_folds(self, folder: Path) -> dict[str, float]:
        """Explained information of readouts that were each fitted without one subject."""
        first = folder / "folds" / "0.safetensors"
        if read_provenance(first)["left_out"] != "subjects":
            raise SystemExit(f"{first}: its folds do not leave out subjects")
        model = load_model(folder / "deepgaze1.safetensors")
        groups = FeatureCache(model, self.data).groups()
        priors = log_priors_of(groups, self.data, self.yardsticks.center_bias.density, density_grid)
        problem = ReadoutProblem(groups, priors, counts_of(groups, self.data.fixations, density_grid), density_grid)
        subject, subjects = self.data.fixations.subject, self.data.fixations.subjects
        test, train = np.zeros(len(subject)), np.zeros(len(subject))
        sigmas, weights = [], []
        for number, left_out in enumerate(subjects):
            fold = load_model(folder / "folds" / f"{number}.safetensors")
            sigmas.append(float(fold.readout.log_sigma.detach().exp()))
            weights.append(float(fold.readout.prior_weight.detach()))
            values = log_likelihoods(fold.readout, problem, self.data.fixations)
            test = np.where(subject == left_out, values, test)
            train += np.where(subject == left_out, 0, values) / (len(subjects) - 1)
        return {
            "explained, left-out subjects": self.gain(test) / self.gold,
            "explained, training subjects": self.gain(train) / self.gold,
            "IG, left-out subjects": self.gain(test),
            "blur, px: least": min(sigmas),
            "blur, px: most": max(sigmas),
            "weight of the center bias: least": min(weights),
            "weight of the center bias: most": max(weights),
        }

    def of_file(self, path: Path) -> dict[str, float]:
        """Explained information of a model that has hardly a weight with which it could learn a subject by heart."""
        positions = np.flatnonzero(np.isin(self.observations.dataset.stimuli.ids, self.data.stimuli.ids)).tolist()
        likelihood = self._means(load_model(path), positions)["LL"]
        baseline = float(self.yardsticks.center_bias_log_likelihood.mean())
        return {"explained, left-out subjects": (likelihood - baseline) / self.gold}

    def on_other_images(self, path: Path) -> dict[str, float]:
        """AUC with the center bias, sAUC with a uniform prior, IG and NSS, on the 540 images of other sizes."""
        values = self._means(load_model(path), self.others)
        yardsticks = self.observations.yardsticks
        baseline = float(yardsticks.center_bias_log_likelihood[self.others].mean())
        gold = float(yardsticks.gold_information_gain[self.others].mean())
        gain = values.pop("LL") - baseline
        return values | {"IG": gain, "explained": gain / gold}

    def _means(self, model: SaliencyModel, images: list[int]) -> dict[str, float]:
        """Over images; one pass of the model serves the metrics of its density and, without its prior, sAUC."""
        parts = []
        for batch in MapsOfModel(model, self.observations.dataset, raw=False)(images):
            observed = ObservedBatch(self.observations, batch.images, batch.parts, torch.device("cpu"))
            size = batch.maps.shape[1], batch.maps.shape[2]
            uniform = normalize_log_density(batch.maps - weighted_prior(model, size))
            values = map_values(batch.maps, observed, get_metrics(["AUC", "NSS", "LL"]), raw=False)
            # Raw, for the map is this metric's own already: nothing of the center bias is left to be divided out.
            values |= map_values(uniform, observed, get_metrics(["sAUC"]), raw=True)
            parts.append(pd.DataFrame({name: column.numpy() for name, column in values.items()}))
        return {str(name): float(value) for name, value in pd.concat(parts).mean().items()}

    def gold_by_image(self) -> dict[str, float]:
        """Information gain of a gold standard whose bandwidth, or bandwidth and weights, are best for each image.

        They are chosen on the fixations that are judged: an upper bound of what choosing them by image can give.
        """
        fixations, (height, width) = self.data.fixations, self.data.stimuli.sizes[0].tolist()
        uniform, prior = 1 / (height * width), np.exp(self.yardsticks.center_bias.log_likelihoods)
        degree = self.data.stimuli[0].pixels_per_degree
        by_bandwidth, by_both = np.full(len(self.data), -np.inf), np.full(len(self.data), -np.inf)

        def gains(weights: tuple[float, float, float], of_others: np.ndarray) -> np.ndarray:
            density = weights[0] * of_others + weights[1] * prior + weights[2] * uniform
            return fixations.mean_by_image(self._bits(np.log(density)) - self.prior, len(self.data))

        for bandwidth in BANDWIDTHS:
            of_others = np.zeros(len(fixations))
            for image in range(len(self.data)):
                part = fixations.for_image(image)
                of_others[fixations.rows_of(image)] = np.nan_to_num(
                    leave_one_subject_out_densities(part.x, part.y, part.subject, (height, width), bandwidth * degree)
                )
            by_bandwidth = np.maximum(by_bandwidth, gains(tuple(self.yardsticks.gold.weights), of_others))
            for share in SHARES:
                for part_of_rest in OF_THE_REST:
                    weights = share, (1 - share) * part_of_rest, (1 - share) * (1 - part_of_rest)
                    by_both = np.maximum(by_both, gains(weights, of_others))
        return {
            "gold IG, bandwidth of each image": float(by_bandwidth.mean()),
            "gold IG, bandwidth and weights of each image": float(by_both.mean()),
        }


def weighted_prior(model: SaliencyModel, size: tuple[int, int]) -> torch.Tensor:
    """What a model adds to its log density for the center bias, up to a constant, on the pixels of an image."""
    if isinstance(model, DeepGaze1):
        rows, columns = density_grid(size).rows.length, density_grid(size).columns.length
        log_prior, weight = model.log_prior, model.readout.prior_weight.detach()
    elif isinstance(model, SaliencyMapModel):
        rows, columns = to_working_grid(torch.zeros(1, *size)).shape[1:]
        log_prior, weight = model.calibration.log_prior, model.calibration.prior_weight
    elif isinstance(model, CenterBias):  # which is nothing else
        return model.log_density(torch.zeros(1, 3, *size))
    else:
        raise SystemExit(f"{model.name}: what its center bias is worth is not known here")
    return weight * resize_maps(resize_maps(log_prior[None], (rows, columns)), size)


def draw(results: pd.DataFrame) -> None:
    """Bars of the models, with the paper's DeepGaze I and the best model before it as lines."""
    figure = Figure(figsize=(10, 0.9 + 0.4 * len(results)), layout="constrained", dpi=130)
    titles = {
        "explained, left-out subjects": "explained information, 463 images",
        "AUC": "AUC, 540 images, center bias",
        "sAUC": "sAUC, 540 images, uniform prior",
    }
    for ax, (column, title) in zip(figure.subplots(1, 3, sharey=True), titles.items(), strict=True):
        bars = ax.barh(results.index, results[column], color="#3b5f8a", height=0.65)
        ax.bar_label(bars, fmt="%.3f", padding=3, fontsize=8)
        ax.axvline(PAPER[column], color="#c1554d", linestyle="--", label="DeepGaze I in its paper (AUCs: MIT300)")
        ax.axvline(
            BEST_BEFORE[column][1], color="gray", linestyle=":", label="best before it, in the paper (AUCs: MIT300)"
        )
        ax.set_title(title, fontsize=9, loc="left")
        start = 0 if column.startswith("explained") else 0.5
        ax.set_xlim(start, start + 1.25 * (results[column].max() - start))
        ax.spines[["top", "right"]].set_visible(False)
    figure.axes[0].invert_yaxis()
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(PICTURE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="NAME=FOLDER or NAME=FILE, as foveal train wrote them")
    parser.add_argument("--gold-by-image", action="store_true")
    arguments = parser.parse_args()
    figures = Figures()
    rows, results = {}, {"gold IG": figures.gold}
    if arguments.gold_by_image:
        results |= figures.gold_by_image()
    for name, given in (model.split("=", 1) for model in arguments.models):
        path = Path(given)
        if path.is_dir():
            rows[name] = figures.of_folds(path) | figures.on_other_images(path / "deepgaze1.safetensors")
        else:
            rows[name] = figures.of_file(path) | figures.on_other_images(path)
        results |= {f"{name}: {key}": value for key, value in rows[name].items()}
    keep("deepgaze1", results)
    draw(pd.DataFrame(rows).T.sort_values("explained, left-out subjects", ascending=False))


if __name__ == "__main__":
    main()
