"""Pictures one after the other, with a text on each, as an animated GIF."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from foveal.figures.labels import DARK, WHITE, font_of
from foveal.images import RGBImage

TEXT, SMALLEST_TEXT = 0.045, 12.0  # height of letters: a share of the picture's longer side, and px
FOR_PALETTE = 4  # of so many frames one is looked at for the colors, which all frames share: else they flicker


def encode_gif(frames: Sequence[tuple[str, RGBImage]], frame_ms: int) -> bytes:
    """A GIF of frames of one size, without end, with the text of each in its upper left corner.

    Parameters
    ----------
    frames
        At least one text and picture.
    frame_ms
        How long each is shown, a multiple of 10.
    """
    written = [_with_text(text, picture) for text, picture in frames]
    palette = Image.fromarray(np.vstack(written[::FOR_PALETTE])).quantize()
    first, *others = [Image.fromarray(picture).quantize(palette=palette) for picture in written]
    file = BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=frame_ms, loop=0)
    return file.getvalue()


def _with_text(text: str, picture: RGBImage) -> RGBImage:
    size = max(SMALLEST_TEXT, TEXT * max(picture.shape[:2]))
    drawing = Image.fromarray(picture)
    corner = 0.5 * size, 0.4 * size
    ImageDraw.Draw(drawing).text(corner, text, WHITE, font_of(size), stroke_width=size / 9, stroke_fill=DARK)
    return np.asarray(drawing)
