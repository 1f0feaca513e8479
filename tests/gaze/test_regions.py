"""Regions: their masks, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.errors import FovealError
from foveal.gaze.regions import Region, Regions

SQUARE = np.array([[1.5, 0.5], [4.5, 0.5], [4.5, 2.5], [1.5, 2.5]])


def is_inside(x: float, y: float, polygon: np.ndarray) -> bool:
    """A ray to the right crosses the border an odd number of times."""
    crossings = 0
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            crossings += 1
    return crossings % 2 == 1


# Corners that are off the centers of all pixels, by amounts that keep the borders off them, too.
corner = st.tuples(st.integers(-4, 14), st.integers(-4, 12)).map(lambda xy: (xy[0] + 0.3717, xy[1] + 0.2391))


@given(st.lists(corner, min_size=3, max_size=6, unique=True))
def test_a_mask_has_the_pixels_whose_centers_are_in_the_polygon(corners):
    polygon = np.array(corners)
    expected = np.array([[is_inside(x, y, polygon) for x in range(11)] for y in range(9)])
    region = Region("a.jpg", 1, polygon)
    if expected.any():
        assert np.array_equal(region.mask((9, 11)), expected)
    else:
        with pytest.raises(FovealError, match="its polygon"):
            region.mask((9, 11))


@pytest.mark.parametrize(
    ("polygon", "message"),
    [
        (SQUARE + 100, r"^a.jpg, region 3: its polygon lies outside the photograph of 20 x 10 px$"),
        (SQUARE / 100 + 1.2, r"^a.jpg, region 3: its polygon is smaller than a pixel$"),
    ],
)
def test_an_empty_mask_is_an_error(polygon, message):
    with pytest.raises(FovealError, match=message):
        Region("a.jpg", 3, polygon).mask((10, 20))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category": "cat"}, "unknown category: cat .known: person_head"),
        ({"flags": frozenset("FX")}, "unknown flag: X .known: F face inside"),
        ({"polygon": SQUARE[:2]}, "polygon: 2 corners"),
        ({"polygon": SQUARE * np.nan}, "all of them finite"),
    ],
)
def test_what_is_no_region_is_refused(change, message):
    with pytest.raises(FovealError, match=message):
        Region(**{"image": "a.jpg", "number": 1, "polygon": SQUARE, **change})


def test_regions_of_an_image():
    regions = Regions(tuple(Region(image, number, SQUARE) for image, number in [("b", 1), ("a", 1), ("b", 2)]))
    assert regions.images == ["b", "a"]
    assert [region.number for region in regions.for_image("b")] == [1, 2]
    assert [region.name for region in regions.for_images(["a", "c", "b"])] == [
        "a, region 1",
        "b, region 1",
        "b, region 2",
    ]
    assert len(regions[1:]) == 2
    assert len(regions.for_image("c")) == 0


def test_two_regions_of_one_number_are_refused():
    with pytest.raises(FovealError, match="a, region 1: there are two"):
        Regions((Region("a", 1, SQUARE), Region("a", 1, SQUARE)))
