"""Densities over time: the mean of the past, what lies between two predictions, and cuts."""

import math
from fractions import Fraction

import numpy as np
import pytest

from foveal.film.reading import Frame
from foveal.film.smoothing import Cuts, FilmDensity


def frame(number: int, picture: np.ndarray | int = 0, rate: int = 10) -> Frame:
    picture = np.full((18, 32, 3), picture, np.uint8) if isinstance(picture, int) else picture
    return Frame(number, Fraction(number, rate), picture)


def run(pictures, predict, rate=5, smoothing=200.0):
    density = FilmDensity(predict, Fraction(rate), smoothing)
    moments = [moment for number, picture in enumerate(pictures) for moment in density.take(frame(number, picture))]
    return density, moments + density.rest()


def two_places():
    """Says the left pixel first, and then the right one."""
    answers = iter([np.array([[1, 0]], np.float32), *[np.array([[0, 1]], np.float32)] * 100])
    return lambda picture: next(answers)


def test_every_frame_comes_out_once_in_order_and_sums_to_one():
    density, moments = run([0] * 23, two_places())
    assert [moment.frame.number for moment in moments] == list(range(23))
    assert density.n_predictions == 12
    for moment in moments:
        assert moment.density.sum() == pytest.approx(1)


def test_the_past_fades_with_the_time_constant_and_frames_between_are_interpolated():
    _, moments = run([0] * 9, two_places())
    left = [float(moment.density[0, 0]) for moment in moments]
    np.testing.assert_allclose(left[::2], [math.exp(-k) for k in range(5)], rtol=1e-5)
    np.testing.assert_allclose(left[1], (left[0] + left[2]) / 2, rtol=1e-5)


def test_how_often_the_model_is_asked_does_not_change_how_fast_the_past_fades():
    _, seldom = run([0] * 11, two_places(), rate=5)
    _, often = run([0] * 11, two_places(), rate=10)
    # The second answer comes 0.2 s or 0.1 s after the first.
    np.testing.assert_allclose(seldom[10].density, often[10].density, atol=1e-6)


def test_without_smoothing_each_prediction_stands():
    _, moments = run([0] * 5, two_places(), smoothing=0.0)
    assert [float(moment.density[0, 0]) for moment in moments] == [1, 0.5, 0, 0, 0]


def test_at_a_cut_the_smoothing_begins_anew_and_nothing_is_mixed_across_it():
    density, moments = run(
        [0] * 7 + [200] * 2, lambda picture: np.array([[1, 0], [0, 1]], np.float32)[[picture[0, 0, 0] // 200]]
    )
    assert [float(moment.density[0, 0]) for moment in moments] == [1] * 7 + [0] * 2
    assert [moment.frame.number for moment in moments if moment.is_cut] == [7]
    assert density.cuts.found == [0.7]
    assert density.n_predictions == 6  # the frame after the cut has one of its own


def cuts_in(pictures):
    cuts = Cuts()
    return [number for number, picture in enumerate(pictures) if cuts.is_cut(frame(number, picture))]


def scene(seed, shift=0):
    rng = np.random.default_rng(seed)
    wide = np.repeat(np.repeat(rng.integers(0, 255, (9, 64, 3), dtype=np.uint8), 20, axis=0), 20, axis=1)
    return wide[:, shift : shift + 320]


def test_cuts_between_scenes_are_found():
    pictures = [scene(seed, shift) for seed in range(4) for shift in range(5)]
    assert cuts_in(pictures) == [5, 10, 15]


@pytest.mark.parametrize(
    "pictures",
    [
        [scene(0, 12 * number) for number in range(40)],
        [number * 6 for number in range(40)],
        [200 * (number % 2) for number in range(40)],
    ],
    ids=["pan", "fade", "flicker"],
)
def test_what_changes_all_the_time_is_no_cut(pictures):
    assert cuts_in(pictures) == []
