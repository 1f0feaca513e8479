"""What associations of maps with regions say by category: Tables 2 and 3 of the paper, and its tests of difference."""

from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import stats

from foveal.analysis.dissect_values import maps_of
from foveal.gaze.regions import CATEGORIES

TOP = 10  # maps that are averaged (section 4.3)
THRESHOLD = 1.5  # mean NSS of a map that answers to a category (Tables 2 and 3)
FEWEST = 2  # regions of a category that can be compared with others
OF_ALL = ["F", "p", "between", "within"]  # columns of an analysis of variance; the last two are degrees of freedom
OF_PAIRS = ["a", "b", "difference", "p", "low", "high", "is_sure"]  # of comparisons; the difference is b − a

Associations = Mapping[tuple[str, str], pd.DataFrame]  # by network and layer; see `association_tables`


class Comparison(NamedTuple):
    """How the categories of a table differ: of all, and of each two of them."""

    anova: pd.DataFrame
    pairs: pd.DataFrame


def map_means(table: pd.DataFrame) -> pd.DataFrame:
    """Mean association of every map (columns) over the regions of every category (rows), in the order of the paper."""
    values = table.drop(columns=["image", "region"]).groupby("category").mean()
    return values.reindex([category for category in CATEGORIES if category in values.index]).astype(np.float64)


def top_means(means: pd.DataFrame, top: int = TOP) -> pd.Series:
    """Mean of each category's maps of highest mean."""
    return pd.Series(np.sort(means.to_numpy(), axis=1)[:, -top:].mean(axis=1), index=means.index)


def held_out_values(table: pd.DataFrame) -> Float[np.ndarray, " region"]:
    """Of each region, the mean association of the ten maps that answer most to its category elsewhere.

    The best of hundreds of maps are better by chance on the regions that they were chosen on, and most of categories
    with few regions. So those of every second image by name are chosen on the other images. NaN where these have no
    region of the category.
    """
    half = table["image"].map({image: i % 2 for i, image in enumerate(sorted(set(table["image"])))}).to_numpy()
    values, found = maps_of(table), np.full(len(table), np.nan)
    for chosen_on in (0, 1):
        for category, means in map_means(table[half == chosen_on]).iterrows():
            regions = (half != chosen_on) & (table["category"] == category).to_numpy()
            found[regions] = values[regions][:, np.argsort(-means.to_numpy(), kind="stable")[:TOP]].mean(axis=1)
    return found


def held_out_top_means(table: pd.DataFrame) -> pd.Series:
    """As `top_means`, by `held_out_values`: NaN of a category whose regions are all in one half of the images."""
    by_category = pd.Series(held_out_values(table)).groupby(table["category"].to_numpy()).mean()
    return by_category.reindex([category for category in CATEGORIES if category in by_category.index])


def summary_tables(associations: Associations) -> dict[str, pd.DataFrame]:
    """Tables by network, layer and category.

    "top_ten": mean of the top ten maps. "held_out": the same by `held_out_top_means`. "above_threshold": number of maps
    with a mean above 1.5. "improvements": of "top_ten", over the first network at the same layer, where there are
    several. "top_maps": each of the top ten, with its mean.
    """
    rows: dict[str, list[dict[Hashable, object]]] = {name: [] for name in ("top_ten", "held_out", "above_threshold")}
    top_maps = []
    for (network, layer), table in associations.items():
        place: dict[Hashable, object] = {"network": network, "layer": layer}
        means = map_means(table)
        rows["top_ten"].append(place | top_means(means).to_dict())
        rows["held_out"].append(place | held_out_top_means(table).to_dict())
        rows["above_threshold"].append(place | (means > THRESHOLD).sum(axis=1).to_dict())
        for category, of_maps in means.iterrows():
            ranked = of_maps.sort_values(ascending=False, kind="stable")[:TOP]
            top_maps += [
                place | {"category": category, "rank": rank, "map": int(str(number)), "mean_nss": value}
                for rank, (number, value) in enumerate(ranked.items(), start=1)
            ]
    tables = {name: _in_order(pd.DataFrame(of_name)) for name, of_name in rows.items()}
    improved = improvements(tables["top_ten"])
    return tables | {"top_maps": pd.DataFrame(top_maps)} | ({} if improved.empty else {"improvements": improved})


def improvements(top_ten: pd.DataFrame) -> pd.DataFrame:
    """By how much each other network's values are above those of the first at the same layer (Fig. 4)."""
    base = top_ten[top_ten["network"] == top_ten["network"].iloc[0]].set_index("layer").drop(columns="network")
    others = top_ten[(top_ten["network"] != top_ten["network"].iloc[0]) & top_ten["layer"].isin(base.index)]
    categories = list(base.columns)
    gains = others[categories].to_numpy() - base.loc[others["layer"], categories].to_numpy()
    return pd.concat(
        [others[["network", "layer"]].reset_index(drop=True), pd.DataFrame(gains, columns=categories)], axis=1
    )


def compared(values: Float[np.ndarray, " region"], categories: pd.Series) -> Comparison:
    """One-way analysis of variance over the categories, and Tukey's comparison of each two of them.

    Regions whose value is NaN are left out, then categories with one region. With fewer than two categories there is
    nothing to compare, and both tables are empty. Regions of one image are taken as independent, as in the paper.
    """
    values, categories = values[~np.isnan(values)], categories[~np.isnan(values)]
    counts = categories.value_counts()
    names = [name for name in CATEGORIES if counts.get(name, 0) >= FEWEST]
    if len(names) < 2:
        return Comparison(pd.DataFrame(columns=OF_ALL), pd.DataFrame(columns=OF_PAIRS))
    from statsmodels.stats.multicomp import pairwise_tukeyhsd  # a second of imports

    kept = categories.isin(names).to_numpy()
    of_each = [values[(categories == name).to_numpy()] for name in names]
    f, p = stats.f_oneway(*of_each)
    tukey = pairwise_tukeyhsd(values[kept], categories[kept].to_numpy())
    pairs = pd.DataFrame(tukey.summary().data[1:], columns=OF_PAIRS)
    exact = {"difference": tukey.meandiffs, "p": tukey.pvalues, "low": tukey.confint[:, 0], "high": tukey.confint[:, 1]}
    anova = pd.DataFrame([(f, p, len(names) - 1, int(kept.sum()) - len(names))], columns=OF_ALL)
    return Comparison(anova, pairs.assign(**exact))


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Categories in the order of the paper; those that some networks have no regions of are empty there."""
    return table[["network", "layer", *(category for category in CATEGORIES if category in table)]]
