"""Fit and judge the probability that a region is looked at within the first fixations (foveal.analysis.being_seen).

    python benchmarks/being_seen.py

Regions are those that nobody chose for being looked at: boxes at random, from .2 to 30 % of the picture, and all heads
of EyeCrowd. Shares are of small networks on every tenth photograph of OSIE, EyeCrowd and Scene, which they were not
trained on. Fixations count from the first that the observer chose: that from before the picture is left out. What is
shipped is fitted to all of these. It is judged twice: on photographs that it was not fitted to (five parts), and with
foveal-s on boxes in every seventh photograph of MIT1003, of which neither has seen any. OSIE's labelled regions are
judged as well. They were found by where people look, so that more of them are seen.

Writes src/foveal/analysis/being_seen.json, docs/results/being-seen.json and docs/assets/being_seen.png.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from foveal import load_dataset, load_model
from foveal.analysis.being_seen import INTERVAL, SeenModel, counted, fit_being_seen, independent
from foveal.datasets.picture_regions import PictureRegion
from foveal.datasets.regions import regions_of
from foveal.errors import FovealError
from foveal.files import write_atomically
from foveal.gaze import Dataset
from foveal.gaze.folds import held_out_images
from foveal.models import SaliencyModel

NETWORKS = ("unisal-lite", "deepgaze2-lite")
FITTED = ("osie", "eyecrowd", "scene")
BOXES, SMALLEST, LARGEST = 12, 0.002, 0.3  # a photograph; shares of its area
PARTS = 5
FIXATIONS = (1, 3, 5, 10)
TOLD, ENOUGH = (0.05, 0.95), 12  # probabilities and observers of regions whose intervals are judged
FEWEST = 300  # observations in a tenth that says anything
ROOT = Path(__file__).parents[1]
KINDS = {"box": "boxes at random", "head": "heads of EyeCrowd", "labelled": "labelled regions of OSIE"}


def regions(data: Dataset, image: int, rng: np.random.Generator) -> Iterator[tuple[str, PictureRegion]]:
    """Kind and region."""
    stimulus = data.stimuli[image]
    if data.name == "osie":
        for region in regions_of("osie").for_image(stimulus.id):
            yield "labelled", PictureRegion("labelled", (region.polygon,))
    if data.heads:
        for box in data.heads[image].boxes:
            yield "head", PictureRegion.box("head", *map(float, box))
    height, width = stimulus.size
    for _ in range(BOXES):
        area, slim = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))), np.exp(rng.uniform(-0.5, 0.5))
        across, down = min(1.0, np.sqrt(area) * slim) * width, min(1.0, np.sqrt(area) / slim) * height
        x, y = rng.uniform(0, width - across), rng.uniform(0, height - down)
        yield "box", PictureRegion.box("box", float(x), float(y), float(across), float(down))


def observed(model: SaliencyModel, data: Dataset, images: Sequence[int]) -> pd.DataFrame:
    """One row for each region and observer: see `fit_being_seen`; with kind and image."""
    rng = np.random.default_rng(0)
    rows = []
    for image in images:
        fixations, stimulus = data.fixations.for_image(image).drop_first(), data.stimuli[image]
        density = model.log_density_of([stimulus.image], stimulus.known_pixels_per_degree)[0].double().exp().numpy()
        paths = pd.DataFrame(
            {"subject": fixations.subject, "order": fixations.order, "x": fixations.pixel_x, "y": fixations.pixel_y}
        ).sort_values(["subject", "order"])
        for number, (kind, region) in enumerate(regions(data, image, rng)):
            try:
                at = region.pixels(stimulus.size)
            except FovealError:  # a head beyond the border
                continue
            mask = np.zeros(stimulus.size, bool)
            mask[at] = True
            inside = mask[paths["y"], paths["x"]]
            for _, of_one in pd.Series(inside).groupby(paths["subject"].to_numpy()):
                first = int(of_one.to_numpy().argmax()) + 1 if of_one.any() else 0
                rows.append((image, number, kind, density[at].sum(), mask.mean(), len(of_one), first))
    table = pd.DataFrame(rows, columns=["image", "region", "kind", "share", "area", "n", "first"])
    table["region"] = f"{model.name} {data.name} " + table["image"].astype(str) + " " + table["region"].astype(str)
    return table.assign(data=data.name, model=model.name)


def fit(table: pd.DataFrame) -> SeenModel:
    """To boxes and heads, which count the same together."""
    unchosen = table[table["kind"] != "labelled"]
    return fit_being_seen(unchosen.assign(weight=len(unchosen) / unchosen.groupby("kind")["n"].transform("size")))


def judged(model: SeenModel, table: pd.DataFrame) -> pd.DataFrame:
    """One row for each region and number of fixations: measured and independent probability, observers, seen."""
    kind = table.groupby("region")["kind"].first()
    parts = []
    for n in FIXATIONS:
        of_n = counted(table.assign(weight=1.0), n)
        share = of_n["share"].to_numpy()
        probability = model.probability(share, of_n["area"].to_numpy(), n)
        low, high = model.interval(probability, n)
        is_inside = (of_n["seen"] / of_n["observers"]).between(low, high)
        parts.append(
            of_n.assign(n=n, kind=kind, measured=probability, independent=independent(share, n), is_inside=is_inside)
        )
    return pd.concat(parts)


def reliability(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """By kind, number of fixations and tenth of the probability: mean of it, share of observers, how many."""
    tenth = np.minimum((table[by] * 10).astype(int), 9)
    rows = []
    for (kind, n, number), some in table.groupby([table["kind"], table["n"], tenth]):
        observers = some["observers"].sum()
        if observers >= FEWEST:
            said = float(np.average(some[by], weights=some["observers"]))
            seen = float(some["seen"].sum() / observers)
            rows.append(
                {"kind": kind, "n": n, "tenth": int(number), "said": said, "seen": seen, "observers": int(observers)}
            )
    return pd.DataFrame(rows).assign(by=by)


def coverage(table: pd.DataFrame) -> pd.DataFrame:
    """By kind and number of fixations: for how many regions the observers' share lies in the interval."""
    told = table[table["measured"].between(*TOLD) & (table["observers"] >= ENOUGH)]
    found = told.groupby(["kind", "n"])["is_inside"].agg(["mean", "size"]).reset_index()
    found = found.rename(columns={"mean": "seen", "size": "regions"})
    return found.assign(by="interval", said=INTERVAL)


