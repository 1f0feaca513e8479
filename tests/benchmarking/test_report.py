"""The report: what is shown of results that are made up here."""

import re

import numpy as np
import pandas as pd
import pytest

from foveal.benchmarking.report import Section, best_model, extreme_images, write_report
from foveal.benchmarking.results import Results, digits_of, in_order, short_names
from foveal.gaze import Dataset, Fixations, Stimuli

N = 12


def results_of(models, **columns):
    """Made-up values by image, each model a little better than the one before, by a constant."""
    tables = []
    for k, model in enumerate(models):
        values = {name: np.linspace(*ends, N) + 0.01 * k for name, ends in columns.items()}
        tables.append(pd.DataFrame({"model": model, "dataset": "d", "image": [f"{i}.png" for i in range(N)], **values}))
    return Results.of(pd.concat(tables), list(columns), [], 0)


def page_of(results, columns, path, *, best, n_trained_on=None, n_examples=0, categories=()):
    photographs = [np.full((12, 16, 3), 100, np.uint8)] * N
    stimuli = Stimuli(photographs, [f"{i}.png" for i in range(N)], 4.0)
    data = Dataset("d", stimuli, Fixations.of(range(N), [5.0] * N, [5.0] * N), categories=categories)
    flat = np.full((12, 16), -np.log(12 * 16), np.float32)
    models = list(dict.fromkeys(results["model"]))
    examples = {image: dict.fromkeys(models, flat) for image in range(n_examples)}
    section = Section(data, examples, n_trained_on or {}, best, {0: {best: flat}, N - 1: {best: flat}})
    write_report(results, [section], columns, path / "report.html")
    return (path / "report.html").read_text(encoding="utf-8")


def heads_of(page):
    return re.findall(r"<button>(.*?)</button>", page[: page.index("</thead>")])[1:]


def test_columns_stand_in_the_order_asked_for(tmp_path):
    results = results_of(["a", "b"], NSS=(1, 2), AUC=(0.7, 0.9), IG=(0, 1))
    assert heads_of(page_of(results, ["NSS", "AUC", "IG"], tmp_path, best="b")) == ["NSS", "AUC", "IG"]
    assert heads_of(page_of(results, in_order("all"), tmp_path, best="b")) == ["IG", "AUC", "NSS"]


def test_every_metric_is_explained_with_unit_chance_and_direction(tmp_path):
    page = page_of(results_of(["a"], KL=(1, 2), AUC=(0.7, 0.9)), ["KL", "AUC"], tmp_path, best="a")
    head = page[: page.index("</thead>")]
    assert re.findall("[↑↓]</span>", head) == ["↓</span>", "↑</span>"]
    assert "<small>nat</small>" in head
    assert "chance 0.5" in head
    assert "How often a fixated pixel has a higher value than any pixel drawn at random." in page
    assert "Differences from" not in page  # of one model


def test_differences_are_paired_and_from_the_best_model(tmp_path):
    """Images differ by much, models by 0.01 everywhere: the interval of the difference has no width."""
    page = page_of(results_of(["a", "b"], AUC=(0.6, 0.9)), ["AUC"], tmp_path, best="b")
    table = page[page.index("Differences from") :]
    assert float(re.search(r'data-value="([^"]+)"', table)[1]) == pytest.approx(-0.01)
    assert 'class="unsure"' not in table


def test_the_best_model_is_no_yardstick():
    table = results_of(["a", "b", "gold"], IG=(0, 1))
    assert best_model(table, "IG") == "b"
    assert best_model(table[table.model == "gold"], "IG") == "gold"
    assert best_model(results_of(["a", "b"], KL=(1, 2)), "KL") == "a"


def test_best_and_worst_images():
    per_image = results_of(["a"], IG=(0, 1)).per_image
    assert extreme_images(per_image, "IG") == ["11.png", "10.png", "9.png", "2.png", "1.png", "0.png"]
    assert extreme_images(per_image[:3], "IG") == ["2.png", "0.png"]
    assert extreme_images(per_image[:1], "IG") == []
    assert extreme_images(per_image.rename(columns={"IG": "KL"}), "KL")[0] == "0.png"


def test_categories_have_intervals_and_say_of_how_many_images(tmp_path):
    categories = ("street",) * 8 + ("beach",) * 3 + ("<lone>",)
    page = page_of(results_of(["a"], IG=(0, 1)), ["IG"], tmp_path, best="a", categories=categories)
    table = page[page.index("by category") :]
    rows = re.findall(r"<tr><td>(\S+)</td><td data-value=\"(\d+)\">.*?</tr>", table, re.DOTALL)
    assert rows == [("street", "8"), ("beach", "3"), ("&lt;lone&gt;", "1")]
    assert len(re.findall(r"<small>[-\d.]+ … [-\d.]+</small>", table)) == 2  # one image has none


@pytest.mark.parametrize(("n_models", "columns"), [(1, 3), (2, 4), (4, 6), (5, 4), (8, 5), (20, 6)])
def test_rows_of_pictures_are_as_full_as_can_be(tmp_path, n_models, columns):
    results = results_of([f"m{k}" for k in range(n_models)], IG=(0, 1))
    assert f"--columns: {columns}" in page_of(results, ["IG"], tmp_path, best="m0", n_examples=1)


def test_a_file_is_shown_short_and_its_path_on_hovering(tmp_path):
    path = "/data/<b>/run 1/weights.safetensors"
    page = page_of(results_of([path, "bms"], IG=(0, 1)), ["IG"], tmp_path, best="bms", n_trained_on={path: 3})
    assert '<td title="/data/&lt;b&gt;/run 1/weights.safetensors">run 1/weights †</td>' in page
    assert "<td>bms</td>" in page
    assert "<b>/run" not in page


def test_short_names_stay_apart():
    long = [f"a_{'very_' * 20}long_name_{k}_{'of_' * 20}it" for k in range(2)]
    names = ["bms", "bms.safetensors", "x/y/w.safetensors", "z/y/w.safetensors", "q/w.safetensors", "y/w", *long]
    shown = short_names(names)
    assert len(set(shown.values())) == len(names)
    assert [shown[name] for name in names[:5]] == ["bms", "bms.safetensors", "x/y/w", "z/y/w", "q/w"]
    [one] = short_names([long[0]]).values()
    assert len(one) < 33
    assert one[:5] + one[-5:] == long[0][:5] + long[0][-5:]


@pytest.mark.parametrize(
    ("intervals", "digits"),
    [([(0.5, 0.66)], 2), ([(0.905, 0.92)], 3), ([(0.90, 0.93)], 3), ([(2.0, 6.0)], 2), ([(0, 0), (0.1, 0.4)], 2),
     ([(0, 0)], 2), ([(np.nan, np.nan)], 2), ([(0.1, 0.1 + 1e-6)], 4)],
)  # fmt: skip
def test_digits_are_those_that_the_interval_deserves(intervals, digits):
    assert digits_of(pd.DataFrame(intervals, columns=["ci_low", "ci_high"])) == digits
