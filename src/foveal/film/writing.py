"""Films to disk, in parts that are joined without being encoded again."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from foveal.errors import FovealError, first_line
from foveal.film.pyav import pyav
from foveal.images import RGBImage

ENCODERS = {"libx264": {"crf": "20", "preset": "veryfast"}, "mpeg4": {"qscale": "3"}}  # the first that is there
TICK = Fraction(1, 60_000)  # s; all usual rates are whole numbers of it, and MPEG-4 knows no finer one


def encoder() -> str:
    """H.264 if PyAV was built with it, else MPEG-4, which every build has."""
    av = pyav()
    return next(name for name in ENCODERS if name in av.codecs_available)


class FilmPart:
    """An .mp4 file that frames are written to; its first frame is at the time 0.

    Parameters
    ----------
    path
        The file.
    size
        Height and width in px, both even.
    rate
        Frames a second, on average.
    """

    def __init__(self, path: Path, size: tuple[int, int], rate: Fraction) -> None:
        av = pyav()
        self._frame_of = av.VideoFrame.from_ndarray
        self._path = path
        self._container: Any = av.open(os.fspath(path), "w")
        name = encoder()
        # Without frames that are computed from later ones, parts can be joined as they are.
        self._stream: Any = self._container.add_stream(name, rate=rate, options={**ENCODERS[name], "bf": "0"})
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = TICK
        self._stream.codec_context.colorspace = av.video.reformatter.Colorspace.ITU709

    def add(self, picture: RGBImage, time: Fraction) -> None:
        """Write one frame that is shown from this time on, in s."""
        frame = self._frame_of(picture, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts, frame.time_base = round(time / TICK), TICK
        with _told_in_one_line(self._path):
            self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> "FilmPart":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _told_in_one_line(self._path):
            if kind is None:
                self._container.mux(self._stream.encode())
            self._container.close()


def join(parts: Sequence[tuple[Path, Fraction]], path: Path) -> None:
    """Write one .mp4 file of parts, each with the time in s at which it begins.

    Raises
    ------
    FovealError
        If a part cannot be read, or the file cannot be written.
    """
    av = pyav()
    with _told_in_one_line(path), av.open(os.fspath(path), "w", options={"movflags": "+faststart"}) as whole:
        stream = None
        for part, begin in parts:
            with av.open(os.fspath(part)) as container:
                source = container.streams.video[0]
                stream = stream or whole.add_stream_from_template(source)
                later = round(begin / source.time_base)
                for packet in container.demux(source):
                    if packet.dts is not None:  # the last one only says that there are no more
                        packet.pts, packet.dts = packet.pts + later, packet.dts + later
                        packet.stream = stream
                        whole.mux(packet)


@contextmanager
def _told_in_one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except pyav().error.FFmpegError as error:
        raise FovealError(f"{path}: the film cannot be written ({first_line(error)})") from None
