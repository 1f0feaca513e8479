"""Data sets: what makes one another than it was."""

import os
from dataclasses import replace

import numpy as np
import pytest
from toy import make_dataset, write_image

from foveal.errors import FovealError, FovealNote
from foveal.gaze import Dataset, Fixations, Stimuli


def test_the_digest_changes_with_what_was_shown_and_where_people_looked(tmp_path):
    data = make_dataset(3)
    fixations, stimuli = data.fixations, data.stimuli
    pictures = [image.image for image in stimuli]
    turned = [picture.reshape(80, 60, 3) for picture in pictures]  # the same bytes
    scales = np.array([4.0, 4.0, 5.0])
    digests = [
        data.digest(),
        replace(data, fixations=replace(fixations, x=fixations.x + 0.01)).digest(),
        replace(data, fixations=replace(fixations, subject=fixations.subject[::-1])).digest(),
        replace(data, stimuli=Stimuli(pictures, ["a", "b", "c"], 4.0)).digest(),
        replace(data, stimuli=Stimuli(pictures, pixels_per_degree=scales)).digest(),
        replace(data, stimuli=Stimuli(pictures)).digest(),
        replace(data, stimuli=Stimuli([pictures[1], pictures[0], pictures[2]], pixels_per_degree=4.0)).digest(),
        replace(data, stimuli=Stimuli(turned, pixels_per_degree=4.0), fixations=fixations.where([])).digest(),
        replace(data, fixations=fixations.where([])).digest(),
        data.limit(2).digest(),
    ]
    assert len(set(digests)) == len(digests)
    assert replace(data, name="other", categories=("a", "b", "c")).digest() == data.digest()
    assert data.select([0, 1, 2]).digest() == data.digest()


def test_files_are_known_by_what_is_in_them(tmp_path):
    data = make_dataset(2)
    paths = [write_image(tmp_path / f"{number}.png", image.image) for number, image in enumerate(data.stimuli)]
    of_files = replace(data, stimuli=Stimuli(paths))
    before = of_files.digest()
    os.utime(paths[0], (0, 0))
    assert of_files.digest() == before
    paths[0].unlink()  # it is missed where it is wanted
    assert of_files.digest() != before


def test_a_scale_that_nobody_said_is_assumed():
    pictures = [image.image for image in make_dataset(2).stimuli]
    known, unknown = Stimuli(pictures, pixels_per_degree=24.0)[0], Stimuli(pictures)[0]
    assert (known.assumed_pixels_per_degree, unknown.assumed_pixels_per_degree) == (24.0, 35.0)
    assert unknown.pixels_per_degree is None


def timed(**columns) -> Dataset:
    """Two photographs, two observers, four fixations of each, 100 ms apart."""
    image, subject, order = (axis.ravel() for axis in np.mgrid[:2, :2, :4])
    known = {"subject": subject, "order": order, "start": 100.0 * order, "duration": np.full(16, 60.0)} | columns
    known = {name: column for name, column in known.items() if column is not None}
    return replace(make_dataset(2), fixations=Fixations.of(image, 10 * order + subject, image, **known))


def test_a_fixation_belongs_to_the_window_in_which_it_began():
    data = timed()
    assert data.between(100, 300).fixations.order.tolist() == [1, 2] * 4
    assert len(data.between(-1e9, 1e9).fixations) == 16
    parts = [data.between(start, start + 150).fixations for start in (0, 150, 300)]
    assert sum(len(part) for part in parts) == 16
    assert data.between(0, 100).name == data.name
    assert len(data.between(0, 100)) == 2


def test_the_first_fixations_are_those_of_each_observer_on_each_photograph():
    data = timed()
    assert data.first(2).fixations.order.tolist() == [0, 1] * 4
    assert data.nth(3).fixations.order.tolist() == [2] * 4
    assert data.nth(2, 3).fixations.order.tolist() == [1, 2] * 4
    assert len(data.first(99).fixations) == 16
    without_first = replace(data, fixations=data.fixations.drop_first())
    assert without_first.first(1).fixations.order.tolist() == [1] * 4


def test_onsets_from_durations_are_said_to_be_early():
    data = timed(start=None)
    with pytest.warns(FovealNote, match="without the time of saccades: they are early"):
        part = data.between(60, 180)
    assert part.fixations.order.tolist() == [1, 2] * 4


def test_fixations_whose_onset_is_not_known_are_counted():
    starts = np.tile([0.0, 100.0, np.nan, 300.0], 4)
    with pytest.warns(FovealNote, match="4 of 16 fixations are left out: when they began is not known"):
        part = timed(start=starts).between(0, 1000)
    assert part.fixations.order.tolist() == [0, 1, 3] * 4


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda: timed(start=None, duration=None).between(0, 100), "needed are the columns start_ms, or"),
        (lambda: timed().between(1000, 2000), "toy: no fixation between 1000 and 2000 ms"),
        (lambda: timed().between(100, 100), "begins before it ends"),
        (lambda: timed().between("0", 100), "a number, not '0'"),
        (lambda: timed().between(float("nan"), 100), "a number, not nan"),
        (lambda: timed().nth(5), "toy: no fixation with the number 5"),
        (lambda: timed().nth(3, 2), "at least 3"),
        (lambda: timed().first(0), "at least 1"),
        (lambda: timed(order=None).first(1), "toy: fixations: which came first is not known"),
    ],
)
@pytest.mark.usefixtures("as_users_run_it")
def test_no_such_fixations_are_one_line(wrong, complaint):
    with pytest.raises(FovealError, match=complaint) as caught:
        wrong()
    assert "\n" not in str(caught.value)
