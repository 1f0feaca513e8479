"""Regions that people drew: boxes and polygons in tables, COCO's and labelme's JSON."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import draw

from foveal.datasets.picture_regions import PictureRegion, read_picture_regions
from foveal.errors import FovealError

SIZE = 20, 30


def mask(region):
    found = np.zeros(SIZE, int)
    np.add.at(found, region.pixels(SIZE), 1)
    return found


def coco(**annotation):
    base = {"image_id": 1, "bbox": [1, 1, 2, 2]}
    return {"images": [{"id": 1, "file_name": "page.png"}], "annotations": [base | annotation]}


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@given(st.integers(-5, 35), st.integers(-5, 25), st.integers(1, 40), st.integers(1, 30))
def test_a_box_holds_the_pixels_that_numpy_slices(x, y, width, height):
    expected = np.zeros(SIZE, int)
    expected[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = 1
    region = PictureRegion.box("b", *map(float, (x, y, width, height)))
    if expected.any():
        assert (mask(region) == expected).all()
    else:
        with pytest.raises(FovealError, match=r"^b: no pixel of the picture of 30 x 20 px lies in it$"):
            region.pixels(SIZE)


@given(st.floats(0, 14), st.floats(1, 7))
def test_boxes_beside_each_other_share_no_pixel(x, width):
    left, right = (PictureRegion.box("b", at, 0.0, width, 20.0) for at in (x, x + width))
    assert (mask(left) + mask(right)).max() == 1


def test_many_regions_of_one_name(tmp_path):
    path = written(tmp_path / "a.csv", "name,x,y,width,height\n" + "b,2,3,4,5\n" * 3000)
    names = [region.name for region in read_picture_regions(path, "page.png")]
    assert len(set(names)) == 3000
    assert names[-1] == "b 3000"


def test_pieces_that_overlap_count_once():
    pieces = [
        PictureRegion.box("a", 1.0, 1.0, 5.0, 4.0).polygons[0], PictureRegion.box("a", 3.0, 1.0, 5.0, 4.0).polygons[0]
    ]  # fmt: skip
    assert mask(PictureRegion("a", tuple(pieces))).max() == 1
    assert mask(PictureRegion("a", tuple(pieces))).sum() == 7 * 4


def test_the_same_box_in_all_formats(tmp_path):
    coco = {
        "images": [{"id": 7, "file_name": "shots/page.png"}, {"id": 8, "file_name": "other.png"}],
        "categories": [{"id": 1, "name": "button"}],
        "annotations": [
            {"image_id": 8, "bbox": [0, 0, 1, 1], "category_id": 1},
            {"image_id": 7, "bbox": [2, 3, 4, 5], "category_id": 1, "segmentation": {"counts": "x", "size": [1, 1]}},
            {"image_id": 7, "bbox": [0, 0, 9, 9], "category_id": 1, "segmentation": [[2, 3, 6, 3, 6, 8, 2, 8]]},
        ],
    }
    labelme = {
        "shapes": [
            {"label": "button", "points": [[6, 8], [2, 3]], "shape_type": "rectangle"},
            {"label": "button", "points": [[2, 3], [6, 3], [6, 8], [2, 8]], "shape_type": "polygon"},
        ]
    }
    files = [
        written(tmp_path / "a.csv", "name,x,y,width,height\nbutton,2,3,4,5\nbutton,2,3,4,5\n"),
        written(tmp_path / "b.csv", 'image,name,polygon\npage.png,button,"1.5,2.5 5.5,2.5 5.5,7.5 1.5,7.5"\n'
                                    'page.png,button,"2,3 5,3 5,7 2,7"\nother.png,button,"0,0 9,0 9,9"\n'),
        written(tmp_path / "coco.json", coco),
        written(tmp_path / "labelme.json", labelme),
    ]  # fmt: skip
    expected = mask(PictureRegion.box("button", 2.0, 3.0, 4.0, 5.0))
    for file in files:
        regions = read_picture_regions(file, "deep/page.png")
        assert [region.name for region in regions] == ["button", "button 2"]
        for region in regions:
            assert (mask(region) == expected).all()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "name,x,y\nb,1,2\n", "needs the columns x, y, width, height, or polygon"),
        ("a.csv", "name,x,y,width,height\nb,1,2,0,4\n", r"line 2: b: 0.0 x 4.0 px \(a box has a width and a height\)"),
        ("a.csv", "name,x,y,width,height\nb,1,2,,4\n", "line 2: b: x, y, width, height are needed"),
        ("a.csv", "name,x,y,width,height\n,1,2,3,4\n", "line 2: a region without a name"),
        ("a.csv", 'name,polygon\nb,"1,1 2,2"\n', "line 2: b: 2 corners"),
        ("a.csv", "image,name,x,y,width,height\nq.png,b,1,2,3,4\n", "no region of page.png"),
        ("a.json", "{", "not JSON that can be read"),
        ("a.json", "[]", r"neither shapes \(labelme\) nor annotations \(COCO\)"),
        ("a.json", {"shapes": [{"label": "b", "points": [[1, 2]], "shape_type": "circle"}]}, "shape 1: circle"),
        ("a.json", {"shapes": [{"label": "b", "points": ["x"]}]}, "shape 1: numbers are needed"),
        ("a.json", {"shapes": [{"label": "b", "points": [[1, 2], [3, 4]]}]}, "shape 1: b: 2 corners"),
        ("a.json", {"shapes": [{"label": None, "points": [[1, 2]]}]}, "shape 1: its name is no text"),
        ("a.json", coco(image_id=[1]), "no region of page.png"),
        ("a.json", coco(bbox=5), "annotation 1: bbox: x, y, width, height are needed"),
        ("a.json", coco(segmentation=[5]), "annotation 1: segmentation"),
        ("a.json", coco(segmentation=[[1, 2, 3]]), "annotation 1: segmentation"),
        ("a.json", coco(category_id=[2], bbox=[0, 0, 0, 1]), "annotation 1: annotation 1: 0.0 x 1.0 px"),
        ("a.json", {"shapes": [{"points": []}]}, "entry 1 without the field 'label'"),
        ("a.json", {"annotations": []}, "a list is needed"),
        ("none.json", None, "no such file"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        written(path, content)
    with pytest.raises(FovealError, match=message) as caught:
        read_picture_regions(path, "page.png")
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@given(st.tuples(*[st.floats(-5, 25)] * 2), st.tuples(*[st.floats(0.01, 30)] * 2), st.booleans())
def test_a_box_has_the_pixels_of_the_same_polygon(corner, sides, is_whole):
    numbers = [round(value) if is_whole else value for value in (*corner, *sides)]
    numbers[2:] = [max(value, 0.01) for value in numbers[2:]]
    region = PictureRegion.box("box", *numbers)
    [polygon] = region.polygons
    expected = {*zip(*(axis.tolist() for axis in draw.polygon(polygon[:, 1], polygon[:, 0], (17, 20))), strict=True)}
    if expected:
        assert {*zip(*(axis.tolist() for axis in region.pixels((17, 20))), strict=True)} == expected
    else:
        with pytest.raises(FovealError, match="no pixel"):
            region.pixels((17, 20))


def lies_in(x: int, y: int, corners: list[tuple[Fraction, Fraction]]) -> bool:
    """On the outline, or enclosed an odd number of times: in exact numbers, point by point."""
    is_inside = False
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        across = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        if across == 0 and min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1):
            return True
        if (y0 <= y) != (y1 <= y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            is_inside = not is_inside
    return is_inside


@given(
    st.lists(st.tuples(st.integers(-8, 40), st.integers(-8, 30)), min_size=3, max_size=7, unique=True),
    st.sampled_from([1, 2, 3]),
)
def test_a_polygon_has_the_pixels_that_lie_in_it_point_by_point(corners, parts):
    exact = [(Fraction(x, parts), Fraction(y, parts)) for x, y in corners]
    expected = [(y, x) for y in range(SIZE[0]) for x in range(SIZE[1]) if lies_in(x, y, exact)]
    region = PictureRegion("p", (np.array(corners, np.float64) / parts,))
    if expected:
        assert list(zip(*(axis.tolist() for axis in region.pixels(SIZE)), strict=True)) == expected
    else:
        with pytest.raises(FovealError, match="no pixel"):
            region.pixels(SIZE)
