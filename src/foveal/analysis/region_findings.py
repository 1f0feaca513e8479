"""All that `foveal regions` finds in what was measured."""

from dataclasses import dataclass

import pandas as pd

from foveal.analysis.region_tables import (
    GOLD,
    flag_gains,
    importance,
    information,
    misses,
    over_predictions,
    with_labels,
)
from foveal.gaze import Dataset
from foveal.gaze.folds import FOLDS
from foveal.gaze.regions import Regions


@dataclass(frozen=True)
class Findings:
    """Tables of one data set and some models; `foveal.analysis.region_tables` says what is in their columns.

    Attributes
    ----------
    data
        The photographs looked at.
    regions, what
        Their regions, and what these are called.
    shares
        What was measured, a row a part of a photograph and model (see `region_shares.Share`).
    by_region
        The regions among them, with their labels.
    misses, importance, over_predictions, information
        A table each.
    flags
        What flags would bring; without rows if no region has one.
    """

    data: Dataset
    regions: Regions
    what: str
    shares: pd.DataFrame
    by_region: pd.DataFrame
    misses: pd.DataFrame
    importance: pd.DataFrame
    over_predictions: pd.DataFrame
    information: pd.DataFrame
    flags: pd.DataFrame

    @property
    def models(self) -> list[str]:
        """Names of all models and yardsticks, in the order in which they were measured."""
        return list(dict.fromkeys(self.shares["model"]))


def findings_of(shares: pd.DataFrame, data: Dataset, regions: Regions, what: str) -> Findings:
    """Make all tables.

    Of the gold standard, only likelihoods are taken. Observer by observer it has seen all others, who have made
    people's map: its misses and its order would say nothing.
    """
    judged = shares[shares["model"] != GOLD]
    by_region = with_labels(judged, regions)
    fold = {image: place % FOLDS for place, image in enumerate(data.stimuli.ids)}  # also of a part that is one fold
    has_flags = any(region.flags for region in regions)
    return Findings(
        data,
        regions,
        what,
        shares,
        by_region,
        misses(by_region, shares),
        importance(by_region),
        over_predictions(judged),
        information(shares),
        flag_gains(by_region, shares, fold) if has_flags else pd.DataFrame(),
    )
