"""What the few numbers of a data set win back, by how many of its pictures they are fitted to.

    python benchmarks/adaptation.py foveal-s mit1003

Shares of the information gain of the gold standard, both above the data set's own center bias, each image without its
own fixations. "as published" is the model as it comes; "its own center bias" has the center bias of all other images of
the data set instead, at the same weight. In the other rows, all numbers and the center bias are fitted to so many
images, chosen by chance from one half of the data set, and scored on the other half: a mean over draws, with the
standard deviation over them. Writes benchmarks/results/adaptation_<model>_<data set>.json.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from timing import keep, say

import foveal
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.gaze import Dataset
from foveal.models import load_model
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealS
from foveal.training.fits.numbers import PULL, Unseen, fit_numbers, fitted_to, networks_of, unseen_of

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
    views
        Numbers of the sizes whose maps count; by default, all.
    """

    def __init__(self, model: FovealS | FovealL, data: Dataset) -> None:
        self.model, self.data = model, data
        self.unseen = unseen_of(model, data, say)
        self.images = np.sort(np.concatenate([some.images for some in self.unseen]))
        self.gold = Yardsticks(data).gold_information_gain

    def only(self, views: Sequence[int]) -> "Adaptation":
        """The same with the maps of some of the sizes only, by their numbers."""
        for network in networks_of(self.model):
            weights = torch.full_like(network.numbers()["size_weights"], LEFT_OUT)
            weights[list(views)] = 0.0
            network.take({"size_weights": weights})
        return self

    def share(self, unseen: Sequence[Unseen], changes: dict[str, torch.Tensor] | None = None) -> float:
        """Of the gold standard's information gain, on the images of some parts."""
        members = networks_of(self.model)
        numbers = members[0].numbers()
        changes = changes or {name: torch.zeros_like(value) for name, value in numbers.items()}
        gains = torch.cat([some.gain(members, changes) for some in unseen if some.images])
        images = np.concatenate([some.images for some in unseen if some.images])
        return float(gains.mean()) / float(self.gold[images].mean())

    def as_published(self) -> float:
        """With the model's own center bias."""
        priors = [networks_of(self.model)[0].prior_on(tuple(some.counts.shape[1:])) for some in self.unseen]
        own = [
            replace(some, log_priors=prior.flatten(1).log_softmax(dim=1).view_as(prior).expand_as(some.counts))
            for some, prior in zip(self.unseen, priors, strict=True)
        ]
        return self.share(own)

    def with_own_center_bias(self) -> float:
        """With that of the data set's other images, at the model's weight."""
        return self.share([replace(some, log_priors=some.reference) for some in self.unseen])

    def fitted_to(self, n_images: int | None, pull: float = PULL) -> list[float]:
        """With the numbers of so many images of one half, on the other half, draw by draw; of None, of all of it."""
        found = []
        draws = DRAWS if n_images is not None else 2
        for fitted, scored in self._halves(draws):
            study = np.sort(fitted[:n_images])
            parts = [some.only(np.isin(some.images, study)) for some in self.unseen]
            parts = fitted_to([some for some in parts if some.images], self.model, self.data, study)
            changes = fit_numbers(self.model, parts, pull)
            others = [some.only(np.isin(some.images, scored)) for some in self.unseen]
            others = [some for some in others if some.images]
            found.append(self.share(fitted_to(others, self.model, self.data, study), changes))
        return found

    def _halves(self, draws: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for seed in range(draws // 2):
            shuffled = np.random.default_rng(seed).permutation(self.images)
            halves = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
            yield halves
            yield halves[::-1]


def rows_of(adaptation: Adaptation, sizes: Sequence[int] = SIZES, pull: float = PULL) -> dict[str, float]:
    """All shares of one model on one data set."""
    rows = {"as published": adaptation.as_published(), "its own center bias": adaptation.with_own_center_bias()}
    for n_images in (*sizes, None):
        found = adaptation.fitted_to(n_images, pull)
        name = "half of the images" if n_images is None else f"{n_images} images"
        rows[name], rows[f"{name}, deviation over draws"] = float(np.mean(found)), float(np.std(found))
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
