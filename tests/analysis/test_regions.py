"""`foveal regions`: shares against a slow loop, tables of what is known, the round trip of labels, and going on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from toy import make_dataset

from foveal.analysis import regions as module
from foveal.analysis.region_choice import choose_regions
from foveal.analysis.region_findings import findings_of
from foveal.analysis.region_report import over_predicted
from foveal.analysis.region_shares import shares_of
from foveal.analysis.region_tables import (
    cells_of,
    flag_gains,
    importance,
    misses,
    over_predictions,
    united,
    with_labels,
)
from foveal.analysis.regions import find, regions
from foveal.benchmarking.entries import Entry
from foveal.benchmarking.scoring import MapBatch
from foveal.datasets.regions import read_regions, write_regions
from foveal.errors import FovealError
from foveal.gaze import Heads
from foveal.gaze.found_regions import people_map
from foveal.gaze.regions import Region, Regions
from foveal.models import load_model

SIZE = (40, 50)


@pytest.fixture(scope="module")
def data():
    return make_dataset(3, 5, 6, SIZE)


def box(image, number, left, top, right, bottom, category="", flags=""):
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) - 0.5
    return Region(image, number, corners, category, frozenset(flags))


def entry_of(log_densities, name="model"):
    def maps(images):
        yield MapBatch(list(images), torch.from_numpy(log_densities[list(images)]))

    return Entry(name, [], maps, False)


def random_log_densities(data, seed=0):
    raw = np.random.default_rng(seed).normal(size=(len(data), *SIZE))
    return (raw - np.log(np.exp(raw).sum(axis=(1, 2), keepdims=True))).astype(np.float32)


def shares_table(entry, data, regions):
    return pd.DataFrame([share for some, _ in shares_of(entry, range(len(data)), data, regions) for share in some])


def test_shares_against_a_slow_loop(data):
    densities = random_log_densities(data)
    given = Regions((box("1", 1, 5, 6, 25, 20, "text", "SG"), box("1", 2, 20, 10, 40, 30, "food", "S")))
    table = shares_table(entry_of(densities), data, given)
    table = table[table["image"] == "1"].set_index(["part", "number"])
    boxes = {1: (5, 6, 25, 20), 2: (20, 10, 40, 30)}
    parts = {("region", n): [n] for n in boxes}
    fixations = data.fixations.for_image(1)
    for key, of in parts.items():
        mass = area = n = bits = 0.0
        for y in range(SIZE[0]):
            for x in range(SIZE[1]):
                if any(boxes[i][0] <= x < boxes[i][2] and boxes[i][1] <= y < boxes[i][3] for i in of):
                    mass += np.exp(float(densities[1, y, x]))
                    area += 1 / 2000
                    here = int(((fixations.pixel_x == x) & (fixations.pixel_y == y)).sum())
                    n += here
                    bits += here * (float(densities[1, y, x]) / np.log(2) + np.log2(2000))
        row = table.loc[key]
        assert np.allclose([row["mass"], row["area"], row["n_fixations"], row["bits"]], [mass, area, n, bits])
    assert table.loc["cell", "within"].tolist() == [[1], [2], [1, 2]]


def test_regions_that_overlap_count_once(data):
    densities = random_log_densities(data)
    overlapping = (
        box("1", 1, 5, 6, 25, 20),
        box("1", 2, 20, 10, 40, 30),
        box("1", 3, 6, 6, 20, 9),
        box("0", 1, 0, 0, 9, 9),
    )
    shares = shares_table(entry_of(densities), data, Regions(overlapping))
    for numbers in ([1], [1, 2], [3, 1], [2, 3], [1, 2, 3]):
        sums = united(cells_of(shares, pd.DataFrame({"image": "1", "number": numbers})))
        mask = np.any([overlapping[number - 1].mask(SIZE) for number in numbers], axis=0)
        fixations = data.fixations.for_image(1)
        inside = mask[fixations.pixel_y, fixations.pixel_x]
        expected = [np.exp(densities[1][mask]).sum(), mask.mean(), inside.sum(), inside.mean()]
        assert np.allclose(sums.loc["1", ["mass", "area", "n_fixations", "fixations"]].tolist(), expected)
        assert len(sums) == 1


def test_the_cells_of_a_grid_share_everything(data):
    cells, _ = choose_regions(data, grid=(3, 2))
    table = shares_table(entry_of(random_log_densities(data)), data, cells)
    for _, of_image in table.groupby("image"):
        whole = of_image[of_image["part"] == "image"].iloc[0]
        parts = of_image[of_image["part"] == "region"]
        assert len(parts) == 6
        assert np.isclose(parts["mass"].sum(), 1, atol=1e-5)
        assert parts["n_fixations"].sum() == whole["n_fixations"]
        assert np.isclose(parts["area"].sum(), 1)


def test_people_themselves_miss_nothing_and_whoever_looks_elsewhere_all(data):
    found, _ = choose_regions(data)
    people = np.stack([np.log(people_map(data, i) + 1e-9) for i in range(3)])
    people = (people - np.log(np.exp(people).sum(axis=(1, 2), keepdims=True))).astype(np.float32)
    opposite = np.log(np.exp(people).max() * 1.01 - np.exp(people))
    opposite = (opposite - np.log(np.exp(opposite).sum(axis=(1, 2), keepdims=True))).astype(np.float32)
    tables = [
        shares_table(entry_of(maps), data, found).assign(model=name)
        for name, maps in (("people", people), ("opposite", opposite))
    ]
    shares = pd.concat(tables, ignore_index=True)
    rates = misses(with_labels(shares, found), shares).set_index(["model", "what"])["missed"]
    assert rates["people", "all"] == 0
    assert rates["opposite", "all"] == 1
    over = over_predictions(shares).set_index("model")
    assert over.loc["people", "pieces"] == 0
    assert over.loc["opposite", "fixations"] < 0.05 < over.loc["opposite", "pieces"]
    assert len(over_predicted(shares, "opposite")) == round(3 * over.loc["opposite", "pieces"])


def rows_of(**columns):
    n = len(columns["mass"])
    defaults = {
        "model": ["m"] * n,
        "area": [0.1] * n,
        "number": list(range(n)),
        "category": ["text"] * n,
        "flags": [""] * n,
        "people_top": [1.0] * n,
        "model_top": [1.0] * n,
        "missed": [False] * n,
        "over_predicted": [False] * n,
    }
    return pd.DataFrame({**defaults, **columns})


def test_order_is_spearmans_correlation_of_images_with_three_regions():
    rng = np.random.default_rng(0)
    image = np.repeat(["a", "b", "c"], [5, 3, 2])
    rows = rows_of(image=image, mass=rng.random(10).round(1), fixations=rng.random(10).round(1))
    [whole, text, *uniform] = importance(rows).to_dict("records")
    expected = [
        spearmanr(rows["mass"][image == name], rows["fixations"][image == name]).statistic for name in ("a", "b")
    ]
    assert np.isclose(whole["order"], np.mean(expected))
    assert whole["images"] == text["images"] == 2
    assert np.isclose(whole["order"], text["order"])
    assert [(row["model"], row["order"]) for row in uniform] == [("uniform", 0.0)] * 2  # all are of one size


def test_uniform_knows_sizes():
    rows = rows_of(image=["a"] * 3 + ["b"] * 3, mass=[0.1] * 6, fixations=[0.1, 0.2, 0.3] * 2, area=[0.2, 0.3, 0.4] * 2)
    orders = importance(rows).set_index(["model", "what"])["order"]
    assert np.isclose(orders["uniform", "all"], 1)
    assert np.isclose(orders["m", "all"], 0)
    densities = importance(rows.assign(area=[0.2, 0.3, 0.6] * 2)).set_index(["model", "what"])["density_order"]
    assert np.isclose(densities["uniform", "all"], 0)
    assert np.isclose(
        densities["m", "all"], spearmanr([0.1 / 0.2, 0.1 / 0.3, 0.1 / 0.6], [0.5, 0.2 / 0.3, 0.5]).statistic
    )


def test_rates_are_of_the_regions_that_people_put_first():
    rows = rows_of(
        image=["a", "a", "b", "b"],
        mass=[0.1] * 4,
        fixations=[0.2] * 4,
        n_fixations=[30, 10, 10, 10],
        category=["text", "food", "text", "text"],
        flags=["GA", "", "G", ""],
        people_top=[1.0, 1.0, 1.0, 0.2],
        model_top=[0.0, 1.0, 0.0, 1.0],
        missed=[True, False, True, False],
        over_predicted=[False, False, False, True],
    )
    cells = rows.assign(part="cell", within=[[number] for number in rows["number"]], bits=0.0)
    wholes = pd.DataFrame({"model": "m", "image": ["a", "b"], "part": "image", "n_fixations": [50, 40]})
    table = misses(rows, pd.concat([cells, wholes])).set_index("what")
    assert np.isclose(table.loc["all", "missed"], 2 / 3)
    assert table.loc["text", "missed"] == table.loc["acted on", "missed"] == 1
    assert table.loc["food", "missed"] == table.loc["food", "of_misses"] == 0
    assert table.loc["acted on", "of_misses"] == 30 / 40
    assert table.loc["gazed at", "of_misses"] == table.loc["all", "of_misses"] == 1
    assert table.loc["all", "over_predicted"] == 1 / 2
    assert table.loc["gazed at", "regions"] == 2
    assert (table.loc["all", "in_people_top"], table.loc["all", "in_model_top"]) == (3, 2)


def shares_of_images(n_images):
    """Three regions of 0.05, 0.05 and 0.1 of the density, with 10, 20 and 30 of 100 fixations."""
    rows = []
    for image in range(n_images):
        rows.append((f"{image}", "image", 0, 1.0, 1.0, 100, 50.0, []))
        for number, mass, n in ((1, 0.05, 10), (2, 0.05, 20), (3, 0.1, 30)):
            rows.append((f"{image}", "cell", number, mass / 2, mass, n, 1.0 * n, [number]))
    return pd.DataFrame(rows, columns=["image", "part", "number", "area", "mass", "n_fixations", "bits", "within"])


def test_a_flag_that_says_no_more_than_that_there_is_a_region_brings_nothing_beyond():
    shares = shares_of_images(20).assign(model="m")
    flags = {1: "G", 2: "GS", 3: "S"}
    regions = shares[shares["part"] == "cell"].assign(flags=lambda rows: rows["number"].map(flags))
    fold = {f"{number}": number % 10 for number in range(20)}
    gains = flag_gains(regions, shares, fold).set_index("what")
    assert np.isclose(gains.loc["gazed at", "beyond"], 0, atol=1e-6)  # half of the regions' mass, half of the fixations
    assert gains.loc["gazed at", "gain"] > 0.1
    assert gains.loc["main subject", "beyond"] > 0.01
    assert np.isnan(gains.loc["all", "beyond"])
    assert gains["deficit"].isna().all()
    better = shares.assign(
        model="gold", bits=shares["bits"] + np.where(shares["part"] == "image", 40, shares["n_fixations"] / 2)
    )
    deficits = flag_gains(regions, pd.concat([shares, better]), fold).set_index("what")["deficit"]
    assert np.allclose(deficits[["all", "gazed at", "main subject"]], [30 / 40, 15 / 40, 25 / 40])


def test_a_part_that_is_one_fold_has_folds_of_its_own():
    part = make_dataset(21, 5, 6, SIZE).select([0, 10, 20])
    given = Regions(tuple(box(image, 1, 5, 6, 25, 20, "text", "S") for image in part.stimuli.ids))
    shares = shares_table(entry_of(random_log_densities(part)), part, given).assign(model="m")
    assert (findings_of(shares, part, given, "regions").flags["gain"] != 0).all()


def test_labels_go_round(tmp_path, data):
    path = find(data, tmp_path)
    found = read_regions(path)
    assert len(found) >= 3
    assert all(not region.category for region in found)
    labelled = Regions(tuple(replace(region, category="symbol", flags=frozenset("U")) for region in found))
    write_regions(path, labelled)
    done = regions("image-signature", data, tmp_path / "out", regions=path)
    assert set(done.findings.misses["what"]) == {"all", "symbol", "unexpected there"}
    assert set(done.findings.models) == {"image-signature", "centerbias", "gold"}
    assert done.problems == []
    assert all(file.is_file() for file in done.files)
    assert {"report.html", "misses.csv", "flags.csv"} <= {file.name for file in done.files}


@pytest.fixture
def measured(monkeypatch):
    """The photographs that models are asked of, run by run."""
    seen = []
    true_shares = module.shares_of
    monkeypatch.setattr(
        module, "shares_of", lambda *args: seen.append((args[0].name, list(args[1]))) or true_shares(*args)
    )
    return seen


def test_a_second_run_measures_nothing_again(tmp_path, data, measured):
    first = regions("image-signature", data, tmp_path)
    assert {images for _, images in ((name, tuple(images)) for name, images in measured)} == {(0, 1, 2)}
    measured.clear()
    regions("image-signature", data, tmp_path, limit=1)  # what is looked at only in part is not lost
    again = regions("image-signature", data, tmp_path)
    assert measured == []
    pd.testing.assert_frame_equal(first.findings.misses, again.findings.misses)


def test_labels_may_change_and_places_are_measured_anew(tmp_path, data, measured):
    given = [box("0", 1, 5, 6, 25, 20, "text"), box("1", 1, 5, 6, 25, 20, "food", "S")]
    regions("image-signature", data, tmp_path, regions=Regions(tuple(given)))
    measured.clear()
    given[1] = replace(given[1], category="drink", flags=frozenset("GA"))
    relabelled = regions("image-signature", data, tmp_path, regions=Regions(tuple(given))).findings
    assert measured == []
    assert set(relabelled.misses["what"]) == {"all", "text", "drink", "gazed at", "acted on"}
    assert set(relabelled.flags["what"]) == {"all", "gazed at", "acted on"}
    given[0] = box("0", 1, 5, 6, 20, 20, "text")
    moved = regions("image-signature", data, tmp_path, regions=Regions(tuple(given))).findings
    assert {tuple(images) for _, images in measured} == {(0,)}
    assert set(moved.shares.loc[moved.shares["part"] == "region", "area"]) == {15 * 14 / 2000, 20 * 14 / 2000}


def test_rows_of_other_weights_are_replaced(tmp_path, data):
    model = load_model("image-signature")
    regions(model, data, tmp_path)
    with torch.no_grad():
        next(iter(model.state_dict().values())).add_(0.5)
    regions(model, data, tmp_path, limit=1)
    assert set(pd.read_parquet(tmp_path / "measured" / "image-signature.parquet")["image"]) == {"0"}


def test_the_gold_standard_has_likelihoods_only(tmp_path, data):
    found = regions("image-signature", data, tmp_path).findings
    assert "gold" in set(found.information["model"])
    for table in (found.by_region, found.misses, found.importance, found.over_predictions):
        assert "gold" not in set(table["model"])


def test_heads_are_regions(data):
    heads = tuple(Heads(np.array([[-3.0, 2, 10, 12], [20, 20, 8, 8]]), np.array([True, False])) for _ in range(3))
    chosen, what = choose_regions(replace(data, heads=heads), "heads")
    assert what == "heads"
    assert len(chosen) == 6
    assert [sorted(region.flags) for region in chosen.for_image("0")] == [["F"], []]
    assert [int(region.mask(SIZE).sum()) for region in chosen.for_image("0")] == [7 * 12, 64]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"regions": "found", "grid": (2, 2)}, "give one of them"),
        ({"regions": "heads"}, "does not say where heads are"),
        ({"grid": (51, 2)}, "a grid of 51 x 2 over 0, which has 50 x 40 px"),
        ({"regions": Regions((box("other", 1, 0, 0, 9, 9),))}, "none of the regions is in any photograph"),
        ({"regions": Regions((box("0", 4, 60, 0, 69, 9),))}, "0, region 4: its polygon lies outside"),
        ({"regions": "nowhere.csv"}, r"nowhere\.csv"),
        ({"regions": "nobody"}, "nobody: no regions of this data set come with Foveal"),
    ],
)
def test_what_is_no_choice_is_one_line(data, arguments, message):
    with pytest.raises(FovealError, match=message) as caught:
        choose_regions(data, **arguments)
    assert "\n" not in str(caught.value)
