import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import make_dataset

from foveal.errors import FovealError
from foveal.gaze import Fixations, saccades
from foveal.gaze.scanpaths import histories, scanpaths

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 5)), max_size=30, unique_by=lambda row: row
)


def fixations_of(rows):
    image, subject, order = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
    return Fixations.of(image, np.arange(len(rows)) * 3.0, np.arange(len(rows)) % 4, subject=subject, order=order)


@given(ROWS, st.integers(1, 4))
def test_histories_are_what_came_before_on_the_same_path(rows, n):
    fixations = fixations_of(rows)
    following, before = histories(fixations, n)
    assert before.shape == (len(following), n, 2)
    told = {
        int(row): history[np.isfinite(history).all(axis=1)].tolist()
        for row, history in zip(following, before, strict=True)
    }
    expected = {}
    for path in scanpaths(fixations):
        places = np.stack([path.x, path.y], axis=1).tolist()
        rows_of_path = [int(np.flatnonzero(fixations.x == x)[0]) for x in path.x]  # each x is there once
        expected |= {row: places[max(0, k - n) : k] for k, row in enumerate(rows_of_path) if k > 0}
    assert told == expected
    assert np.isfinite(before[:, -1]).all()  # the most recent is last


@given(ROWS)
def test_scanpaths_hold_every_fixation_once_and_in_order(rows):
    paths = list(scanpaths(fixations_of(rows)))
    keys = [(int(path.image[0]), int(path.subject[0])) for path in paths]
    assert keys == sorted(set(keys))
    assert sorted(row for path in paths for row in zip(path.image, path.subject, path.order, strict=True)) == sorted(
        rows
    )
    assert all((np.diff(path.order) > 0).all() for path in paths)


@given(ROWS)
def test_saccades_equal_the_slow_way(rows):
    fixations = fixations_of(rows)
    where = {
        key: (x, y)
        for *key_parts, x, y in zip(
            fixations.image, fixations.subject, fixations.order, fixations.x, fixations.y, strict=True
        )
        for key in [tuple(int(part) for part in key_parts)]
    }
    expected = []
    for (image, subject, order), (x, y) in sorted(where.items()):
        if (image, subject, order + 1) in where:
            to_x, to_y = where[image, subject, order + 1]
            angle = math.degrees(math.atan2(y - to_y, to_x - x)) % 360
            expected.append((image, subject, order, x, y, to_x, to_y, math.dist((x, y), (to_x, to_y)) / 2, angle))
    assert saccades(fixations, 2.0).to_numpy().tolist() == [pytest.approx(row) for row in expected]


def test_directions_are_as_one_sees_them():
    """Up is up on the screen, where y is smaller; each photograph has its own scale."""
    path = Fixations.of([0, 0, 0, 1, 1], [5, 5, 1, 0, 0], [8, 4, 4, 0, 0], [0] * 5, [0, 1, 2, 0, 1])
    table = saccades(path, np.array([2.0, 4.0]))
    assert table["amplitude"].tolist() == [2, 2, 0]
    assert table["direction"].tolist()[:2] == [90, 180]
    assert np.isnan(table["direction"][2])


def test_a_fixation_that_was_left_out_makes_no_saccade():
    path = Fixations.of([0, 0, 0], [0, 9, 12], [0, 0, 4], [0, 0, 0], [0, 2, 3])
    assert saccades(path)["amplitude"].tolist() == [5]
    assert saccades(path)["order"].tolist() == [2]


@pytest.mark.parametrize("scale", [0.0, np.array([1.0]), np.array([[1.0, 1.0]])])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(FovealError, match="pixels_per_degree"):
        saccades(make_dataset(2).fixations, scale)


def test_without_an_order_there_are_no_scanpaths():
    with pytest.raises(FovealError, match="needs a subject and an order"):
        saccades(Fixations.of([0, 0], [1, 2], [1, 2], subject=[0, 0]))
