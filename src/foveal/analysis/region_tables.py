"""Tables of what models miss: regions by category and flag, order of regions, and what flags would bring."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import rankdata

from foveal.analysis.flag_oracle import oracle
from foveal.analysis.region_shares import CELL, IMAGE, MOST, OVER, REGION
from foveal.gaze.regions import CATEGORIES, FLAGS, Regions
from foveal.metrics.bootstrap import bootstrap_interval

LEAST_IN_ORDER = 3  # regions of an image that have an order worth speaking of
ALL = "all"
GOLD, UNIFORM = "gold", "uniform"
ORDERS = ("order", "density_order")
SUMMED = ["area", "mass", "n_fixations", "bits"]
DIGITS = 6  # of a density relative to the uniform one: what differs beyond them is rounding

Rows = Sequence[dict[str, Any]]


def with_labels(shares: pd.DataFrame, regions: Regions) -> pd.DataFrame:
    """The regions among the shares, with category, flags, note, and people's share of the fixations.

    A region is `missed` if most of it lies in the top 5 % of people's map, and not most of it in the model's. It is
    `over_predicted` if it is the other way round. These thresholds are on ranks of pixels: they ask what a model puts
    first, whatever its calibration, and everything that people put first is as large as all that a model can.
    """
    labels = pd.DataFrame(
        [
            (region.image, region.number, region.category, "".join(f for f in FLAGS if f in region.flags), region.note)
            for region in regions
        ],
        columns=["image", "number", "category", "flags", "note"],
    )
    of_regions = shares[shares["part"] == REGION].merge(labels, on=["image", "number"], how="left")
    wholes = shares[shares["part"] == IMAGE][["model", "image", "n_fixations"]]
    of_regions = of_regions.merge(wholes, on=["model", "image"], suffixes=("", "_of_image"))
    of_regions["fixations"] = of_regions["n_fixations"] / of_regions["n_fixations_of_image"]
    is_peoples, is_models = of_regions["people_top"] > MOST, of_regions["model_top"] > MOST
    of_regions["missed"] = is_peoples & ~is_models
    of_regions["over_predicted"] = is_models & ~is_peoples
    columns = ["model", "image", "number", "category", "flags", "note", "area", "mass", "fixations", "n_fixations"]
    return of_regions[[*columns, "bits", "people_top", "model_top", "missed", "over_predicted"]]


def cells_of(shares: pd.DataFrame, of_regions: pd.DataFrame) -> pd.DataFrame:
    """What a model and people do in the cells of regions, a row for each region that a cell lies in.

    Parameters
    ----------
    shares
        Those of one model.
    of_regions
        Regions by image and number; their other columns are joined to what is in the cells.
    """
    cells = shares[shares["part"] == CELL].rename(columns={"number": "cell", "within": "number"}).explode("number")
    cells = cells[["image", "cell", "number", *SUMMED]].astype({"number": int})
    labels = of_regions[["image", "number", *of_regions.columns.intersection(["category", "flags", "missed"])]]
    wholes = _wholes(shares)["n_fixations"].rename("n_of_image")
    cells = cells.merge(labels, on=["image", "number"]).join(wholes, on="image")
    return cells.assign(fixations=cells["n_fixations"] / cells["n_of_image"])


def united(cells: pd.DataFrame) -> pd.DataFrame:
    """Sums over the union of the regions that these are the cells of, by image; what lies in several counts once.

    The columns are area, mass, n_fixations, bits, and fixations (share of the image's).
    """
    return cells.drop_duplicates(["image", "cell"]).groupby("image")[[*SUMMED, "fixations"]].sum()


def misses(of_regions: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Rate of misses of every model, of all regions, by category and by flag, with 95 % intervals over images.

    Columns: model, `what` (all, a category, or a flag in words), regions and images that it is of, in_people_top and
    in_model_top (how many regions mostly lie in the top 5 %), missed (share of those in people's top that the model
    misses), of_misses (of the fixations in all that the model misses, the share in these), mass and fixations (mean
    share a region), and over_predicted (share of those in the model's top that are not in people's).
    """
    rows = []
    for model, of_model in of_regions.groupby("model", sort=False):
        cells = cells_of(shares[shares["model"] == model], of_model)
        fixations_missed = {what: united(part)["n_fixations"].sum() for what, part in _kinds(cells[cells["missed"]])}
        for what, part in _kinds(of_model):
            hot, models = part[part["people_top"] > MOST], part[part["model_top"] > MOST]
            missed, low, high = _rate(hot, "missed")
            over, over_low, over_high = _rate(models, "over_predicted")
            rows.append(
                {
                    "model": model,
                    "what": what,
                    "regions": len(part),
                    "images": part["image"].nunique(),
                    "in_people_top": len(hot),
                    "in_model_top": len(models),
                    "missed": missed,
                    "missed_low": low,
                    "missed_high": high,
                    "of_misses": fixations_missed.get(what, 0) / max(1, fixations_missed.get(ALL, 0)),
                    "mass": part["mass"].mean(),
                    "fixations": part["fixations"].mean(),
                    "over_predicted": over,
                    "over_predicted_low": over_low,
                    "over_predicted_high": over_high,
                }
            )
    return pd.DataFrame(rows)


def importance(of_regions: pd.DataFrame) -> pd.DataFrame:
    """Does a model put the regions of a photograph in people's order? Spearman's correlation, the mean over images.

    Of all regions, and of those of one category, of the photographs with three or more; a model that says the same of
    all has no order, and 0. Columns: `order` is that of mass and share of the fixations, `density_order` that of both
    per pixel. `uniform` is always there: larger regions have more fixations, and it knows no more.
    """
    if UNIFORM not in set(of_regions["model"]):
        areas = of_regions.drop_duplicates(["image", "number"])
        of_regions = pd.concat([of_regions, areas.assign(model=UNIFORM, mass=areas["area"])])
    rows = []
    for model, of_model in of_regions.groupby("model", sort=False):
        for what, part in _kinds(of_model, flags=False):
            orders = np.array(
                [_orders(of_image) for _, of_image in part.groupby("image") if len(of_image) >= LEAST_IN_ORDER]
            ).reshape(-1, len(ORDERS))
            orders = orders[np.isfinite(orders).all(axis=1)]
            if len(orders) > 1:
                row: dict[str, Any] = {"model": model, "what": what, "images": len(orders)}
                for name, values in zip(ORDERS, orders.T, strict=True):
                    low, high = bootstrap_interval(_mean, values)
                    row |= {name: values.mean(), f"{name}_low": low, f"{name}_high": high}
                rows.append(row)
    columns = ["model", "what", "images", *(name + end for name in ORDERS for end in ("", "_low", "_high"))]
    return pd.DataFrame(rows, columns=columns)


def over_predictions(shares: pd.DataFrame) -> pd.DataFrame:
    """Pieces of each model's top 5 % that people look at little: how many an image, their mass, and their fixations."""
    rows = []
    for model, of_model in shares.groupby("model", sort=False):
        wholes = _wholes(of_model)
        by_image = of_model[of_model["part"] == OVER].groupby("image")
        each = wholes[[]].assign(pieces=by_image.size(), mass=by_image["mass"].sum(), n=by_image["n_fixations"].sum())
        each = each.fillna(0.0)
        fixations = each["n"] / wholes["n_fixations"]
        row: dict[str, Any] = {"model": model, "images": len(wholes)}
        for name, values in (("pieces", each["pieces"]), ("mass", each["mass"]), ("fixations", fixations)):
            low, high = bootstrap_interval(_mean, values.to_numpy(np.float64))
            row |= {name: values.mean(), f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def flag_gains(of_regions: pd.DataFrame, shares: pd.DataFrame, fold: Mapping[str, int]) -> pd.DataFrame:
    """What lies in regions of each flag, and what an oracle of the flag would bring to each model (see `flag_oracle`).

    Columns: area and fixations (mean share of an image), deficit (share of all that the model explains less than the
    gold standard, in bit, that it lacks at fixations there; NaN if it explains as much), factor and gain (bit per
    fixation, with interval), and `beyond`: what the flag brings to a model that has been told all regions, flagged or
    not. Regions are places where people look much, whatever their flags. So only `beyond` is due to the flag itself.
    """
    gold = shares[shares["model"] == GOLD]
    rows = []
    for model, of_model in of_regions.groupby("model", sort=False):
        its_shares = shares[shares["model"] == model]
        wholes = _wholes(its_shares)
        folds = np.array([fold[image] for image in wholes.index])
        cells, cells_of_gold = cells_of(its_shares, of_model), cells_of(gold, of_model)
        union = _parts(united(cells), wholes)
        told = oracle(union["mass"], union["fixations"], folds)
        parts_of_gold = dict(_kinds(cells_of_gold, categories=False))
        for what, part in _kinds(cells, categories=False):
            sums = united(part)
            flagged = _parts(sums, wholes)
            alone = oracle(flagged["mass"], flagged["fixations"], folds)
            both = {name: np.hstack([union[name] - flagged[name], flagged[name]]) for name in ("mass", "fixations")}
            row = {"model": model, "what": what, "images": len(sums)}
            row |= {"area": float(flagged["area"].mean()), "fixations": float(flagged["fixations"].mean())}
            there = united(parts_of_gold.get(what, cells_of_gold))["bits"] - sums["bits"]
            row |= _deficit(_wholes(gold)["bits"] - wholes["bits"], there)
            row["factor"] = float(alone.factors[0])
            beyond = oracle(both["mass"], both["fixations"], folds).gain - told.gain if what != ALL else None
            for name, gain in (("gain", alone.gain), ("beyond", beyond)):
                low, high = (np.nan, np.nan) if gain is None else bootstrap_interval(_mean, gain)
                mean = np.nan if gain is None else gain.mean()
                row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
            rows.append(row)
    return pd.DataFrame(rows)


def information(shares: pd.DataFrame) -> pd.DataFrame:
    """What every model explains, in bit per fixation above the uniform density: the mean over images."""
    rows = []
    for model, of_model in shares[shares["part"] == IMAGE].groupby("model", sort=False):
        per_image = (of_model["bits"] / of_model["n_fixations"]).to_numpy()
        low, high = bootstrap_interval(_mean, per_image)
        rows.append({"model": model, "LL": per_image.mean(), "LL_low": low, "LL_high": high})
    return pd.DataFrame(rows)


def _kinds(rows: pd.DataFrame, *, categories: bool = True, flags: bool = True) -> list[tuple[str, pd.DataFrame]]:
    """Rows of all regions, of those of each category, and of those with each flag, as far as there are any."""
    kinds = [(ALL, rows)]
    if categories:
        kinds += [(category, rows[rows["category"] == category]) for category in CATEGORIES]
    if flags:
        kinds += [(words, rows[rows["flags"].str.contains(flag)]) for flag, words in FLAGS.items()]
    return [(what, part) for what, part in kinds if len(part)]


def _rate(part: pd.DataFrame, column: str) -> tuple[float, float, float]:
    """Share of the regions for which it is so, and its interval over images."""
    if part.empty:
        return np.nan, np.nan, np.nan
    by_image = part.groupby("image")[column]
    low, high = bootstrap_interval(
        lambda true, n: true.sum(axis=-1) / n.sum(axis=-1),
        by_image.sum().to_numpy(np.float64),
        by_image.size().to_numpy(np.float64),
    )
    return float(part[column].mean()), low, high


def _orders(regions: pd.DataFrame) -> list[float]:
    """Spearman's correlations of what a model gives to an image's regions and what people do: in all, and per pixel."""
    predicted, measured, area = (regions[name].to_numpy(np.float64) for name in ("mass", "fixations", "area"))
    return [_spearman(predicted, measured), _spearman((predicted / area).round(DIGITS), measured / area)]


def _spearman(predicted: Float[np.ndarray, " region"], measured: Float[np.ndarray, " region"]) -> float:
    """Correlation of the ranks; NaN if people made no difference, 0 if only the model makes none."""
    if len(np.unique(measured)) == 1:
        return np.nan
    if len(np.unique(predicted)) == 1:
        return 0.0
    return float(np.corrcoef(rankdata(predicted), rankdata(measured))[0, 1])


def _wholes(shares: pd.DataFrame) -> pd.DataFrame:
    """The shares of whole images, by image."""
    return shares[shares["part"] == IMAGE].set_index("image")


def _parts(sums: pd.DataFrame, wholes: pd.DataFrame) -> dict[str, Float[np.ndarray, "image 1"]]:
    """Shares of area, mass and fixations in every image; 0 where an image has no region."""
    of_all = sums.reindex(wholes.index).fillna(0.0)
    return {name: of_all[name].to_numpy(np.float64)[:, None] for name in ("area", "mass", "fixations")}


def _deficit(lacking: pd.Series, there: pd.Series) -> dict[str, float]:
    """Share of the bits that a model lacks to the gold standard that it lacks in some regions, with its interval.

    NaN without a gold standard, or if nothing is lacking.
    """
    whole = lacking.dropna()
    part = there.reindex(whole.index).fillna(0.0)
    if whole.sum() <= 0:
        return dict.fromkeys(("deficit", "deficit_low", "deficit_high"), np.nan)
    low, high = bootstrap_interval(
        lambda some, all_: some.sum(axis=-1) / all_.sum(axis=-1), part.to_numpy(float), whole.to_numpy(float)
    )
    return {"deficit": float(part.sum() / whole.sum()), "deficit_low": low, "deficit_high": high}


def _mean(values: Float[np.ndarray, "*resample image"]) -> Float[np.ndarray, "*resample"]:
    return values.mean(axis=-1)
