"""Films of a ball."""

from collections.abc import Callable
from pathlib import Path

import pytest
from toy_films import ball, write_film


@pytest.fixture
def draw(tmp_path) -> Callable[..., Path]:
    """Write a film of the ball: its name, seconds, frames a second, and from which second on it is bright."""

    def write(name="ball.mp4", seconds=2.0, rate=10, bright_from=None, **options) -> Path:
        times = (number / rate for number in range(round(seconds * rate)))
        pictures = (ball(time, 200 if bright_from is not None and time >= bright_from else 90) for time in times)
        return write_film(tmp_path / name, pictures, rate, **options)

    return write
