"""Animated GIFs."""

from io import BytesIO

import numpy as np
from PIL import Image

from foveal.figures.animation import encode_gif


def test_frames_with_their_texts():
    pictures = [np.full((90, 160, 3), level, np.uint8) for level in (60, 120, 180, 60)]
    content = encode_gif([(f"{number} s", picture) for number, picture in enumerate(pictures)], 500)
    assert content == encode_gif([(f"{number} s", picture) for number, picture in enumerate(pictures)], 500)
    animation = Image.open(BytesIO(content))
    assert (animation.n_frames, animation.size, animation.info["loop"]) == (4, (160, 90), 0)
    for number, picture in enumerate(pictures):
        animation.seek(number)
        shown = np.asarray(animation.convert("RGB")).astype(int)
        assert animation.info["duration"] == 500
        assert abs(shown[30:] - picture[30:].astype(int)).max() <= 8
        assert abs(shown[:24, :40] - picture[:24, :40].astype(int)).max() > 60  # white letters, or their dark rim
