"""A film to an overlay film and tables: the ball is followed, and what is interrupted goes on."""

import csv
from pathlib import Path

import numpy as np
import pytest
from toy_films import SIZE, ball_at, write_film

import foveal
from foveal.errors import FovealError
from foveal.film import parts
from foveal.film.reading import Film
from foveal.models import load_model

PIXELS_PER_DEGREE = 35
MODEL = "image-signature"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def moments(monkeypatch):
    """What is written of each frame."""
    seen = []
    add = parts.Parts.add
    monkeypatch.setattr(
        parts.Parts, "add", lambda self, moment, seconds: (seen.append(moment), add(self, moment, seconds))
    )
    return seen


def test_a_ball_is_followed_within_a_degree(draw, tmp_path, moments):
    """By its peak in each frame, and by the mean of each second, from where people look without a ball."""
    found = foveal.predict_film(draw(seconds=2), "bms", out=tmp_path / "out", draw=False)
    assert (found.n_frames, found.n_predictions, found.cuts) == (20, 10, ())
    for moment in moments:
        row, column = np.unravel_index(moment.density.argmax(), moment.density.shape)
        distance = np.hypot(*np.subtract((column, row), ball_at(float(moment.frame.time))))
        assert distance < PIXELS_PER_DEGREE
        assert moment.density.sum() == pytest.approx(1, abs=1e-3)
    for row in rows_of(found.files["seconds"]):
        middle = ball_at(float(row["second"]) + 0.5)
        assert np.hypot(float(row["peak_x"]) - middle[0], float(row["peak_y"]) - middle[1]) < PIXELS_PER_DEGREE


def test_the_overlay_film_has_the_frames_and_times_of_the_film(draw, tmp_path):
    path = draw(rate=25, seconds=1.2)
    found = foveal.predict_film(path, MODEL, out=tmp_path / "out")
    film, overlay = Film.open(path), Film.open(found.files["overlay"])
    assert overlay.size == SIZE
    before, after = list(film.frames()), list(overlay.frames())
    assert [frame.time for frame in after] == [frame.time for frame in before]
    change = np.abs(after[10].picture.astype(int) - before[10].picture).mean(axis=2)
    x, y = map(int, ball_at(10 / 25))
    assert change[y - 5 : y + 5, x - 5 : x + 5].mean() > 20  # colored where people look
    assert change[-20:, -20:].mean() < 5  # and as it was elsewhere
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["ball.overlay.mp4", "ball.seconds.csv"]


def test_shares_of_regions_over_time(draw, tmp_path):
    (tmp_path / "halves.csv").write_text("name,x,y,width,height\nleft,0,0,160,180\nright,160,0,160,180\n")
    found = foveal.predict_film(draw(seconds=3), MODEL, out=tmp_path, regions=tmp_path / "halves.csv", draw=False)
    shares = {(int(row["second"]), row["name"]): float(row["share"]) for row in rows_of(found.files["regions"])}
    for second in range(3):
        assert shares[second, "left"] + shares[second, "right"] == pytest.approx(1, abs=1e-4)
    assert shares[0, "left"] > 0.5 > shares[2, "left"]


def test_a_region_outside_is_refused_before_any_work(draw, tmp_path):
    (tmp_path / "far.csv").write_text("name,x,y,width,height\nfar,1000,0,10,10\n")
    with pytest.raises(FovealError, match="far: no pixel of the picture of 320 x 180 px lies in it"):
        foveal.predict_film(draw(), MODEL, out=tmp_path / "out", regions=tmp_path / "far.csv")


def test_a_cut_is_told(tmp_path):
    scenes = [np.zeros((*SIZE, 3), np.uint8), np.full((*SIZE, 3), 230, np.uint8)]
    pictures = [scenes[number >= 15] for number in range(30)]
    found = foveal.predict_film(write_film(tmp_path / "cut.mp4", pictures), "centerbias", out=tmp_path, draw=False)
    assert found.cuts == (1.5,)
    assert [row["cuts"] for row in rows_of(found.files["seconds"])] == ["0", "1", "0"]


class StopError(Exception):
    pass


@pytest.mark.parametrize("stopped_at", [3, 23, 47])
def test_an_interrupted_run_goes_on_where_it_was(draw, tmp_path, monkeypatch, stopped_at):
    monkeypatch.setattr(parts, "PART", 1)
    path = draw(seconds=5, bright_from=2.0)  # a cut where a part begins
    whole = foveal.predict_film(path, MODEL, out=tmp_path / "whole")

    def stop(what, done, total):
        if done == stopped_at:
            raise StopError

    with pytest.raises(StopError):
        foveal.predict_film(path, MODEL, out=tmp_path / "out", progress=stop)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["ball.unfinished"]
    model, asked = load_model(MODEL), []
    monkeypatch.setattr(
        model, "log_density_of", lambda *args: (asked.append(1), type(model).log_density_of(model, *args))[1]
    )
    later = foveal.predict_film(path, model, out=tmp_path / "out")
    n_parts = stopped_at // 10  # five predictions each, and that with which the next begins
    assert len(asked) == later.n_predictions - (5 * n_parts + 1 if n_parts else 0)
    assert (later.n_frames, later.n_predictions, later.cuts) == (whole.n_frames, whole.n_predictions, whole.cuts)
    assert later.files["seconds"].read_bytes() == whole.files["seconds"].read_bytes()
    assert later.files["overlay"].read_bytes() == whole.files["overlay"].read_bytes()
    assert not (tmp_path / "out/ball.unfinished").exists()


def test_parts_of_other_settings_are_not_gone_on_with(draw, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART", 1)
    path = draw(seconds=3)

    def stop(what, done, total):
        if done == 25:
            raise StopError

    with pytest.raises(StopError):
        foveal.predict_film(path, MODEL, out=tmp_path / "out", smoothing=0.0, progress=stop)
    found = foveal.predict_film(path, MODEL, out=tmp_path / "out")
    whole = foveal.predict_film(path, MODEL, out=tmp_path / "whole")
    assert found.files["seconds"].read_bytes() == whole.files["seconds"].read_bytes()


def test_of_a_film_that_breaks_off_the_results_up_to_there_are_written(draw, tmp_path):
    path = draw("a.mkv", seconds=4)
    path.write_bytes(path.read_bytes()[:-2500])
    with pytest.raises(FovealError, match="breaks off"):
        foveal.predict_film(path, MODEL, out=tmp_path / "out")
    assert len(rows_of(tmp_path / "out/a.seconds.csv")) > 0
    assert Film.open(tmp_path / "out/a.overlay.mp4").seconds > 0.2


def test_progress_is_told_by_frames(draw, tmp_path):
    told = []
    foveal.predict_film(draw(), MODEL, out=tmp_path, draw=False, progress=lambda *said: told.append(said))
    assert told[0] == ("ball.mp4", 1, 20)
    assert told[-1] == ("ball.mp4", 20, 20)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"rate": 0.5}, "rate: 0.5"),
        ({"smoothing": -1.0}, "smoothing: -1"),
        ({"style": "glow"}, "style"),
        ({"model": "gold"}, "it cannot predict"),
        ({"pixels_per_degree": 0.0}, "pixels per degree"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(draw, tmp_path, settings, line):
    with pytest.raises(FovealError, match=line) as raised:
        foveal.predict_film(draw(), **{"model": MODEL, "out": tmp_path / "out", **settings})
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_without_pyav_one_line_says_what_to_install(draw, tmp_path, monkeypatch):
    path = draw()
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(FovealError, match=r"films need PyAV: pip install 'foveal\[video\]'"):
        foveal.predict_film(path, MODEL, out=tmp_path / "out")
