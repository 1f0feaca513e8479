"""Make the tables and the figure of docs/regions.md from folders that `foveal regions` wrote.

python docs/assets/make_regions.py osie=regions crowd=crowd text=text     # the page says how these were made

Writes docs/results/regions.json and docs/assets/regions_missed.webp, and prints the tables.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure
from PIL import Image

from foveal.metrics.bootstrap import bootstrap_interval

DOCS = Path(__file__).parents[1]
TABLES = ("information", "misses", "importance", "flags")
DIGITS = 4
KINDS = ("all", "person_head", "object", "text", "face inside", "gazed at", "acted on", "in an action", "main subject")
GROUPS = {  # what is asked, of which regions: those of a kind against the others
    "has a face": ("F", False),
    "gazed at": ("G", False),
    "acted on": ("A", False),
    "in an action": ("P", False),
    "in an action, no face": ("P", True),
    "acted on, no face": ("A", True),
    "main subject": ("S", False),
    "text": ("text", False),
    "text, no face": ("text", True),
    "object": ("object", False),
}


def main(*folders: str) -> None:
    """Join the tables, draw, and print."""
    runs = {name: Path(folder) for name, folder in (given.split("=", 1) for given in folders)}
    tables = {
        run: {
            name: pd.read_csv(folder / f"{name}.csv").round(DIGITS)
            for name in TABLES
            if (folder / f"{name}.csv").is_file()
        }
        for run, folder in runs.items()
    }
    content = {
        run: {name: json.loads(table.to_json(orient="split", index=False)) for name, table in of_run.items()}
        for run, of_run in tables.items()
    }
    (DOCS / "results" / "regions.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")
    regions = pd.read_csv(runs["osie"] / "regions.csv", keep_default_na=False)
    differences = pd.DataFrame(
        [
            {"model": name, **_difference(regions[regions["model"].isin(models)], group)}
            for name, models in _series(regions).items()
            for group in GROUPS
        ]
    )
    _draw(differences)
    _print_overview(tables["osie"])
    _print_kinds(tables["osie"]["misses"])
    print(
        _markdown(differences.pivot_table("text", "regions", "model", aggfunc="first").loc[list(GROUPS)].reset_index())
    )
    for of_run in tables.values():
        print(_markdown(_orders(of_run["importance"])))
        if "flags" in of_run:
            print(_markdown(_flags(of_run["flags"])))


def _series(regions: pd.DataFrame) -> dict[str, list[str]]:
    """The models whose misses are compared; the small networks together, of which none was trained on these."""
    lite = [model for model in regions["model"].unique() if model.endswith("-lite")]
    return {"bms": ["bms"], "deepgaze1": ["deepgaze1"], f"{len(lite)} networks, held out": lite}


def _difference(regions: pd.DataFrame, group: str) -> dict[str, object]:
    """Rate of misses in a group of regions, in all others, and the difference with its interval over photographs."""
    what, without_faces = GROUPS[group]
    judged = regions[(regions["people_top"] > 0.5) & ~(regions["flags"].str.contains("F") & without_faces)]
    inside = judged["category"] == what if len(what) > 1 else judged["flags"].str.contains(what)
    rates = [_rate_by_image(judged, mask) for mask in (inside, ~inside)]
    columns = [column for rate in rates for column in rate]
    low, high = bootstrap_interval(lambda a, n, b, m: a.sum(-1) / n.sum(-1) - b.sum(-1) / m.sum(-1), *columns)
    within, others = (missed.sum() / n.sum() for missed, n in rates)
    text = f"{within:.2f} − {others:.2f} = {within - others:+.2f} ({low:+.2f} … {high:+.2f})"
    number = len(judged[inside].drop_duplicates(["image", "number"]))
    return {"regions": group, "number": number, "difference": within - others, "low": low, "high": high, "text": text}


def _rate_by_image(regions: pd.DataFrame, mask: pd.Series) -> list[Float[np.ndarray, " image"]]:
    by_image = (regions["missed"] & mask).groupby(regions["image"]).sum(), mask.groupby(regions["image"]).sum()
    return [column.to_numpy(np.float64) for column in by_image]


def _draw(differences: pd.DataFrame) -> None:
    """A point with its interval for each group and series: how much more often it is missed than other regions."""
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.add_subplot()
    names = list(differences["model"].unique())
    for shift, (name, color) in enumerate(zip(names, ("#b07aa1", "#4e79a7", "#e15759"), strict=True)):
        rows = differences[differences["model"] == name].set_index("regions").loc[list(GROUPS)]
        y = -np.arange(len(rows)) - 0.22 * (shift - 1)
        errors = [rows["difference"] - rows["low"], rows["high"] - rows["difference"]]
        axes.errorbar(rows["difference"], y, xerr=errors, fmt="o", color=color, ms=5, lw=1.4, label=name)
    number = differences.drop_duplicates("regions").set_index("regions")["number"]
    axes.set_yticks(-np.arange(len(GROUPS)), [f"{group} ({number[group]})" for group in GROUPS])
    axes.axvline(0, color="#888888", lw=0.8)
    axes.set_xlabel("share missed, minus that of the other regions (95 % intervals over photographs)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=120)
    Image.open(drawn).convert("RGB").save(DOCS / "assets" / "regions_missed.webp", quality=85)


def _print_overview(tables: dict[str, pd.DataFrame]) -> None:
    order = tables["importance"][tables["importance"]["what"] == "all"]
    missed = tables["misses"][tables["misses"]["what"] == "all"]
    rows = tables["information"].merge(missed, on="model", how="outer").merge(order, on="model", how="outer")
    rows = rows.sort_values("missed", na_position="last")
    print(_markdown(_with_intervals(rows, ["model"], ["LL", "missed", "order", "density_order"])))


def _print_kinds(misses: pd.DataFrame) -> None:
    wide = misses.pivot_table("missed", "model", "what")[list(KINDS)].sort_values("all")
    print(_markdown(wide.map("{:.2f}".format).reset_index()))
    print(misses.drop_duplicates("what").set_index("what")["in_people_top"].to_dict())


def _orders(importance: pd.DataFrame) -> pd.DataFrame:
    rows = importance[importance["what"].isin(["all", "text", "object"]) & (importance["images"] >= 10)]
    return _with_intervals(rows.sort_values("what"), ["what", "images", "model"], ["order", "density_order"])


def _flags(flags: pd.DataFrame) -> pd.DataFrame:
    return _with_intervals(flags, ["model", "what", "area", "fixations"], ["deficit", "gain", "beyond"], digits=3)


def _with_intervals(rows: pd.DataFrame, names: list[str], values: list[str], digits: int = 2) -> pd.DataFrame:
    """Some columns as they are, and others with their intervals in one cell."""
    shown = rows[names].copy()
    for value in values:
        cells = rows[[value, f"{value}_low", f"{value}_high"]].to_numpy()
        shown[value] = [
            "" if np.isnan(cell[0]) else "{:.{d}f} ({:.{d}f} … {:.{d}f})".format(*cell, d=digits) for cell in cells
        ]
    return shown


def _markdown(table: pd.DataFrame) -> str:
    head = [list(table.columns), ["---"] * table.shape[1]]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in [*head, *table.to_numpy().tolist()])


if __name__ == "__main__":
    main(*sys.argv[1:])
