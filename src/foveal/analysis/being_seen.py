"""The probability that a region is looked at within the first fixations, as it was measured.

If fixations were independent, a region with the share s would be seen within n fixations with probability
1 - (1 - s)^n. People do not obey: the first fixation goes to the largest shares more than later ones do, a thing that
was looked at is looked at again, and small things are looked at by more people than their share says. So each fixation
has a hazard of its own: the probability that it is the first to land in the region. The hazard of fixation i has the
logit a_i + b_i logit(s) + c_i log(area), as in survival analysis in discrete time (Singer & Willett 1993, "It's about
time", J. Educ. Stat. 18(2)). Observers and pictures differ around it, by a beta distribution.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy import optimize, special, stats

INTERVAL, PEOPLE = 0.8, 15  # of the share of so many people who look, over regions
SMALLEST = 1e-6  # share or probability that is told from none
AREAS = 0.002, 0.3  # of the regions that were measured
MOST = 10  # fixations that were measured; later ones have the hazard of the last


@dataclass(frozen=True)
class Seen:
    """How many observers look at a region within so many fixations.

    Attributes
    ----------
    probability
        The share of them.
    low, high
        Of `PEOPLE` people, the share who look lies between these for four of five regions with this share and area.
    """

    probability: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class SeenModel:
    """What was fitted.

    Attributes
    ----------
    hazards
        a, b and c of each fixation.
    precision
        Of the beta distribution around the probability, by the number of fixations.
    """

    hazards: Float[np.ndarray, "fixation 3"]
    precision: Float[np.ndarray, " fixation"]

    def probability(
        self, share: Float[np.ndarray, " region"], area: Float[np.ndarray, " region"], n: int
    ) -> Float[np.ndarray, " region"]:
        """Of being seen within `n` fixations.

        >>> rare, frequent = SeenModel.shipped().probability(np.array([0.1, 0.5]), np.array([0.05, 0.05]), 3)
        >>> bool(rare < 0.5 < frequent)
        True
        """
        missed = np.ones(len(share))
        for fixation in range(n):
            missed *= 1 - special.expit(_terms(share, area) @ self.hazards[min(fixation, MOST - 1)])
        return 1 - missed

    def interval(
        self, probability: Float[np.ndarray, " region"], n: int
    ) -> tuple[Float[np.ndarray, " region"], Float[np.ndarray, " region"]]:
        """See `Seen.low`: quantiles of the beta-binomial distribution of how many of so many people look."""
        p = np.clip(probability, SMALLEST, 1 - SMALLEST)[:, None] * self.precision[min(n, MOST) - 1]
        counts = np.arange(PEOPLE + 1)
        q = self.precision[min(n, MOST) - 1] - p
        up_to = np.cumsum(stats.betabinom.pmf(counts, PEOPLE, p, q), axis=1)
        low, high = ((up_to < quantile).sum(axis=1) / PEOPLE for quantile in ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2))
        return np.minimum(low, probability), np.maximum(high, probability)

    def to_dict(self) -> dict[str, Any]:
        """As JSON says it."""
        return {"hazards": self.hazards.tolist(), "precision": self.precision.tolist()}

    @classmethod
    @cache
    def shipped(cls) -> "SeenModel":
        """What comes with Foveal: fitted by benchmarks/being_seen.py."""
        text = resources.files("foveal.analysis").joinpath("being_seen.json").read_text(encoding="utf-8")
        numbers = json.loads(text)
        return cls(np.array(numbers["hazards"]), np.array(numbers["precision"]))


def being_seen(
    shares: Float[np.ndarray, " region"],
    areas: Float[np.ndarray, " region"],
    fixations: Sequence[int],
    inside: Sequence[Int[np.ndarray, "..."]] = (),
) -> list[dict[int, Seen]]:
    """By how many observers each region is looked at within so many fixations.

    Parameters
    ----------
    shares
        Probability that a fixation lands in the region, from 0 to 1.
    areas
        Its share of the picture's pixels. Beyond `AREAS`, which were measured, it counts as their nearer end.
    fixations
        Numbers of fixations, from 1.
    inside
        Of each region, the numbers of those that lie in it: who has seen them has seen the region.

    >>> [seen] = being_seen(np.array([0.2]), np.array([0.05]), [1, 5])
    >>> seen[1].probability < seen[5].probability
    True
    """
    model = SeenModel.shipped()
    of_n = {}
    for n in fixations:
        own = model.probability(shares, areas, n)
        probability = own.copy()
        for region, numbers in enumerate(inside):
            probability[region] = max(own[region], own[numbers].max(initial=0.0))
        of_n[n] = list(
            zip(probability.tolist(), *(end.tolist() for end in model.interval(probability, n)), strict=True)
        )
    return [{n: Seen(*values[region]) for n, values in of_n.items()} for region in range(len(shares))]


def independent(share: Float[np.ndarray, " region"], n: int) -> Float[np.ndarray, " region"]:
    """The probability of being seen if fixations were independent.

    >>> independent(np.array([0.5]), 2)
    array([0.75])
    """
    return 1 - (1 - share) ** n


def fit_being_seen(table: pd.DataFrame) -> SeenModel:
    """Fit the hazards, then the precision, by maximum likelihood.

    Parameters
    ----------
    table
        One row for each region and observer: region (any key), share, area, n (the number of the observer's fixations),
        first (the number of the first that lands in the region, from 1; 0 if none does) and weight.
    """
    hazards = np.array([_hazard(table, fixation) for fixation in range(1, MOST + 1)])
    model = SeenModel(hazards, np.ones(MOST))
    return SeenModel(hazards, np.array([_precision(model, table, n) for n in range(1, MOST + 1)]))


def _terms(share: Float[np.ndarray, " region"], area: Float[np.ndarray, " region"]) -> Float[np.ndarray, "region 3"]:
    logit = special.logit(np.clip(share, SMALLEST, 1 - SMALLEST))
    return np.stack([np.ones_like(share), logit, np.log(np.clip(area, *AREAS))], axis=1)


def _hazard(table: pd.DataFrame, fixation: int) -> Float[np.ndarray, " 3"]:
    """Logistic regression of "this fixation is the first in the region" among observers who have not looked there."""
    at_risk = table[(table["n"] >= fixation) & ((table["first"] == 0) | (table["first"] >= fixation))]
    terms = _terms(at_risk["share"].to_numpy(), at_risk["area"].to_numpy())
    is_first, weight = (at_risk["first"] == fixation).to_numpy(float), at_risk["weight"].to_numpy()

    def loss(numbers: Float[np.ndarray, " 3"]) -> tuple[float, Float[np.ndarray, " 3"]]:
        logit = terms @ numbers
        nats = weight * (np.logaddexp(0, logit) - is_first * logit)
        return float(nats.sum()), terms.T @ (weight * (special.expit(logit) - is_first))

    return np.asarray(optimize.minimize(loss, np.array([0.0, 1.0, 0.0]), jac=True, method="BFGS").x)


def counted(table: pd.DataFrame, n: int) -> pd.DataFrame:
    """Of each region: share, area, weight, observers with `n` fixations or more, and how many saw it by then."""
    enough = table[table["n"] >= n]
    is_seen = enough["first"].between(1, n)
    return (
        enough.assign(seen=is_seen)
        .groupby("region")
        .agg(
            share=("share", "first"),
            area=("area", "first"),
            weight=("weight", "first"),
            observers=("seen", "size"),
            seen=("seen", "sum"),
        )
    )


def _precision(model: SeenModel, table: pd.DataFrame, n: int) -> float:
    """Of a beta-binomial distribution of the number of observers, around the probability."""
    of_region = counted(table, n)
    p = model.probability(of_region["share"].to_numpy(), of_region["area"].to_numpy(), n)
    p = np.clip(p, SMALLEST, 1 - SMALLEST)
    seen, observers, weight = (of_region[name].to_numpy(float) for name in ("seen", "observers", "weight"))

    def loss(log_precision: float) -> float:
        a, b = np.exp(log_precision) * p, np.exp(log_precision) * (1 - p)
        return -float((weight * (special.betaln(a + seen, b + observers - seen) - special.betaln(a, b))).sum())

    return float(np.exp(optimize.minimize_scalar(loss, bounds=(-2.0, 8.0), method="bounded").x))
