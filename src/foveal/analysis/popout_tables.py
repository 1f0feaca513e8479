"""Tables of `foveal popout`: means with intervals over arrays, by model and by what the target differs in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from foveal.datasets.search_arrays import SearchArraySettings
from foveal.datasets.search_features import FEATURES
from foveal.metrics.bootstrap import bootstrap_interval

ALL = "all that pop out"
VALUES = ("NMM", "found")
SCORED = ["model", "map"]  # what tells one line of a comparison from another


def with_settings(scores: pd.DataFrame, arrays: Sequence[SearchArraySettings]) -> pd.DataFrame:
    """The scores of these arrays, with what each array is: feature, difference, share, set_size, swapped, seed."""
    of_arrays = pd.DataFrame(
        {
            "array": of.name,
            "feature": of.feature,
            "difference": of.difference,
            "share": of.share,
            "set_size": of.set_size,
            "swapped": of.swapped,
            "seed": of.seed,
        }
        for of in arrays
    )
    return scores.merge(of_arrays, on="array")


def pops_out(settings: SearchArraySettings) -> bool:
    """Has the target more than the distractors of a single feature?"""
    return not settings.swapped and FEATURES[settings.feature].conjoined is None


def that_pop_out(scored: pd.DataFrame) -> pd.DataFrame:
    """The scores of arrays that `pops_out` says to pop out."""
    return scored[~scored["swapped"] & scored["feature"].map(lambda feature: FEATURES[feature].conjoined is None)]


def by_feature(scored: pd.DataFrame) -> pd.DataFrame:
    """Mean NMM and the share of arrays whose target is found, of each model and feature, and of all that pop out.

    The best model by the mean over all comes first.
    """
    plain = scored[~scored["swapped"]]
    parts = [that_pop_out(scored).assign(feature=ALL), plain]
    table = means_by(pd.concat(parts), [*SCORED, "feature"])
    order = table[table["feature"] == ALL].set_index(SCORED)["NMM"].sort_values(ascending=False).index
    rank = {key: number for number, key in enumerate(order)}
    place = {name: number for number, name in enumerate([ALL, *FEATURES])}
    keys = [
        (rank.get((model, kind), len(rank)), place[f])
        for model, kind, f in table[[*SCORED, "feature"]].itertuples(index=False)
    ]
    return table.iloc[sorted(range(len(keys)), key=keys.__getitem__)].reset_index(drop=True)


def means_by(scored: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Mean NMM and share found of groups of arrays, with bootstrap intervals over arrays and their number."""
    rows = []
    for key, group in scored.groupby(list(by), sort=False):
        row: dict[str, Any] = {**dict(zip(by, key, strict=True)), "arrays": len(group)}
        for value in VALUES:
            row |= _with_interval(value, group[value].to_numpy(np.float64))
        rows.append(row)
    return pd.DataFrame(rows)


def asymmetries(scored: pd.DataFrame) -> pd.DataFrame:
    """How much better a target is found that has what distractors lack than one that lacks what they have.

    A row for each model and feature: NMM and share found of the one (`with`) and the other (`without`), and the mean
    difference over pairs of arrays that are alike but for the roles, with its interval.
    """
    pair = [*SCORED, "feature", "share", "set_size", "seed"]
    columns = [*pair, *VALUES]
    pairs = scored[~scored["swapped"]][columns].merge(
        scored[scored["swapped"]][columns], on=pair, suffixes=("_with", "_without")
    )
    rows = []
    for key, group in pairs.groupby([*SCORED, "feature"], sort=False):
        row: dict[str, Any] = {**dict(zip([*SCORED, "feature"], key, strict=True)), "pairs": len(group)}
        for value in VALUES:
            present, absent = (group[f"{value}_{role}"].to_numpy(np.float64) for role in ("with", "without"))
            row |= {f"{value}_with": present.mean(), f"{value}_without": absent.mean()}
            row |= _with_interval(f"{value}_difference", present - absent)
        rows.append(row)
    return pd.DataFrame(rows)


def _with_interval(name: str, values: np.ndarray) -> dict[str, float]:
    low, high = bootstrap_interval(lambda drawn: drawn.mean(axis=-1), values)
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}
