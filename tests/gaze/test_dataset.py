"""Data sets: what makes one another than it was."""

import os
from dataclasses import replace

import numpy as np
from toy import make_dataset, write_image

from foveal.gaze import Stimuli


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
