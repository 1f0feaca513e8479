"""Detection is pymovements': what it says of the same samples, and what the grid makes of clocks and gaps."""

import builtins

import numpy as np
import pymovements
import pytest

from foveal.errors import FovealError
from foveal.gaze.detection import Grid, TimedFixations, detect, fixations_in
from foveal.gaze.quality import drift, precision, share_lost

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pymovements")


def gaze_in_degrees(rate, seconds=4.0, seed=0):
    """Fixations of 150 to 500 ms at random places, with noise, and with two gaps."""
    rng = np.random.default_rng(seed)
    places = []
    while len(places) < seconds * rate:
        places += [rng.uniform(-8, 8, 2)] * int(rate * rng.uniform(0.15, 0.5))
    gaze = np.array(places[: int(seconds * rate)]) + rng.normal(0, 0.01, (int(seconds * rate), 2))
    gaze[int(0.9 * rate) : int(1.0 * rate)] = np.nan
    gaze[int(2.2 * rate) : int(2.21 * rate) + 1] = np.nan
    return gaze


def pymovements_own(gaze, rate, method, **options):
    """By its own objects, with times in ms."""
    experiment = pymovements.Experiment(
        screen=pymovements.Screen(800, 600, 40, 30, 70, "upper left"), sampling_rate=rate
    )
    recording = pymovements.gaze.from_numpy(
        time=np.arange(len(gaze)) * (1000 // rate), position=gaze.T, experiment=experiment
    )
    recording.pos2vel("smooth")
    recording.detect(method, **options)
    return recording.events.frame.select("onset", "offset").to_numpy()


@pytest.mark.filterwarnings("ignore:All-NaN slice:RuntimeWarning")
@pytest.mark.parametrize("rate", [250, 500, 1000])
@pytest.mark.parametrize(
    ("method", "options"),
    [("ivt", {}), ("ivt", {"velocity_threshold": 35.0}), ("idt", {}), ("idt", {"dispersion_threshold": 0.5})],
)
def test_detection_equals_pymovements(rate, method, options):
    gaze = gaze_in_degrees(rate)
    ours = detect(gaze, float(rate), method, next(iter(options.values()), None)) * (1000 // rate)
    theirs = pymovements_own(gaze, rate, method, **options)
    assert len(theirs) > 5
    np.testing.assert_array_equal(ours, theirs)


def test_slow_trackers_keep_short_fixations():
    gaze = np.repeat([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]], 12, axis=0)  # 200 ms each, at 60 Hz
    assert len(detect(gaze, 60.0)) == 3


@pytest.mark.parametrize("method", ["ivt", "idt"])
def test_no_fixation_goes_on_over_lost_samples(method):
    gaze = np.zeros((500, 2))
    gaze[240:260] = np.nan
    cells = detect(gaze, 500.0, method)
    assert len(cells) == 2
    assert not any(first < 250 < last for first, last in cells)


def test_samples_that_are_not_written_are_lost_and_jitter_is_none():
    time = np.arange(0, 1000, 1000 / 60) + np.random.default_rng(0).normal(0, 1, 60)
    kept = np.r_[0:20, 30:60]
    grid = Grid.of(time[kept], np.ones((50, 2)))
    assert len(grid.time) == 60
    assert np.isnan(grid.gaze[:, 0]).sum() == 10
    assert share_lost(grid, [(0.0, 1000.0)]) == pytest.approx(10 / 60, rel=0.02)  # of the time, which jitters
    assert grid.rate == pytest.approx(60, rel=0.05)


def test_a_pause_of_hours_takes_no_room():
    grid = Grid.of(np.array([0.0, 1, 2, 3, 1e13, 1e13 + 1]), np.ones((6, 2)))
    assert len(grid.time) < 1100


def test_quality_of_what_is_known():
    time = np.arange(400.0)
    gaze = np.stack([100 + 3.0 * (np.arange(400) % 2), np.full(400, 50.0)], axis=1)
    grid = Grid.of(time, gaze)
    fixations = fixations_in(grid, np.array([[0, 199], [210, 399]]))
    assert precision(grid, fixations) == pytest.approx(3.0)
    assert drift(fixations, [(100.0, 300.0)], (91.5, 60.0)) == pytest.approx((10.0, -10.0))
    nobody = TimedFixations(*np.zeros((4, 0)))
    assert np.isnan(drift(nobody, [(0.0, 1.0)], (0.0, 0.0))).all()
    assert np.isnan(precision(grid, nobody))
    assert np.isnan(share_lost(grid, []))


def test_too_few_samples_hold_no_fixation():
    assert len(detect(np.zeros((3, 2)), 1000.0)) == 0
    with pytest.raises(FovealError, match="two times"):
        Grid.of(np.zeros(3), np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("hmm",), "no method 'hmm'.*or tracker"), (("ivt", -1.0), "must be positive"), (("idt", 1.0, 0.0), "positive")],
)
def test_what_cannot_be_detected_is_said(arguments, message):
    with pytest.raises(FovealError, match=message):
        detect(np.zeros((100, 2)), 100.0, *arguments)


def test_without_pymovements_one_line_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "pymovements":
            raise ImportError("No module named 'pymovements'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FovealError, match=r"pip install 'foveal\[recordings\]'"):
        detect(np.zeros((100, 2)), 100.0)


@pytest.mark.parametrize("rate", [60, 120, 500, 600])
def test_clocks_in_whole_ms_do_not_change_the_rate(rate):
    time = np.floor(np.arange(4 * rate) * 1000 / rate)
    time = np.delete(time, slice(rate, rate + 5))
    grid = Grid.of(time, np.zeros((len(time), 2)))
    assert grid.rate == pytest.approx(rate, rel=0.01)
    assert len(grid.gaze) == 4 * rate


def test_a_long_gap_is_lost_in_all_its_length():
    time = np.concatenate([np.arange(0, 1000, 4.0), np.arange(5000, 10_000, 4.0)])
    grid = Grid.of(time, np.zeros((len(time), 2)))
    assert share_lost(grid, [(0.0, 10_000.0)]) == pytest.approx(0.4, abs=0.002)
    assert share_lost(grid, [(0.0, 1000.0), (2000.0, 4000.0), (6000.0, 9000.0)]) == pytest.approx(1 / 3, abs=0.002)
