"""SALICON: pixels from zero, who is told from whom, and that thousands of files are read once."""

import json

import numpy as np
import pytest
import scipy.io
from miniatures import salicon_2017, salicon_mouse

from foveal.datasets import load_dataset, salicon
from foveal.datasets.matlab import read_mat
from foveal.errors import FovealError, FovealNote, RowsLeftOut

TRAIN, VAL = (f"fixations/{part}/{salicon_2017.STEMS[part]}.mat" for part in ("train", "val"))


@pytest.mark.parametrize("name", ["salicon-2015", "salicon-2017"])
def test_fixations_and_splits(tmp_path, name):
    salicon_2017.write(tmp_path / name)
    data = load_dataset(name, tmp_path)
    assert {split: images.tolist() for split, images in data.splits.items()} == {"train": [0], "val": [1], "test": [2]}
    np.testing.assert_array_equal(data.fixations.x, [0, 79, 39, 9])
    np.testing.assert_array_equal(data.fixations.y, [0, 59, 29, 19])
    assert data.fixations.image.tolist() == [0, 0, 0, 1]
    assert data.fixations.subject.tolist() == [0, 0, 1, 0]
    assert data.fixations.order.tolist() == [0, 1, 0, 0]
    assert np.isnan(data.fixations.duration).all()
    assert data.stimuli[0].pixels_per_degree == pytest.approx(80 / 30)
    assert data.stimuli[0].known_pixels_per_degree is None


def test_workers_of_the_json_are_known_beyond_a_photograph(tmp_path):
    salicon_mouse.write(tmp_path / "salicon-mouse")
    fixations = load_dataset("salicon-mouse", tmp_path).fixations
    assert fixations.x.tolist() == [0, 79, 39, 9]
    assert fixations.y.tolist() == [0, 59, 29, 19]
    assert fixations.subject.tolist() == [0, 0, 1, 1]


def test_fixations_without_coordinates_are_left_out_and_said(tmp_path):
    folder = tmp_path / "salicon-2017"
    salicon_2017.write(folder)
    salicon_2017.write_gaze(folder / VAL, [[[5, 5], [np.nan, 5], [6, 6]]])
    for _ in range(2):  # also when they were kept
        with pytest.warns(RowsLeftOut, match="1 fixations without coordinates left out"):
            fixations = load_dataset("salicon-2017", tmp_path).fixations.for_image(1)
        assert (fixations.x.tolist(), fixations.order.tolist()) == ([4, 5], [0, 2])


def test_only_the_parts_that_are_there(tmp_path):
    folder = tmp_path / "salicon-2017"
    salicon_2017.write(folder)
    for part in ("train", "test"):
        (folder / "images" / part / f"{salicon_2017.STEMS[part]}.jpg").unlink()
    data = load_dataset("salicon-2017", tmp_path)
    assert (len(data), len(data.fixations), list(data.splits)) == (1, 1, ["val"])


def test_a_photograph_without_its_file_and_a_damaged_file(tmp_path):
    folder = tmp_path / "salicon-2017"
    salicon_2017.write(folder)
    (folder / VAL).unlink()
    with pytest.raises(FovealError, match=f"no {VAL} under"):
        load_dataset("salicon-2017", tmp_path)
    (folder / VAL).write_bytes(b"no")
    with pytest.raises(FovealError, match=r"\.mat: not a MATLAB file") as raised:
        load_dataset("salicon-2017", tmp_path)
    assert "\n" not in str(raised.value)
    scipy.io.savemat(folder / VAL, {"gaze": {"fixations": np.ones((2, 3))}})
    with pytest.raises(FovealError, match=r"\.mat: rows of 2 numbers are needed"):
        load_dataset("salicon-2017", tmp_path)


def test_files_are_read_once_and_again_when_one_changes(tmp_path, monkeypatch):
    folder = tmp_path / "salicon-2017"
    salicon_2017.write(folder)
    first = load_dataset("salicon-2017", tmp_path)
    asked = []
    monkeypatch.setattr(salicon, "read_mat", lambda *mat: asked.append(mat) or read_mat(*mat))
    again = load_dataset("salicon-2017", tmp_path)
    assert asked == []
    assert again.fixations.digest() == first.fixations.digest()
    salicon_2017.write_gaze(folder / TRAIN, [[[5, 5]]] * 4)
    assert load_dataset("salicon-2017", tmp_path).fixations.for_image(0).x.tolist() == [4] * 4
    assert len(asked) == 2


def test_a_damaged_or_missing_cache_costs_nothing_but_time(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    salicon_2017.write(tmp_path / "salicon-2017")
    first = load_dataset("salicon-2017", tmp_path).fixations.digest()
    (kept,) = (tmp_path / "cache").rglob("salicon-2017.npz")
    kept.write_bytes(kept.read_bytes()[:50])
    assert load_dataset("salicon-2017", tmp_path).fixations.digest() == first
    (tmp_path / "file").write_bytes(b"no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.warns(FovealNote, match="are read again the next time"):
        assert load_dataset("salicon-2017", tmp_path).fixations.digest() == first


def test_many_files_are_announced(tmp_path, monkeypatch):
    monkeypatch.setattr("foveal.datasets.read_once.MANY", 1)
    salicon_2017.write(tmp_path / "salicon-2017")
    with pytest.warns(FovealNote, match="salicon-2017: 2 files are read, which takes minutes"):
        load_dataset("salicon-2017", tmp_path)


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        ("{", "not JSON that can be read"),
        ("[" * 100_000, "not JSON that can be read"),
        ("{}", "a list is needed, not NoneType"),
        ('{"images": [{"id": 1}], "annotations": []}', "entry 1 without the field 'file_name' .it has id"),
        (
            '{"images": [], "annotations": [{"image_id": 3, "worker_id": "a", "fixations": []}]}',
            "image 3, which is not among its images",
        ),
    ],
)
def test_bad_json_names_the_file_and_what_is_wrong(tmp_path, contents, complaint):
    folder = tmp_path / "salicon-mouse"
    salicon_mouse.write(folder)
    (folder / "annotations/fixations_val2014r1.json").write_text(contents)
    with pytest.raises(FovealError, match=complaint) as raised:
        load_dataset("salicon-mouse", tmp_path)
    assert "fixations_val2014r1.json" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_two_releases_of_the_json_at_once(tmp_path):
    folder = tmp_path / "salicon-mouse"
    salicon_mouse.write(folder)
    (folder / "annotations/fixations_val2014.json").write_text(json.dumps({}))
    with pytest.raises(FovealError, match=r"2 files fixations_val\*\.json; keep one"):
        load_dataset("salicon-mouse", tmp_path)
