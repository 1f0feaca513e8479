"""Metrics of scanpaths: hand-computed, against slow obvious ways, and what must hold for all paths."""

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.metrics.paths import (
    PATH_METRICS,
    compare_paths,
    dynamic_time_warping,
    edit_similarity,
    get_path_metrics,
    multi_match,
    scan_match,
)
from foveal.metrics.paths.alignment import best_alignment

HEIGHT, WIDTH = SIZE = (80, 120)  # cells of ScanMatch are 10 px on each side
FIXATION = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(25, 400))
PATHS = st.lists(FIXATION, min_size=1, max_size=5)
LONG_PATHS = st.lists(FIXATION, min_size=3, max_size=12)


def path_of(rows, order=None) -> Fixations:
    x, y, duration = (np.array([row[k] for row in rows], dtype=float) for k in range(3))
    zeros = np.zeros(len(rows), dtype=int)
    return Fixations.of(
        zeros, x, y, subject=zeros, order=range(len(rows)) if order is None else order, duration=duration
    )


def in_cells(*places) -> Fixations:
    """A path through cells of ScanMatch, given as (row, column), or (row, column, ms)."""
    return path_of([(10 * column + 5, 10 * row + 5, *(ms or [100])) for row, column, *ms in places])


def slow_alignment(scores, gap):
    """The best over all ways to choose which elements are aligned with each other."""
    n, m = scores.shape
    best = -math.inf
    for k in range(min(n, m) + 1):
        for rows in combinations(range(n), k):
            for columns in combinations(range(m), k):
                aligned = sum(scores[row, column] for row, column in zip(rows, columns, strict=True))
                best = max(best, aligned + gap * (n + m - 2 * k))
    return best


def slow_warping(one, other):
    """The least sum over all paths from the first pair to the last, by what the definition says."""

    def least(i, j):
        distance = math.dist(one[i][:2], other[j][:2])
        before = [(a, b) for a, b in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if a >= 0 and b >= 0]
        return distance + (min(least(a, b) for a, b in before) if before else 0)

    return least(len(one) - 1, len(other) - 1)


