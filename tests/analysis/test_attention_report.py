"""The report of a picture: what it says, on how many pages, and that nothing makes it fail."""

import re

import matplotlib as mpl
import numpy as np
import pytest

from foveal.analysis.attention import attention
from foveal.analysis.attention_report import attention_report, write_attention_report
from foveal.datasets.picture_regions import PictureRegion
from foveal.figures.pages import Pages
from foveal.models.prediction import Prediction

SIZE = 60, 80


def predicted(name="page", model="foveal-s"):
    density = np.random.default_rng(0).random(SIZE) ** 4
    log_density = np.log(density / density.sum()).astype(np.float32)
    return Prediction(np.full((*SIZE, 3), 128, np.uint8), log_density, model, name)


def boxes(names):
    return [PictureRegion.box(name, n % 60, n % 40, 9 + n % 7, 12) for n, name in enumerate(names)]


@pytest.fixture
def written(monkeypatch):
    """The texts that the pages have."""
    texts = []
    write = Pages.write

    def noted(self, text, *place, **look):
        texts.append(text)
        write(self, text, *place, **look)

    monkeypatch.setattr(Pages, "write", noted)
    return texts


def n_pages(pdf):
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_it_says_what_the_numbers_are(written):
    prediction = predicted()
    found = attention(prediction, boxes(["headline", "Buy now"]))
    pdf = attention_report(prediction, boxes(["headline", "Buy now"]), found)
    assert pdf.startswith(b"%PDF")
    assert pdf == attention_report(prediction, boxes(["headline", "Buy now"]), found)
    assert b"CreationDate" not in pdf
    said = " ".join(written[: len(written) // 2]).replace("\N{NO-BREAK SPACE}", " ")
    assert found.whole.in_words in said
    for region in found.regions:
        seen = region.seen[3]
        row = f"{region.name} {100 * region.share:.1f} % {region.per_area:.1f} "
        assert row in said
        assert f"{100 * seen.probability:.0f} % {100 * seen.low:.0f}–{100 * seen.high:.0f}" in said
    assert "predicted by the model foveal-s" in said
    assert "36 of 39" in said


@pytest.mark.parametrize(("n", "pages"), [(0, 1), (60, 2)])
def test_pages_follow_until_all_regions_are_told(written, monkeypatch, n, pages):
    monkeypatch.setattr("foveal.analysis.attention_report.MOST_REGIONS", 30)
    prediction, regions = predicted(), boxes([f"element {i}" for i in range(n)])
    pdf = attention_report(prediction, regions, attention(prediction, regions))
    assert n_pages(pdf) == pages
    assert sum(text.startswith("element ") for text in written) == min(n, 30)
    assert ("the 30 with the largest shares, of 60" in written) == (n == 60)
    assert ("Regions, continued" in written) == (n == 60)


@pytest.mark.parametrize(("name", "has_box"), [("n" * 200, False), ("写真 😀 ℵ", True), ("$x^$ <b> \udce9", True)])
def test_no_name_makes_it_fail(written, tmp_path, name, has_box):
    """Warnings are errors here."""
    prediction = predicted(name)
    regions = boxes([name, "tab\tand\nline", "عربي"])
    path = write_attention_report(prediction, regions, attention(prediction, regions), tmp_path / "a.pdf")
    assert path.read_bytes().startswith(b"%PDF")
    assert ("□ stands for" in " ".join(written)) == has_box


@pytest.mark.parametrize("size", [(4, 400), (1, 1)])
def test_pictures_of_any_shape(size):
    flat = np.full(size, -np.log(size[0] * size[1]), np.float32)
    prediction = Prediction(np.zeros((*size, 3), np.uint8), flat, "uniform")
    assert attention_report(prediction, [], attention(prediction)).startswith(b"%PDF")


def test_the_users_settings_of_matplotlib_are_kept():
    prediction = predicted()
    found = attention(prediction)
    with mpl.rc_context({"figure.facecolor": "black", "text.color": "white", "svg.fonttype": "path"}):
        attention_report(prediction, [], found)
        assert mpl.rcParams["svg.fonttype"] == "path"
