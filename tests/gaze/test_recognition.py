"""A photograph is known by its content, whatever it is called and however it was saved."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import make_photograph, write_image

from foveal.gaze import Stimuli
from foveal.gaze.recognition import UNKNOWN, are_among, as_text, from_text, perceptual_hash, perceptual_hashes

PHOTOGRAPHS = [make_photograph(seed, (120, 160)) for seed in range(6)]


def test_copies_are_recognized_and_others_are_not(tmp_path):
    known = np.array([perceptual_hash(image) for image in PHOTOGRAPHS[:3]])
    for image in PHOTOGRAPHS[:3]:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        copies = [image[::2, ::2], cv2.resize(image, (333, 250)), gray, write_image(tmp_path / "copy.jpg", image)]
        assert are_among(np.array([perceptual_hash(copy) for copy in copies]), known).all()
    others = np.array([perceptual_hash(image) for image in PHOTOGRAPHS[3:]])
    assert not are_among(others, known).any()


def test_what_shows_nothing_or_cannot_be_read_is_nobodys_copy(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    stimuli = Stimuli([np.full((20, 30, 3), 80, np.uint8), tmp_path / "broken.png", PHOTOGRAPHS[0]])
    hashes = perceptual_hashes(stimuli)
    assert hashes[:2].tolist() == [UNKNOWN, UNKNOWN]
    assert are_among(hashes, hashes).tolist() == [False, False, True]
    assert perceptual_hashes(stimuli, [2]).tolist() == [hashes[2]]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_hashes_are_read_as_they_were_written(values):
    hashes = np.array(values, dtype=np.uint64)
    assert from_text(as_text(hashes)).tolist() == sorted(values)


@pytest.mark.parametrize("text", ["no base64", "AAAA"])
def test_what_is_no_list_of_hashes_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        from_text(text)