@given(PATHS, PATHS, st.floats(-3, 0), st.floats(0.5, 6))
def test_scan_match_equals_the_slow_way(one, other, gap, threshold):
    cells = [np.array([(y // 10, x // 10) for x, y, _ in rows]) for rows in (one, other)]
    scores = threshold - np.linalg.norm(cells[0][:, None] - cells[1][None], axis=-1)
    expected = slow_alignment(scores, gap) / threshold / max(len(one), len(other))
    assert scan_match(path_of(one), path_of(other), SIZE, gap=gap, threshold=threshold) == pytest.approx(expected)


def test_scan_match_by_hand():
    """Cells (0, 0), (3, 4) against (0, 1), (3, 4), (7, 11): 2.5 + 3.5 of 3 x 3.5; the last is left alone."""
    score = scan_match(in_cells((0, 0), (3, 4)), in_cells((0, 1), (3, 4), (7, 11)), SIZE)
    assert score == pytest.approx(6 / 10.5)
    with_gaps = scan_match(in_cells((0, 0), (3, 4)), in_cells((0, 1), (3, 4), (7, 11)), SIZE, gap=-1.0)
    assert with_gaps == pytest.approx(5 / 10.5)


def test_scan_match_in_time_counts_a_fixation_as_often_as_it_is_long():
    """120 ms are two bins of 50 ms, 130 ms three; 20 ms none."""
    one, other = in_cells((0, 0, 120), (7, 11, 20)), in_cells((0, 0, 130))
    assert scan_match(one, other, SIZE, time_bin=50.0) == pytest.approx(2 / 3)
    assert math.isnan(scan_match(in_cells((0, 0, 20)), other, SIZE, time_bin=50.0))


@given(PATHS, PATHS)
def test_edit_similarity_equals_the_slow_way(one, other):
    words = [[(y // 16, x // 24) for x, y, _ in rows] for rows in (one, other)]
    scores = np.array([[-float(a != b) for b in words[1]] for a in words[0]])
    expected = 1 + slow_alignment(scores, -1) / max(len(one), len(other))
    assert edit_similarity(path_of(one), path_of(other), SIZE) == pytest.approx(expected)


@given(PATHS, PATHS)
def test_dynamic_time_warping_equals_the_slow_way(one, other):
    expected = slow_warping(one, other) / max(len(one), len(other))
    assert dynamic_time_warping(path_of(one), path_of(other)) == pytest.approx(expected, abs=1e-9)


def slow_multi_match(one, other):
    """The same five by going through every way to align the saccades."""
    saccades = [[(b[0] - a[0], b[1] - a[1], *a) for a, b in pairwise(rows)] for rows in (one, other)]
    n, m = map(len, saccades)

    def ways(i, j):
        if (i, j) == (n - 1, m - 1):
            return [[(i, j)]]
        steps = [(i + 1, j), (i, j + 1), (i + 1, j + 1)]
        return [[(i, j), *way] for a, b in steps if a < n and b < m for way in ways(a, b)]

    def far(i, j):
        return math.dist(saccades[0][i][:2], saccades[1][j][:2])

    # The first pair costs nothing, wherever the way goes.
    way = min(ways(0, 0), key=lambda way: sum(far(*pair) for pair in way[1:]))
    pairs = [(saccades[0][i], saccades[1][j]) for i, j in way]
    angle = [abs(math.atan2(a[1], a[0]) - math.atan2(b[1], b[0])) for a, b in pairs]
    diagonal = math.hypot(HEIGHT, WIDTH)
    return (
        1 - np.median([far(*pair) for pair in way]) / (2 * diagonal),
        1 - np.median([min(one_way, 2 * math.pi - one_way) for one_way in angle]) / math.pi,
        1 - np.median([abs(math.hypot(*a[:2]) - math.hypot(*b[:2])) for a, b in pairs]) / diagonal,
        1 - np.median([math.dist(a[2:4], b[2:4]) for a, b in pairs]) / diagonal,
        1 - np.median([abs(a[4] - b[4]) / max(a[4], b[4]) for a, b in pairs]),
    )


@pytest.mark.parametrize("seed", range(6))
def test_multi_match_equals_the_slow_way(seed):
    rng = np.random.default_rng(seed)
    one, other = (np.stack([rng.uniform(0, 120, n), rng.uniform(0, 80, n), rng.uniform(50, 400, n)], 1) for n in (5, 4))
    assert multi_match(path_of(one), path_of(other), SIZE) == pytest.approx(slow_multi_match(one, other))


def test_multi_match_by_hand():
    """The same path 30 px to the right, with fixations twice as long: only position and duration differ."""
    one = [(10, 10, 100), (40, 10, 100), (40, 50, 100)]
    other = [(x + 30, y, 2 * ms) for x, y, ms in one]
    found = multi_match(path_of(one), path_of(other), SIZE)
    assert found == pytest.approx((1, 1, 1, 1 - 30 / math.hypot(*SIZE), 0.5))
    unknown = path_of([(x, y, np.nan) for x, y, _ in other])
    assert multi_match(path_of(one), unknown, SIZE)[:4] == found[:4]
    assert math.isnan(multi_match(path_of(one), unknown, SIZE).duration)


def test_multi_match_needs_two_saccades():
    assert np.isnan(multi_match(in_cells((0, 0), (1, 1)), in_cells((0, 0), (1, 1), (2, 2)), SIZE)).all()


@given(LONG_PATHS, LONG_PATHS)
def test_symmetric_and_bounded_and_best_with_itself(one, other):
    a, b = path_of(one), path_of(other)
    there, back, itself = compare_paths(a, b, SIZE), compare_paths(b, a, SIZE), compare_paths(a, a, SIZE)
    assert list(there) == [name for metric in PATH_METRICS.values() for name in metric.numbers]
    for metric in PATH_METRICS.values():
        for name in metric.numbers:
            # Of alignments that are equally good, MultiMatch takes one, and the other way round maybe another.
            if metric.name != "MultiMatch":
                assert there[name] == pytest.approx(back[name], nan_ok=True)
            if metric.higher_is_better:
                assert -1e-9 <= there[name] <= 1 + 1e-9
                assert itself[name] == pytest.approx(1)
            else:
                assert there[name] >= itself[name] == 0


@given(LONG_PATHS, st.randoms())
def test_the_order_counts_not_the_rows(rows, random):
    shuffled = random.sample(range(len(rows)), len(rows))
    mixed = path_of([rows[row] for row in shuffled], order=shuffled)
    assert compare_paths(path_of(rows), mixed, SIZE, metrics="ScanMatch,edit,DTW") == {
        "ScanMatch": pytest.approx(1),
        "edit": 1,
        "DTW": 0,
    }


def test_distances_are_in_degrees_where_the_scale_is_known():
    one, other = in_cells((0, 0)), in_cells((0, 3))
    assert compare_paths(one, other, SIZE, metrics="DTW") == {"DTW": 30}
    assert compare_paths(one, other, SIZE, metrics="DTW", pixels_per_degree=10) == {"DTW": 3}


def test_without_durations_all_are_those_that_need_none():
    path = Fixations.of([0, 0, 0], [1, 2, 3], [1, 2, 1])
    assert "ScanMatch_duration" not in compare_paths(path, path, SIZE)
    with pytest.raises(FovealError, match="ScanMatch_duration needs the duration of every fixation"):
        compare_paths(path, path, SIZE, metrics="ScanMatch_duration")
    with pytest.raises(FovealError, match="time_bin needs the duration of every fixation"):
        scan_match(path, path, SIZE, time_bin=50.0)


def test_gaps_and_scores_of_known_sequences():
    """GATTACA and GCATGCG with 1, -1 and -1: the textbook's score is 0."""
    scores = np.array([[1.0 if a == b else -1.0 for b in "GCATGCG"] for a in "GATTACA"])
    assert best_alignment(scores, -1.0) == 0


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda path: dynamic_time_warping(path, [(1, 2)]), "Fixations are needed, not list"),
        (lambda path: dynamic_time_warping(path, path.where([])), "without fixations"),
        (lambda path: dynamic_time_warping(path, Fixations.of([0, 1], [1, 1], [1, 1])), "one observer on one photo"),
        (lambda path: dynamic_time_warping(Fixations.of([0, 0], [1, 1], [1, 1], [0, 1]), path), "one observer on one"),
        (lambda path: scan_match(path, path, SIZE, gap=0.5), "gap: at most 0"),
        (lambda path: scan_match(path, path, SIZE, threshold=0.0), "threshold: a positive number"),
        (lambda path: scan_match(path, path, (80,)), "size: two numbers"),
        (lambda path: edit_similarity(path, path, SIZE, grid=(0, 5)), "grid: a whole number, at least 1"),
        (lambda path: multi_match(path, path, (80.5, 120)), "size: a whole number"),
        (lambda path: get_path_metrics("Scanmatch"), "no path metric 'Scanmatch'"),
    ],
)
def test_what_cannot_be_compared_is_one_line(wrong, complaint):
    with pytest.raises(FovealError, match=complaint) as caught:
        wrong(in_cells((0, 0), (1, 1), (2, 5)))
    assert "\n" not in str(caught.value)
