"""Shares of regions against plain sums, pictures whose numbers are known, limits and baselines."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.analysis.attention import (
    attention,
    compared,
    fallen,
    more_focused_than,
    nested,
    of_picture,
    read_shares,
    too_low,
)
from foveal.analysis.attention_files import (
    attention_outlines,
    attention_picture,
    write_attention,
    write_comparison,
)
from foveal.datasets.picture_regions import PictureRegion, read_picture_regions
from foveal.errors import FovealError
from foveal.figures import overlay
from foveal.figures.difference import difference_map
from foveal.images import encode_png
from foveal.models.prediction import Prediction

SIZE = 40, 60


def predicted(density, name="page"):
    density = np.asarray(density, np.float64) / np.sum(density)
    with np.errstate(divide="ignore"):
        return Prediction(np.full((*density.shape, 3), 128, np.uint8), np.log(density).astype(np.float32), "m", name)


def random_density(seed=0):
    return np.random.default_rng(seed).random(SIZE) ** 4


def drawn_difference(first, second):
    return difference_map(first.image, (first.density, second.density), (first.name, second.name))


def box(name, x, y, width, height):
    return PictureRegion.box(name, float(x), float(y), float(width), float(height))


@given(st.integers(0, 50), st.integers(0, 35), st.integers(1, 20), st.integers(1, 15))
def test_a_share_is_the_sum_of_the_density(x, y, width, height):
    density = random_density()
    found = attention(predicted(density), [box("a", x, y, width, height)]).regions[0]
    inside = density[y : y + height, x : x + width]
    assert found.share == pytest.approx(inside.sum() / density.sum(), rel=1e-5)
    assert found.area == pytest.approx(inside.size / density.size)
    assert found.per_area == pytest.approx(found.share / found.area)
    column, row = found.peak
    assert density[row, column] == inside.max()


def test_regions_are_ranked_and_seen_more_by_more_fixations():
    density = np.ones(SIZE)
    density[:, :20] = 5
    found = attention(
        predicted(density), [box("right", 40, 0, 20, 40), box("left", 0, 0, 20, 40), box("none", 0, 0, 1, 1)]
    )
    assert [region.rank for region in found.regions] == [2, 1, 3]
    for region in found.regions:
        probabilities = [seen.probability for seen in region.seen.values()]
        assert probabilities == sorted(probabilities)
        assert all(0 <= seen.low <= seen.high <= 1 for seen in region.seen.values())
    assert found.regions[1].seen[1].probability > found.regions[2].seen[1].probability


def test_where_the_attention_of_a_picture_is():
    flat = of_picture(np.full(SIZE, 1 / (SIZE[0] * SIZE[1])))
    assert (flat.half_in, flat.hotspots) == (1.0, 1)
    assert flat.focus == pytest.approx(0)
    assert flat.center_pull == pytest.approx(0)
    two = np.full(SIZE, 1e-6)
    two[5:9, 5:9] = two[30:34, 50:54] = 1
    found = of_picture(two / two.sum())
    assert found.hotspots == 2
    assert found.half_in == pytest.approx(32 / two.size)
    assert found.focus == pytest.approx(np.log2(two.size / 32), abs=0.05)
    assert found.center_pull < 0
    middle = np.zeros(SIZE)
    middle[19:21, 29:31] = 0.25
    assert of_picture(middle).center_pull > 0.9


def test_focus_beside_photographs():
    assert more_focused_than(2.0, "bms") is None
    found = [more_focused_than(focus, "foveal-s") for focus in (-1.0, 1.0, 2.0, 3.0, 99.0)]
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (0.0, 1.0)
    assert found[1] < 0.3 < 0.7 < found[3]


def test_what_is_written_is_read_again(tmp_path):
    found = attention(predicted(random_density()), [box("a, b", 1, 1, 9, 9), box("c", 20, 3, 9, 9)])
    found.save(tmp_path / "a.json")
    assert read_shares(tmp_path / "a.json", "m") == {region.name: region.share for region in found.regions}
    assert json.loads((tmp_path / "a.json").read_text())["schema"] == "foveal.attention/1"
    found.save(tmp_path / "a.csv")
    head, first, _ = (tmp_path / "a.csv").read_text().splitlines()
    assert head.startswith("picture,name,share,area,per_area,rank,peak_x,peak_y,seen_1,seen_1_low")
    assert first.startswith('page,"a, b",')
    assert first.count(",") == head.count(",") + 1
    with pytest.raises(FovealError, match=r"is written as \.json or \.csv"):
        found.save(tmp_path / "a.txt")


def test_no_name_is_a_formula_in_a_spreadsheet(tmp_path):
    names = ["=1+1", "+1", "-1", "@A1", "\t=1", "1 + 1", "a=b"]
    regions = [box(name, n, n, 9, 9) for n, name in enumerate(names)]
    found = attention(predicted(random_density(), "=page"), regions)
    found.save(tmp_path / "a.csv")
    write_comparison(predicted(random_density()), predicted(random_density(1)), compared(found, found), tmp_path)
    for path in (tmp_path / "a.csv", tmp_path / "against.csv"):
        with path.open(newline="") as file:
            written = [row["name"] for row in csv.DictReader(file)]
        assert written == ["'=1+1", "'+1", "'-1", "'@A1", "'\t=1", "1 + 1", "a=b"]
    assert (tmp_path / "a.csv").read_text().splitlines()[1].startswith("'=page,'=1+1,")


def test_what_capture_writes_is_read_as_it_is(tmp_path):
    (tmp_path / "page.regions.csv").write_text("name,kind,x,y,width,height\n=1+1,link,1,1,9,9\n'=2,link,2,2,9,9\n")
    regions = read_picture_regions(tmp_path / "page.regions.csv", "page.png")
    assert [region.name for region in regions] == ["=1+1", "'=2"]


@pytest.mark.parametrize("file_format", ["png", "png2x", "pdf", "svg"])
def test_a_picture_of_attention_has_its_regions_outlined(file_format):
    prediction = predicted(random_density())
    regions = [box("a\nline", 5, 5, 20, 20), box("茶 $x$", 30, 10, 20, 20)]
    found = attention(prediction, regions)
    drawn = attention_picture(prediction, regions, found, style="contours", file_format=file_format)
    assert drawn == attention_picture(prediction, regions, found, style="contours", file_format=file_format)
    assert drawn != attention_picture(prediction, (), attention(prediction), style="contours", file_format=file_format)
    labels = [text for text, _ in attention_outlines(regions, found)]
    assert [text.split(" % ")[1] for text in labels] == ["a line", "茶 $x$"]


def test_the_picture_that_is_written_is_the_one_that_is_drawn(tmp_path):
    prediction = predicted(random_density())
    for regions in ([box("a", 5, 5, 20, 20)], []):
        found = attention(prediction, regions)
        *_, path = write_attention(prediction, regions, found, tmp_path)
        assert path.read_bytes() == attention_picture(prediction, regions, found)
        style = "heatmap" if regions else "heatmap+hotspots"
        outlines = attention_outlines(regions, found)
        drawn = overlay(prediction.image, prediction.log_density, style=style, outlines=outlines)
        assert path.read_bytes() == encode_png(drawn)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "no attention of regions"),
        ('{"regions": []}', "no attention of regions"),
        ('{"schema": "foveal.attention/0", "regions": []}', "schema foveal.attention/0, not foveal.attention/1"),
        ('{"schema": "foveal.attention/1", "model": "b"}', "model b, not m"),
        ('{"schema": "foveal.attention/1", "model": "m", "regions": [{"name": "a", "share": NaN}]}', "no attention"),
        (None, "no such file"),
    ],
)
def test_a_baseline_that_is_none_is_one_line(tmp_path, content, message):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(FovealError, match=rf"a\.json: .*{message}"):
        read_shares(path, "m")


def test_limits_and_falls():
    found = attention(predicted(np.ones(SIZE)), [box("half", 0, 0, 30, 40), box("logo", 0, 0, 6, 4)])
    assert too_low(found, {"half": 0.4, "logo": 0.02}) == ["page: logo gets 0.010 of the attention, less than 0.02"]
    with pytest.raises(FovealError, match=r"no region 'lgo' \(has half, logo\)"):
        too_low(found, {"lgo": 0.1})
    denser = np.ones(SIZE)
    denser[:4, :6] = 20
    screens = [found, attention(predicted(denser, "page.2"), [box("logo", 0, 0, 6, 4), box("foot", 0, 36, 6, 4)])]
    assert too_low(screens, {"half": 0.4, "logo": 0.02}) == []  # on the second screen it has 0.168
    assert too_low(screens, {"logo": 0.3})[0].startswith("page.2: logo gets 0.168 of the attention")
    with pytest.raises(FovealError, match=r"^page, page\.2: no region 'lgo' \(has half, logo, foot\)"):
        too_low(screens, {"lgo": 0.1})
    before = {"half": 0.58, "logo": 0.01, "gone": 0.1}
    assert fallen(found, before, 0.1) == ["page: gone is gone since the baseline"]
    assert fallen(found, before, 0.05)[1] == "page: half fell from 0.580 to 0.500, by more than 0.05"


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 2, *[st.integers(1, 6)] * 2), min_size=1, max_size=8))
def test_which_regions_lie_in_which(boxes):
    regions = [box(str(i), *sides).pixels(SIZE) for i, sides in enumerate(boxes)]
    sets = [set(zip(rows.tolist(), columns.tolist(), strict=True)) for rows, columns in regions]
    found = nested([np.ravel_multi_index(region, SIZE) for region in regions], SIZE)
    expected = [[i for i, inner in enumerate(sets) if i != n and inner <= outer] for n, outer in enumerate(sets)]
    assert [inside.tolist() for inside in found] == expected


def test_two_pictures_are_compared_by_names():
    regions = [box("left", 0, 0, 30, 40), box("top", 0, 0, 60, 20), box("only here", 0, 0, 1, 1)]
    heavy = np.ones(SIZE)
    heavy[:, :30] = 3
    first, second = predicted(heavy), predicted(np.ones(SIZE), "other")
    rows = compared(attention(first, regions), attention(second, regions[:2]))
    assert [(row.name, row.winner) for row in rows] == [("left", "A"), ("top", "neither")]
    assert rows[0].difference == pytest.approx(0.25, abs=1e-4)
    with pytest.raises(FovealError, match="page and other: no region has the same name"):
        compared(attention(first, regions[:1]), attention(second, regions[1:2]))
    drawn = drawn_difference(first, second)[: SIZE[0]].astype(int)
    assert (drawn[:, :30, 0] > drawn[:, :30, 2]).all()  # orange where the first has more
    assert (drawn[:, 30:, 0] < drawn[:, 30:, 2]).all()


def test_ten_thousand_regions():
    rng = np.random.default_rng(0)
    regions = [box(str(i), *rng.integers(0, 30, 2), 5, 5) for i in range(10_000)]
    assert len(attention(predicted(random_density()), regions).regions) == 10_000
    with pytest.raises(FovealError, match="page: two regions are called '3'"):
        attention(predicted(random_density()), [*regions, regions[3]])


def test_pictures_that_are_alike_have_no_difference():
    density = random_density()
    other = predicted(density * (1 + 1e-6 * random_density(1)))
    same = drawn_difference(predicted(density), other)[: SIZE[0]].astype(int)
    assert abs(same - 128).max() <= 1
