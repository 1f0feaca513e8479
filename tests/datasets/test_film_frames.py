"""Data sets of frames of films: which frame is of which part, and what is said of it."""

import cv2
import numpy as np
import pytest
from miniatures import dhf1k, hollywood2, ucf_sports
from miniatures.film_frames import write_film

import foveal
from foveal.datasets import load_dataset
from foveal.errors import FovealError


def test_dhf1k(tmp_path):
    dhf1k.write(tmp_path / "dhf1k")
    data = load_dataset("dhf1k", tmp_path)
    assert data.stimuli.ids == ("0001/images/0001.png", "0001/images/0002.png", "0601/images/0001.png")
    assert {part: frames.tolist() for part, frames in data.splits.items()} == {"train": [0, 1], "val": [2]}
    assert data.stimuli.sizes.tolist() == [[36, 64], [36, 64], [48, 64]]
    assert [*zip(data.fixations.image, data.fixations.x, data.fixations.y, strict=True)] == [
        (0, 0, 0),
        (0, 63, 35),
        (2, 4, 3),
    ]


def test_hollywood2_shots_stay_in_their_part(tmp_path):
    hollywood2.write(tmp_path / "hollywood2")
    data = load_dataset("hollywood2", tmp_path)
    assert {part: frames.tolist() for part, frames in data.splits.items()} == {"training": [0, 1, 2], "testing": [3]}
    assert data.stimuli.ids[2] == "training/actioncliptrain00001_2/images/actioncliptrain00001_00003.png"


def test_ucf_sports_knows_the_actions(tmp_path):
    ucf_sports.write(tmp_path / "ucf-sports")
    data = load_dataset("ucf-sports", tmp_path)
    assert data.categories == ("Diving-Side", "Walk-Front", "Walk-Front")


def test_metrics_by_frame(tmp_path):
    ucf_sports.write(tmp_path / "ucf-sports")
    table = foveal.evaluate(["image-signature"], load_dataset("ucf-sports", tmp_path), metrics=["NSS"]).per_image
    assert len(table) == 3


def test_a_map_of_another_size_is_named(tmp_path):
    write_film(tmp_path / "dhf1k/annotation/0001", {"0001": [(0, 0)]})
    cv2.imwrite(str(tmp_path / "dhf1k/annotation/0001/fixation/0001.png"), np.zeros((4, 5), np.uint8))
    with pytest.raises(FovealError, match=r"0001\.png: a map of 4 x 5, and its picture has 36 rows and 64 columns"):
        load_dataset("dhf1k", tmp_path)
