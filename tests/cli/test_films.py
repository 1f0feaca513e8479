"""`foveal predict` of films: beside photographs, with regions, killed and run again, and what is wrong with a call."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy import make_photograph, write_image
from toy_films import ball, write_film

MODEL = ("--model", "image-signature")


@pytest.fixture
def film(tmp_path):
    return write_film(tmp_path / "film.mp4", (ball(number / 10) for number in range(12)))


def test_a_film_beside_a_photograph(foveal, film, tmp_path):
    write_image(tmp_path / "photo.png", make_photograph())
    (tmp_path / "box.csv").write_text("name,x,y,width,height\nlogo,0,0,80,90\n")
    code, out, err = foveal("predict", film, "photo.png", *MODEL, "--regions", "box.csv")
    assert code == 0, err
    assert out.split() == [
        *("out/photo.overlay.png", "out/photo.density.npy"),
        *("out/film.seconds.csv", "out/film.regions.csv", "out/film.overlay.mp4"),
    ]
    assert "film.mp4: 12 frames, 6 of them predicted, 0 cuts" in err
    assert (tmp_path / "out/film.regions.csv").read_text().startswith("second,name,share,per_area\n0,logo,0.")


def test_only_the_table(foveal, film, tmp_path):
    code, _, _ = foveal("predict", film, *MODEL, "--save", "density", "--rate", "10", "--smoothing", "0")
    assert code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["film.seconds.csv"]


def test_what_cannot_be_predicted_stops_nothing_else(foveal, film, tmp_path):
    (tmp_path / "text.mp4").write_text("no film")
    code, out, err = foveal("predict", "gone.jpg", "text.mp4", "gone.mp4", film, *MODEL)
    assert code == 1
    assert "out/film.overlay.mp4" in out
    for line in ("gone.jpg: no such file", "text.mp4: not a film that can be read", "gone.mp4: no such file"):
        assert line in err
    assert "3 of 4 inputs failed" in err
    assert "Traceback" not in err


def test_wrong_calls(foveal, film, tmp_path):
    write_image(tmp_path / "photo.png", make_photograph())
    code, _, err = foveal("predict", "photo.png", "--regions", "box.csv")
    assert code == 2
    assert "foveal attention" in err
    code, _, err = foveal("predict", film, "other/film.mkv")
    assert code == 2
    assert "two films have the same name" in err


def test_a_killed_run_goes_on(tmp_path):
    """SIGKILL leaves whole parts; the same command goes on from them, and nothing is left behind."""
    path = write_film(tmp_path / "long.mp4", (ball(number / 10 % 3) for number in range(240)))
    command = [sys.executable, "-m", "foveal.cli.app", "predict", str(path), *MODEL]
    state = tmp_path / "out/long.unfinished/state.npz"
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ}, stderr=subprocess.DEVNULL) as process:
        for _ in range(1200):
            if state.exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert state.exists(), "killed too late"
    finished = {part: part.stat().st_mtime_ns for part in parts_of(state.parent)[:1]}
    again = subprocess.Popen(command, cwd=tmp_path, env={**os.environ}, stderr=subprocess.PIPE, text=True)
    while again.poll() is None:
        assert all(not part.exists() or part.stat().st_mtime_ns == written for part, written in finished.items())
        time.sleep(0.05)
    assert "240 frames, 120 of them predicted" in again.communicate()[1]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["long.overlay.mp4", "long.seconds.csv"]
    assert len((tmp_path / "out/long.seconds.csv").read_text().splitlines()) == 25


def parts_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.overlay.mp4"))
