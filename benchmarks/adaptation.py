"""What the few numbers of a data set win back, by how many of its pictures they are fitted to.

    python benchmarks/adaptation.py foveal-s mit1003

Shares of the information gain of the gold standard, both above the data set's own center bias, each image without its
own fixations. "as published" is the model as it comes; "its own center bias" has the center bias of all other images of
the data set instead, at the same weight. In the other rows, all numbers and the center bias are fitted to so many
images, chosen by chance from one half of the data set, and scored on the other half: a mean over draws, with the
standard deviation over them. Writes benchmarks/results/adaptation_<model>_<data set>.json.
"""

import argparse
import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from timing import keep, say

import foveal
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models import load_model
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.network import Numbers
from foveal.models.parts.finalizer import normalize_log_density
from foveal.training.fits.numbers import PULL, Unseen, fit_numbers, fitted_to, networks_of, part_of, unseen_of

SIZES = (10, 25, 50)
DRAWS = 6  # halves; each is once fitted to and once scored on
LEFT_OUT = -30.0  # weight of a size that does not count


class Adaptation:
    """A model on a data set that it did not see.

    Parameters
    ----------
    model
        With its numbers for pictures of no data set in particular.
    data
        The data set.
    """

    def __init__(self, model: FovealS | FovealL, data: Dataset) -> None:
        self.model, self.data = model, data
        self.unseen = unseen_of(model, data, say)
        self.images = np.sort(np.concatenate([part.images for part in self.unseen]))
        self.gold = Yardsticks(data).gold_information_gain

    def only(self, of_maps: Sequence[int]) -> "Adaptation":
        """A copy with the maps of some of the sizes only, by their numbers."""
        other = copy.copy(self)
        other.model = copy.deepcopy(self.model)
        for network in networks_of(other.model):
            weights = torch.full_like(network.numbers()["size_weights"], LEFT_OUT)
            weights[list(of_maps)] = 0.0
            network.take({"size_weights": weights})
        return other

    def share(self, unseen: Sequence[Unseen], changes: Numbers | None = None) -> float:
        """Of the gold standard's information gain, on the images of some parts."""
        gains = torch.cat([part.gain(networks_of(self.model), changes) for part in unseen])
        images = np.concatenate([part.images for part in unseen])
        return float(gains.mean()) / float(self.gold[images].mean())

    def as_published(self) -> list[Unseen]:
        """With the model's own center bias."""
        published = []
        for part in self.unseen:
            prior = networks_of(self.model)[0].prior_on((part.counts.shape[1], part.counts.shape[2]))
            published.append(replace(part, log_priors=normalize_log_density(prior).expand_as(part.counts)))
        return published

    def with_own_center_bias(self) -> list[Unseen]:
        """With that of the data set's other images."""
        return [replace(part, log_priors=part.reference) for part in self.unseen]

    def fitted_to(self, n_images: int | None, pull: float = PULL) -> list[float]:
        """Shares on one half with the numbers of so many images of the other (None: all), draw by draw."""
        shares = []
        for fitted, scored in self._halves(DRAWS if n_images is not None else 2):
            study = np.sort(fitted[:n_images])
            density = CenterBiasKDE.fit(self.data.select(study))
            fit_to, score = (
                fitted_to(part_of(self.unseen, images), self.model, self.data, study, density)
                for images in (study, scored)
            )
            shares.append(self.share(score, fit_numbers(self.model, fit_to, pull)))
        return shares

    def _halves(self, draws: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for seed in range(draws // 2):
            shuffled = np.random.default_rng(seed).permutation(self.images)
            halves = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
            yield halves
            yield halves[::-1]


def rows_of(adaptation: Adaptation, sizes: Sequence[int] = SIZES, pull: float = PULL) -> dict[str, float]:
    """All shares of one model on one data set."""
    rows = {
        "as published": adaptation.share(adaptation.as_published()),
        "its own center bias": adaptation.share(adaptation.with_own_center_bias()),
    }
    for n_images in (*sizes, None):
        shares = adaptation.fitted_to(n_images, pull)
        name = "half of the images" if n_images is None else f"{n_images} images"
        rows[name], rows[f"{name}, deviation over draws"] = float(np.mean(shares)), float(np.std(shares))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("dataset")
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    model, data = load_model(arguments.model), foveal.load_dataset(arguments.dataset, arguments.data_root)
    if not isinstance(model, FovealS | FovealL):
        raise SystemExit(f"{model.name} has no numbers that could be fitted")
    name = f"adaptation_{Path(arguments.model).stem}_{arguments.dataset}"
    keep(name, rows_of(Adaptation(model, data.looked_at())))


if __name__ == "__main__":
    main()
