"""benchmarks/fuzz.py: damages are the same again, and what came of a command is told."""

from pathlib import Path

import numpy as np
import pytest
from fuzz import Fuzzer
from fuzzing.damage import PNG_SIGNATURE, damaged, with_right_checksums
from fuzzing.images import FIXED, Images, png_of
from fuzzing.inputs import FORMATS, photograph
from fuzzing.outcomes import Finding, Job, judged
from fuzzing.worker import Call, Result


@pytest.mark.parametrize("name", ["jpg", "png", "lzw.tif", "gif", "bmp", "webp"])
def test_the_same_seed_damages_alike(name):
    data = FORMATS[name](photograph(0))
    some = [damaged(data, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert some[0] == some[1] != some[2]
    assert data not in [bytes_of for bytes_of, _ in some]


def test_checksums_are_made_right():
    picture = png_of(8, 6, 2)
    wrong = picture[:30] + b"\0" + picture[31:]
    assert (wrong != picture, with_right_checksums(wrong)) == (True, picture)
    assert with_right_checksums(PNG_SIGNATURE) == PNG_SIGNATURE


TRACEBACK = 'Traceback (most recent call last):\n  File "/a/foveal/images.py", line 7, in b\nTypeError: no\n'


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (Result(status=0), "fine"),
        (Result(status=1, err="foveal: error: a.png: no image\n"), "error"),
        (Result(traceback=TRACEBACK), "traceback"),
        (Result(traceback=TRACEBACK + "MemoryError\n"), "memory"),
        (Result(hung=True), "hang"),
        (Result(signal=11), "crash"),
        (Result(status=3), "wrong"),
        (Result(status=0, peak=3000), "memory"),
        (Result(status=1), "untidy"),
        (Result(status=1, err="foveal: error: a\nb: no image\n"), "untidy"),
        (Result(status=1, err="foveal: error: \x1b[31m: no image\n"), "untidy"),
    ],
)
def test_an_outcome_in_a_word(tmp_path, result, outcome):
    assert judged(Job(Call([], tmp_path / "case", {}), {0: ""}), result, tmp_path).outcome == outcome


@pytest.mark.parametrize(
    ("place", "outcome"),
    [
        ("case/out/.ab12.npy", "lost"),
        ("case/out/a.npy", "lost"),
        ("case/x", "wrong"),
        ("x", "wrong"),
        ("case/out/x", "fine"),
    ],
)
def test_files_that_should_not_be_there(tmp_path, place, outcome):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x93NUMPY")
    job = Job(Call([], tmp_path / "case", {}), {0: ""})
    assert judged(job, Result(status=0), tmp_path).outcome == outcome
    job.before = {path}
    assert judged(job, Result(status=0), tmp_path).outcome == "fine"


def test_damaged_photographs_beside_good_ones(tmp_path):
    """One command in a process that stays open; the good photographs' densities are as they are alone."""
    number = list(FIXED).index
    fuzzer = Fuzzer(Images, 0, tmp_path / "images")
    try:
        tally = fuzzer.run([number("text.png"), number("empty.jpg"), number("page.jpg")])
        assert (tally.cases, tally.outcomes["error"], tally.failing) == (3, 3, {})
        fuzzer.subject.densities["good-1.png"] = fuzzer.subject.densities["good-1.png"] + 0.1
        tally = fuzzer.run([number("text.png")])
        assert tally.failing[number("text.png")][1] == Finding("lost", "good-1.png has another density than alone")
    finally:
        fuzzer.close()
    assert not Path(tmp_path / "images/cases").exists()
