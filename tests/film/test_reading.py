"""Films from disk: every frame once, upright, with its time; and what is no film."""

from fractions import Fraction

import av
import numpy as np
import pytest
from toy_films import SIZE, ball_at, write_film

from foveal.errors import FovealError, FovealNote
from foveal.film.reading import BreaksOffError, Film

UPRIGHT = b"".join(value.to_bytes(4, "big") for value in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
TURNED = b"".join(value.to_bytes(4, "big") for value in (0, 1 << 16, 0, (1 << 32) - (1 << 16), 0, 0, 0, 0, 1 << 30))


def middle_of_ball(picture):
    rows, columns = np.nonzero(picture[..., 0].astype(int) - picture[..., 2] > 100)
    return columns.mean(), rows.mean()


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.webm", "libvpx"), ("a.ts", "mpeg2video")],
)
def test_every_frame_comes_once_with_its_time(draw, name, codec):
    film = Film.open(draw(name, rate=25, seconds=1.2, codec=codec))
    frames = list(film.frames())
    assert [frame.number for frame in frames] == list(range(30))
    np.testing.assert_allclose([float(frame.time) for frame in frames], np.arange(30) / 25, atol=2e-3)
    for frame in frames:
        assert frame.picture.shape == (*SIZE, 3)
        np.testing.assert_allclose(middle_of_ball(frame.picture), ball_at(float(frame.time)), atol=1.5)


def test_reading_from_a_frame_on_is_the_same_as_from_the_beginning(draw):
    film = Film.open(draw(seconds=2))
    every, later = list(film.frames()), list(film.frames(7))
    assert [frame.number for frame in later] == list(range(7, 20))
    assert later[0].time == every[7].time == Fraction(7, 10)
    np.testing.assert_array_equal(later[0].picture, every[7].picture)


def test_a_film_from_a_telephone_is_turned(draw):
    path = draw()
    content = path.read_bytes()
    track = content.index(b"tkhd")
    path.write_bytes(content[:track] + content[track:].replace(UPRIGHT, TURNED, 1))
    film = Film.open(path)
    assert film.size == (SIZE[1], SIZE[0])
    x, y = middle_of_ball(next(film.frames()).picture)  # a quarter turn clockwise
    np.testing.assert_allclose((x, y), (SIZE[0] - 1 - 90, 60), atol=1.5)


def test_pixels_that_are_not_square_are_made_so(draw):
    film = Film.open(draw("a.mkv", sample_aspect_ratio=Fraction(2, 1)))
    assert film.size == (180, 640)
    assert next(film.frames()).picture.shape == (180, 640, 3)


def test_a_large_film_is_shrunk_to_even_sides(tmp_path):
    path = write_film(tmp_path / "large.mkv", [np.zeros((1082, 1920, 3), np.uint8)] * 2)
    assert Film.open(path).small == (540, 960)


def test_no_film(tmp_path):
    (tmp_path / "text.mp4").write_text("no film at all")
    (tmp_path / "empty.mp4").write_bytes(b"")
    for name, line in [
        ("gone.mp4", "no such file"),
        (".", "not a file"),
        ("text.mp4", "not a film that can be read"),
        ("empty.mp4", "not a film that can be read"),
    ]:
        with pytest.raises(FovealError, match=line) as raised:
            Film.open(tmp_path / name)
        assert "\n" not in str(raised.value)


def test_sound_only(tmp_path):
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(FovealError, match=r"song\.mp4: no pictures in it, only sound"):
        Film.open(tmp_path / "song.mp4")


def test_no_frames(tmp_path):
    with av.open(str(tmp_path / "none.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuv420p"
        container.start_encoding()
    with pytest.raises(FovealError, match=r"none\.avi: no frame of the film can be read|not a film"):
        Film.open(tmp_path / "none.avi")


def test_a_film_that_breaks_off_gives_what_it_has_and_says_so(draw):
    path = draw("a.mkv", seconds=4)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.7)])
    frames = []
    line = r"a\.mkv: the film breaks off at \d\.\d s of 4\.0 s; so do the results"
    with pytest.raises(BreaksOffError, match=line):
        frames.extend(Film.open(path).frames())
    assert 5 < len(frames) < 30


def test_an_mp4_without_its_end_cannot_be_read(draw):
    path = draw()
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(FovealError, match="not a film that can be read"):
        Film.open(path)


def test_damaged_places_are_left_out_and_noted(draw):
    path = draw(seconds=4)
    content = bytearray(path.read_bytes())
    begin = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    middle = (begin + end) // 2
    content[middle : middle + 300] = b"\xff" * 300
    path.write_bytes(content)
    with pytest.warns(FovealNote, match=r"ball\.mp4: \d+ damaged places of the film were left out"):
        frames = list(Film.open(path).frames())
    assert 20 < len(frames) < 40
    assert frames[-1].time == Fraction(39, 10)
