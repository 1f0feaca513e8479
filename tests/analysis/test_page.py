import re

import numpy as np
import pandas as pd
import pytest

from foveal.analysis.page import PageSection, write_page
from foveal.errors import FovealError
from foveal.images import encode_png

TABLE = pd.DataFrame(
    {
        "model": ["bms", "gb<vs"],
        "NMM": [1.234, float("nan")],
        "NMM_low": [1.0, float("nan")],
        "NMM_high": [1.5, float("nan")],
        "arrays": [80, 3],
    }
)


def page_of(path, *sections, intro=("What it is.",)):
    write_page(path / "report.html", "Foveal something", intro, sections)
    return (path / "report.html").read_text(encoding="utf-8")


def cells_of(page):
    return [re.sub("<.*?>", "|", cell) for cell in re.findall("<td.*?>(.*?)</td>", page)]


def test_intervals_stand_below_their_values_and_unknown_values_are_dashes(tmp_path):
    page = page_of(tmp_path, PageSection("Table", ["How it is read."], TABLE))
    assert cells_of(page) == ["bms", "1.23|1.00 … 1.50|", "80", "gb&lt;vs", "–", "3"]
    assert re.findall("<button>(.*?)</button>", page) == ["model", "NMM", "arrays"]
    assert 'data-value="1.234"' in page  # sorted by all digits


@pytest.mark.parametrize(
    ("digits", "shown"), [(1, "1.2|1.0 … 1.5|"), ({"NMM": 0}, "1|1 … 2|"), ({"x": 0}, "1.23|1.00")]
)
def test_digits_are_those_asked_for(tmp_path, digits, shown):
    assert cells_of(page_of(tmp_path, PageSection("Table", table=TABLE, digits=digits)))[1].startswith(shown)


def test_a_page_needs_no_other_file(tmp_path):
    png = tmp_path / "curve.png"
    png.write_bytes(encode_png(np.zeros((4, 4, 3), np.uint8)))
    pictures = [("of pixels", np.full((30, 3000, 3), 200, np.uint8)), ("of a file", png)]
    page = page_of(tmp_path, PageSection("Pictures", pictures=pictures, columns=2))
    sources = re.findall('src="(.*?)"', page)
    assert [source.split(",")[0] for source in sources] == ["data:image/jpeg;base64", "data:image/png;base64"]
    assert not re.search("https?://|<link|url\\(", page)
    assert len(sources[0]) < 3000  # it is no wider than it is shown


def test_texts_are_written_as_they_are(tmp_path):
    page = page_of(tmp_path, PageSection("A & B", "one sentence"), intro="a < b")
    assert "<h2>A &amp; B</h2>" in page
    assert "<p>one sentence</p>" in page
    assert "<p>a &lt; b</p>" in page
    assert "sorts the table" not in page


def test_a_picture_that_is_missing_is_named(tmp_path):
    with pytest.raises(FovealError, match=r"gone\.png: the picture cannot be read"):
        page_of(tmp_path, PageSection("Pictures", pictures=[("gone", tmp_path / "gone.png")]))
