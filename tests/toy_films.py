"""Films that the tests draw themselves."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIZE = (180, 320)
RADIUS = 12


def ball_at(time: float) -> tuple[float, float]:
    """x and y of the ball's center in px, time in s: two degrees a second, of 35 px each."""
    return 60 + 70 * time, 90.0


def ball(time: float, background: int = 90) -> np.ndarray:
    """A yellow ball on gray."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    cx, cy = ball_at(time)
    image = np.full((*SIZE, 3), background, np.uint8)
    image[(x - cx) ** 2 + (y - cy) ** 2 < RADIUS**2] = (250, 220, 40)
    return image


def write_film(path: Path, pictures: Iterable[np.ndarray], rate: int = 10, codec: str = "libx264", **options) -> Path:
    """Write pictures of one size; `options` are set on the stream."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(rate))
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
                for name, value in options.items():
                    setattr(stream, name, value)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path
