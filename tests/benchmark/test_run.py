"""`benchmark`: nothing is computed twice, and the report says what the tables say."""

import dataclasses
import os
import re
import shutil
import subprocess

import numpy as np
import pytest
from toy import write_image

import foveal
from foveal.benchmark import benchmark
from foveal.benchmark import run as running
from foveal.benchmark.results import short_names
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Fixations, Stimuli

MODELS = ["uniform", "centerbias", "bms", "gold"]


@pytest.fixture
def scored(monkeypatch):
    """The images and metrics that were scored, call by call."""
    calls = []
    scores_of = running.scores_of

    def spy(entry, images, metrics, observations):
        for scores, problems in scores_of(entry, images, metrics, observations):
            calls.append((entry.name, sorted(scores), [metric.name for metric in metrics]))
            yield scores, problems

    monkeypatch.setattr(running, "scores_of", spy)
    return calls


def test_nothing_is_computed_twice(dataset, tmp_path, scored):
    first = benchmark(["centerbias", "bms"], [dataset], tmp_path, ["IG", "AUC"], limit=3)
    assert first.results.n_images.tolist() == [3] * 4
    report = (tmp_path / "report.html").stat().st_mtime_ns
    scored.clear()
    again = benchmark(["centerbias", "bms"], [dataset], tmp_path, ["IG", "AUC"], limit=3)
    assert scored == []
    assert (tmp_path / "report.html").stat().st_mtime_ns == report
    np.testing.assert_array_equal(again.results.value, first.results.value)
    # More images: only the new ones. Another metric: only that one, of the images that lack it.
    benchmark(["bms"], [dataset], tmp_path, ["IG", "AUC"])
    assert scored == [("bms", [3, 4, 5, 6, 7], ["AUC", "LL"])]
    scored.clear()
    both = benchmark(["bms"], [dataset], tmp_path, ["IG", "AUC", "NSS", "explained_information"])
    assert scored == [("bms", list(range(8)), ["NSS", "LL"])]
    direct = foveal.evaluate(["bms"], dataset, ["IG", "AUC", "NSS", "explained_information"])
    np.testing.assert_allclose(both.results.value, direct.value)
    np.testing.assert_allclose(both.results.ci_low, direct.ci_low)


def test_a_report_of_another_encoding_is_written_anew(dataset, tmp_path):
    benchmark(["uniform"], [dataset], tmp_path, ["NSS"], limit=1)
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    for other in (report.encode("utf-16"), b"\xe9\xff", b""):
        (tmp_path / "report.html").write_bytes(other)
        benchmark(["uniform"], [dataset], tmp_path, ["NSS"], limit=1)
        assert (tmp_path / "report.html").read_text(encoding="utf-8") == report


def test_what_was_interrupted_goes_on(dataset, tmp_path, scored):
    def interrupt(what, done, total):
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        benchmark(["centerbias"], [dataset], tmp_path, ["AUC"], progress=interrupt)
    scored.clear()
    benchmark(["centerbias"], [dataset], tmp_path, ["AUC"])
    assert sum(len(images) for _, images, _ in scored) == 8 - 3


def test_another_data_set_or_model_is_computed_anew(dataset, tmp_path, scored):
    benchmark(["uniform"], [dataset], tmp_path, ["NSS"])
    scored.clear()
    moved = dataclasses.replace(dataset, fixations=dataclasses.replace(dataset.fixations, x=dataset.fixations.x + 0.1))
    benchmark(["uniform"], [moved], tmp_path, ["NSS"])
    assert len(scored) == 1
    (tmp_path / "per_image/toy/uniform.parquet").write_bytes(b"broken")
    benchmark(["uniform"], [moved], tmp_path, ["NSS"])
    assert len(scored) == 2


def test_photographs_are_known_by_what_is_in_them(dataset, tmp_path, scored):
    """Once by size and time of writing: of a picture that another replaced within its clock's tick, nothing was new."""
    stimuli = dataset.stimuli
    paths = [write_image(tmp_path / f"{number}.bmp", image.image) for number, image in enumerate(stimuli)]
    data = dataclasses.replace(dataset, stimuli=Stimuli(paths, pixels_per_degree=4.0))
    benchmark(["bms"], [data], tmp_path / "out", ["NSS"], limit=3)
    scored.clear()
    for path in paths:
        os.utime(path, (0, 0))
    benchmark(["bms"], [data], tmp_path / "out", ["NSS"], limit=3)
    assert scored == []
    write_image(paths[0], stimuli[1].image)
    os.utime(paths[0], (0, 0))
    benchmark(["bms"], [data], tmp_path / "out", ["NSS"], limit=3)
    assert [images for _, images, _ in scored] == [[0, 1, 2]]


