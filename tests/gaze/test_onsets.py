import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foveal.gaze import Fixations
from foveal.gaze.onsets import cumulated_durations

NAN = float("nan")


def slow_onsets(rows):
    """Scanpath by scanpath, fixation by fixation."""
    onsets = []
    for image, subject, order, _ in rows:
        path = sorted((o, d) for i, s, o, d in rows if (i, s) == (image, subject))
        up_to = path[: [o for o, _ in path].index(order) + 1]
        counts = [o for o, _ in up_to] == list(range(len(up_to)))
        known = subject >= 0 and counts and not np.isnan([d for _, d in up_to]).any()
        onsets.append(sum(d for _, d in up_to[:-1]) if known else NAN)
    return onsets


ROW = st.tuples(st.integers(0, 2), st.integers(-1, 1), st.integers(-1, 4), st.sampled_from([NAN, 100.0, 250.0]))


@given(st.lists(ROW, max_size=25, unique_by=lambda row: row[:3]))
def test_equals_the_slow_way(rows):
    image, subject, order, duration = (np.array([row[k] for row in rows]) for k in range(4))
    integers = (column.astype(np.int64) for column in (image, subject, order))
    onsets = cumulated_durations(*integers, duration.astype(np.float64))
    np.testing.assert_allclose(onsets, slow_onsets(rows))


def test_fixations_without_starts_have_them_from_their_durations():
    columns = {"image": [1, 0, 0], "x": [1, 2, 3], "y": [1, 2, 3], "subject": [0, 0, 0], "order": [0, 1, 0]}
    assert Fixations.of(**columns, duration=[50, 60, 70]).start.tolist() == [70, 0, 0]  # sorted by image
    assert Fixations.of(**columns, duration=[50, 60, 70], start=[5, 90, 7]).start.tolist() == [90, 7, 5]
    assert np.isnan(Fixations.of(**columns).start).all()