def draw(results: pd.DataFrame) -> None:
    """A panel for each number of fixations: what was seen by what was said."""
    figure, axes = plt.subplots(2, len(FIXATIONS), figsize=(12, 4.8), sharex=True, sharey=True, layout="constrained")
    for row, by in zip(axes, ("measured", "independent"), strict=True):
        for ax, n in zip(row, FIXATIONS, strict=True):
            ax.plot([0, 1], [0, 1], color="0.75", linewidth=1)
            for (kind, photographs), some in results[(results["n"] == n) & (results["by"] == by)].groupby(
                ["kind", "photographs"]
            ):
                label = f"{KINDS[kind]}, MIT1003, foveal-s" if photographs == "mit1003" else KINDS[kind]
                ax.plot(some["said"], some["seen"], "o-", markersize=3, linewidth=1, label=label)
            ax.set_title(f"within {n} fixation{'s' * (n > 1)}" if by == "measured" else "", fontsize=10)
            ax.set_aspect("equal")
        row[0].set_ylabel("as Foveal says" if by == "measured" else "if independent")
    figure.supylabel("share of observers who looked", fontsize=10)
    figure.supxlabel("probability", fontsize=10)
    of_label = dict(zip(*axes[0, 1].get_legend_handles_labels()[::-1], strict=True))
    figure.legend(of_label.values(), of_label, loc="outside right center", frameon=False, fontsize=9)
    with write_atomically(ROOT / "docs/assets/being_seen.png") as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def main() -> None:
    """Collect, fit, judge, write."""
    tables = []
    for name in FITTED:
        data = load_dataset(name).looked_at()
        tables += [observed(load_model(network), data, held_out_images(data, 0).tolist()) for network in NETWORKS]
    table = pd.concat(tables, ignore_index=True)
    part = table["image"] // 10 % PARTS
    held_out = pd.concat([judged(fit(table[part != one]), table[part == one]) for one in range(PARTS)])
    shipped = fit(table)
    with write_atomically(ROOT / "src/foveal/analysis/being_seen.json") as temporary:
        temporary.write_text(
            json.dumps({name: np.round(value, 4).tolist() for name, value in shipped.to_dict().items()}) + "\n"
        )

    others = load_dataset("mit1003").looked_at()
    zero_shot = judged(shipped, observed(load_model("foveal-s"), others, list(range(0, len(others), 7))))
    results = pd.concat(
        reliability(of_one, by).assign(photographs=name)
        for name, of_one in (("held out", held_out), ("mit1003", zero_shot))
        for by in ("measured", "independent")
    )
    intervals = pd.concat(
        coverage(of_one).assign(photographs=name) for name, of_one in (("held out", held_out), ("mit1003", zero_shot))
    )
    rows = [*results.round(4).to_dict("records"), *intervals.round(4).to_dict("records")]
    with write_atomically(ROOT / "docs/results/being-seen.json") as temporary:
        temporary.write_text(json.dumps(rows, indent=2) + "\n")
    draw(results)
    off = (results["said"] - results["seen"]).abs()
    print(
        off.groupby([results["photographs"], results["kind"], results["by"]]).agg(["mean", "max"]).round(3).to_string()
    )


if __name__ == "__main__":
    main()
