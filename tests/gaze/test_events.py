import numpy as np
import pytest

from foveal.gaze.events import SAMPLING_RATE, detect_fixations


def gaze_of(stops, samples_each, saccade=8, noise=0.3, seed=0):
    """Gaze that rests at each stop and moves between them on smooth saccades of `saccade` samples."""
    rng = np.random.default_rng(seed)
    pieces = []
    for k, stop in enumerate(stops):
        pieces.append(np.repeat([stop], samples_each[k], axis=0))
        if k + 1 < len(stops):
            progress = (1 - np.cos(np.linspace(0, np.pi, saccade + 2)[1:-1])) / 2
            pieces.append(stop + progress[:, None] * (np.array(stops[k + 1]) - stop))
    gaze = np.concatenate(pieces).astype(float)
    return gaze + rng.normal(0, noise, gaze.shape)


def test_stops_are_found_where_they_are():
    stops = np.array([[512, 384], [200, 300], [700, 500], [650, 120]])
    x, y, duration, start = detect_fixations(gaze_of(stops, [60, 80, 70, 90]))
    assert len(x) == 4
    np.testing.assert_allclose(np.stack([x, y], axis=1), stops, atol=2)
    np.testing.assert_allclose(duration * SAMPLING_RATE / 1000, [60, 80, 70, 90], atol=10)
    np.testing.assert_allclose(start * SAMPLING_RATE / 1000, [0, 66, 152, 228], atol=10)


def test_a_stop_that_is_too_short_is_part_of_the_saccade():
    x, *_ = detect_fixations(gaze_of(np.array([[100, 100], [500, 100], [900, 100]]), [60, 5, 60]))
    assert x == pytest.approx([100, 900], abs=2)


def test_no_recording():
    assert all(len(column) == 0 for column in detect_fixations(np.zeros((0, 2))))


def test_without_a_saccade_all_is_one_fixation():
    x, y, duration, start = detect_fixations(gaze_of(np.array([[300, 200]]), [240]))
    assert (len(x), x[0], y[0]) == (1, pytest.approx(300, abs=1), pytest.approx(200, abs=1))
    assert (duration[0], start[0]) == (pytest.approx(1000), 0)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_very_short_recordings(n):
    x, *_ = detect_fixations(np.full((n, 2), 50.0))
    assert x.tolist() == [50.0]
