"""What positions may be counted in, and what they look like."""

import numpy as np
import pytest

from foveal.datasets.coordinates import Coordinates

SIZE = (60, 200)
RNG = np.random.default_rng(0)
FRACTIONS = RNG.uniform(0, 1, (50, 2))
IN_PX = RNG.uniform(0, 1, (50, 2)) * (199, 59)


IN_PIXELS = Coordinates()


def doubts(positions, coordinates=IN_PIXELS, size=SIZE):
    x, y = np.asarray(positions, float).T
    return coordinates.doubts(x, y, np.full((len(x), 2), size))


@pytest.mark.parametrize(
    ("positions", "doubt"),
    [
        (FRACTIONS, "50 of 50 positions are from 0 to 1"),
        (np.vstack([FRACTIONS, [(1.2, 0.5)]]), "50 of 51 positions are from 0 to 1"),  # one is off the screen
        ([(0, 0), (5, 6), (0, 0)], "2 of 3 positions are exactly (0, 0)"),
        (FRACTIONS * (16, 8) - (8, 4), "positions are negative and all are small"),
        ([(1, 1), (200, 30), (17, 60)], "2 of 3 positions are one pixel beyond the picture and none is 0"),
    ],
)
def test_what_is_plausible_as_something_else_is_said(positions, doubt):
    (line,) = doubts(positions)
    assert doubt in line
    assert (doubts(positions, Coordinates("px", 0, are_said=True)) == []) == ("(0, 0)" not in doubt)


@pytest.mark.parametrize(
    "positions",
    [
        IN_PX,
        IN_PX.round(),
        [(0, 1), (1, 1)],  # whole numbers are pixels
        [(200, 30.5), (3, 4)],
        [(200, 30), (0, 4)],
        np.empty((0, 2)),
    ],
)
def test_what_is_as_it_should_be_raises_no_doubts(positions):
    assert doubts(positions) == []


def test_nobody_looks_elsewhere_on_a_picture_of_a_few_pixels():
    assert doubts(FRACTIONS, size=(2, 2)) == []


def test_the_center_in_degrees_is_no_lost_gaze():
    assert doubts([(0, 0), (1, 1)], Coordinates("degree", are_said=True)) == []


@pytest.mark.parametrize("length", [1, 2, 7, 1024, 100_000])
def test_fractions_cover_all_pixels_and_no_other(length):
    values = np.array([0, 1e-12, 0.5, 1 - 1e-12, 1])
    x, _ = Coordinates("fraction").in_px(values, values, np.array([(length, length)] * 5), 35.0)
    assert (np.diff(x) >= 0).all()
    pixels = np.floor(x + 0.5)
    assert (pixels[0], pixels[-1]) == (0, length - 1)