def test_two_data_sets_of_one_name(dataset, tmp_path):
    with pytest.raises(FovealError, match="same name"):
        benchmark(["uniform"], [dataset, dataset], tmp_path)


@pytest.fixture(scope="module")
def report(dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("bench")
    kinds = dataclasses.replace(dataset, categories=("<street>", "beach") * 4)
    done = benchmark(MODELS, [kinds], out, ["IG", "AUC", "KL"])
    return done, (out / "report.html").read_text(encoding="utf-8")


def test_the_report_stands_alone_and_says_what_the_table_says(report):
    done, page = report
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    for row in done.results.itertuples():
        assert f'data-value="{row.value}"' in page
    examples, extremes, charts = 3 * (len(MODELS) + 2), 6 * 3, 3  # pictures with those of photograph and people
    assert page.count("<figure>") == examples + extremes + charts
    assert "&lt;street&gt;" in page
    assert "<street>" not in page
    of_bms = done.results.per_image.query("model == 'bms'")
    street = of_bms["IG"].iloc[0::2].mean()
    assert f'data-value="{street}"' in page


def test_the_report_says_what_was_fitted_to_its_photographs_and_that_it_is_of_a_part(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = foveal.train("bms", dataset.select([1, 4, 5, 6, 7]), out=".").path
    with pytest.warns(FovealNote, match="toy: 1 of 3 photographs were trained on by"):
        benchmark([mine, "uniform"], [dataset], tmp_path, ["AUC"], limit=3)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.search(rf"<td[^>]*>{re.escape(short_names([mine])[mine])} †</td>", page)
    assert "<td>uniform</td>" in page
    assert "† was trained on photographs that are scored here (" in page
    assert re.search(rf">{re.escape(short_names([mine])[mine])}</span>: 1 of 3[)]", page)
    assert "3 of 8 images" in page


def test_the_table_sorts_in_a_browser(report, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no browser on this machine (chromium or google-chrome)")
    _, page = report

    def order_after(clicks):
        script = "".join(f"document.querySelectorAll('th button')[{column}].click();" for column in clicks)
        (tmp_path / "page.html").write_text(page.replace("</body>", f"<script>{script}</script></body>"))
        call = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"file://{tmp_path}/page.html"]
        dom = subprocess.run(call, capture_output=True, text=True, timeout=120, check=True).stdout
        body = dom[dom.index("<tbody>") : dom.index("</tbody>")]
        return re.findall(r"<tr[^>]*>\s*<td>(\w+)</td>", body), dom

    order, dom = order_after([])
    assert order == MODELS
    assert len(re.findall(r'class="best"', dom)) == 3
    assert order_after([1])[0] == ["gold", "bms", "centerbias", "uniform"]  # IG, the best first
    assert order_after([1, 1])[0] == ["uniform", "centerbias", "bms", "gold"]
    assert order_after([3])[0] == ["bms", "centerbias", "uniform", "gold"]  # KL, low is good; gold has none
    assert order_after([0])[0] == ["bms", "centerbias", "gold", "uniform"]


def test_other_photographs_or_categories(dataset, tmp_path, scored):
    benchmark(["centerbias"], [dataset], tmp_path, ["NSS"])
    before = (tmp_path / "report.html").read_text()
    scored.clear()
    kinds = dataclasses.replace(dataset, categories=("a", "b") * 4)
    benchmark(["centerbias"], [kinds], tmp_path, ["NSS"])
    assert scored == []
    assert (tmp_path / "report.html").read_text() != before
    other = dataclasses.replace(dataset, stimuli=Stimuli([255 - image for image in dataset.stimuli.sources], None, 4.0))
    benchmark(["centerbias"], [other], tmp_path, ["NSS"])
    assert len(scored) == 8


def test_the_report_says_what_was_left_out_of_the_tables(dataset, tmp_path):
    for note in ("3 of 9 rows left out", "4 of 9 rows left out"):
        benchmark(["uniform"], [dataclasses.replace(dataset, notes=(note,))], tmp_path, ["NSS"])
        assert note in (tmp_path / "report.html").read_text()


def test_names_stay_in_their_folder(dataset, tmp_path):
    evil = dataclasses.replace(dataset, name="../../evil")
    benchmark(["uniform"], [evil], tmp_path / "out", ["NSS"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_cannot_be_benchmarked_is_said_first(dataset, tmp_path, scored):
    anonymous = dataclasses.replace(
        dataset,
        name="anonymous",
        fixations=Fixations.of(dataset.fixations.image, dataset.fixations.x, dataset.fixations.y),
    )
    for models, data, message in [
        (["uniform", "gold"], [dataset, anonymous], "gold needs a gold standard"),
        ([], [dataset], "nothing to do"),
    ]:
        with pytest.raises(FovealError, match=message):
            benchmark(models, data, tmp_path, ["NSS"])
    assert scored == []
