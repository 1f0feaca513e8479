"""Published layouts, in small copies that the tests make, and the real files where they are."""

import numpy as np
import pytest
import scipy.io
from miniatures import mit1003, scene
from miniatures.structs import SCANPATHS, write_structs
from toy import make_photograph, write_image

import foveal
from foveal.datasets import dataset_cards, load_dataset
from foveal.errors import FovealError, RowsLeftOut


def test_osie(tmp_path):
    write_structs(tmp_path / "osie/data/eye/fixations.mat", tmp_path / "osie/data/stimuli", SCANPATHS)
    data = load_dataset("osie", tmp_path)
    assert data.categories[0] == "tabletop_closeup"
    assert data.stimuli.ids == ("1001.jpg", "1002.jpg")
    # The first fixation of each scanpath is forced, and left out; MATLAB counts from one; (500, 20) is outside.
    assert data.fixations.image.tolist() == [0, 1, 1]
    np.testing.assert_allclose(data.fixations.x, [9.0, 79.4, 1.0])
    np.testing.assert_allclose(data.fixations.y, [0.0, 59.0, 2.0])
    assert data.fixations.subject.tolist() == [0, 0, 1]
    assert data.fixations.order.tolist() == [1, 1, 1]
    assert data.fixations.duration.tolist() == [150.0, 100.0, 80.0]
    assert data.fixations.start.tolist() == [200.0, 210.0, 220.0]  # the first fixation took its time
    assert data.stimuli[0].pixels_per_degree == 24
    assert data.licence == "MIT"
    assert data.splits["fold1"].tolist() == [1]


@pytest.mark.parametrize("base", ["eyecrowd", "eyecrowd/data"])
def test_eyecrowd_in_both_places(tmp_path, base):
    write_structs(tmp_path / base / "eye/fixations.mat", tmp_path / base / "stimuli", SCANPATHS)
    data = load_dataset("eyecrowd", tmp_path)
    assert (len(data), len(data.fixations)) == (2, 3)
    assert data.stimuli[0].pixels_per_degree == 26
    assert data.heads == ()


def test_eyecrowd_says_where_heads_are(tmp_path):
    base = tmp_path / "eyecrowd"
    write_structs(base / "eye/fixations.mat", base / "stimuli", SCANPATHS)
    heads = [{"left": 11.0, "top": 1.5, "width": 20.0, "height": 30.0, "isBackFace": back} for back in (0, 1)]
    labels = [{"img": "1002.jpg", "faces": heads}, {"img": "1001.jpg", "faces": heads[:1]}]
    scipy.io.savemat(base / "labels.mat", {"labels": labels})
    one, two = load_dataset("eyecrowd", tmp_path).heads
    np.testing.assert_allclose(one.boxes, [[10, 0.5, 20, 30]])
    assert two.has_face.tolist() == [True, False]
    scipy.io.savemat(base / "labels.mat", {"labels": labels[:1]})
    with pytest.raises(FovealError, match=r"labels\.mat: says nothing of 1001\.jpg"):
        load_dataset("eyecrowd", tmp_path)


def test_mit1003_converted_keeps_every_fixation_inside(tmp_path):
    base = tmp_path / "mit1003/data/mit"
    write_structs(base / "eye/fixations.mat", base / "stimuli", SCANPATHS)
    data = load_dataset("mit1003", tmp_path)
    assert len(data.fixations) == 7
    assert np.isnan(data.fixations.start).all()  # nobody knows how long the first fixations were
    assert data.splits["othersizes"].tolist() == [0, 1]
    assert data.splits["onesize"].tolist() == []


def test_mit1003_as_released(tmp_path):
    mit1003.write(tmp_path / "mit1003")
    data = load_dataset("mit1003", tmp_path)
    # The fixation on the cross is left out, and MATLAB counts from one.
    np.testing.assert_allclose(data.fixations.x, [299.0, 699.0])
    assert data.fixations.subject.tolist() == [0, 1]
    np.testing.assert_allclose(data.fixations.start, [1000 * 68 / 240] * 2, atol=20)
    assert data.splits["onesize"].tolist() == [0]


def test_scene(tmp_path):
    scene.write(tmp_path / "scene")
    data = load_dataset("scene", tmp_path)
    np.testing.assert_allclose(data.fixations.x, [20.0, 21.0, 1.5, 79.4])
    np.testing.assert_allclose(data.fixations.y, [10.0, 11.0, 0.5, 59.4])
    np.testing.assert_allclose(data.fixations.duration, [200, 300, 100, 100])
    np.testing.assert_allclose(data.fixations.start, [100, 400, 0, 0])
    assert data.stimuli[1].pixels_per_degree == pytest.approx(90 / 30)


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        ({"other": 1}, "holds no variable 'fixations'"),
        ({"fixations": {"img": "1001.jpg"}}, "without the field 'subjects'"),
        ({"fixations": {"img": "1001.jpg", "subjects": {"fix_x": [1.0], "fix_y": [1.0]}}}, "field 'fix_duration'"),
    ],
)
def test_a_mat_file_without_a_field_names_it(tmp_path, contents, complaint):
    write_structs(tmp_path / "osie/data/eye/fixations.mat", tmp_path / "osie/data/stimuli", {"1001.jpg": []})
    scipy.io.savemat(tmp_path / "osie/data/eye/fixations.mat", contents)
    with pytest.raises(FovealError, match=complaint) as caught:
        load_dataset("osie", tmp_path)
    assert "\n" not in str(caught.value)


def test_nan_coordinates_are_left_out_and_said(tmp_path):
    images = {"1001.jpg": [([1.0, np.nan, 5.0], [1.0, 2.0, 5.0], [9.0, 9.0, 9.0])], "1002.jpg": SCANPATHS["1002.jpg"]}
    write_structs(tmp_path / "osie/data/eye/fixations.mat", tmp_path / "osie/data/stimuli", images)
    with pytest.warns(RowsLeftOut, match="1 fixations without coordinates left out .first: image 1, subject 1"):
        data = load_dataset("osie", tmp_path)
    assert data.fixations.for_image(0).x.tolist() == [4.0]
    assert len(data.notes) == 1


def test_columns_of_different_length_name_the_scanpath(tmp_path):
    images = {"1001.jpg": [([1.0, 2.0], [1.0, 2.0], [9.0, 9.0]), ([1.0, 2.0], [1.0], [9.0, 9.0])]}
    write_structs(tmp_path / "osie/data/eye/fixations.mat", tmp_path / "osie/data/stimuli", images)
    with pytest.raises(FovealError, match="image 1, subject 2: x, y and duration differ in length"):
        load_dataset("osie", tmp_path)


def test_a_layout_that_only_looks_like_the_published_one(tmp_path):
    (tmp_path / "scene/tidy").mkdir(parents=True)
    write_image(tmp_path / "scene/stimuli/001.jpg", make_photograph(0))
    write_image(tmp_path / "scene/stimuli/002.jpg", make_photograph(0))
    cells = np.empty((2, 2), dtype=object)
    cells[:] = [[np.zeros((1, 3))] * 2] * 2
    for contents in ({"fixations": cells}, {"fixations": {"a": 1}}):
        scipy.io.savemat(tmp_path / "scene/tidy/fixations.mat", contents)
        with pytest.raises(FovealError, match="not laid out as published"):
            load_dataset("scene", tmp_path)
    (tmp_path / "mit1003/ALLSTIMULI").mkdir(parents=True)
    (tmp_path / "mit1003/DATA").mkdir()
    with pytest.raises(FovealError, match="0 photographs in ALLSTIMULI, 0 observers in DATA"):
        load_dataset("mit1003", tmp_path)


def test_a_broken_mat_file_and_a_missing_photograph(tmp_path):
    write_structs(tmp_path / "osie/data/eye/fixations.mat", tmp_path / "osie/data/stimuli", SCANPATHS)
    (tmp_path / "osie/data/stimuli/1002.jpg").unlink()
    with pytest.raises(FovealError, match=r"no data/stimuli/1002\.jpg under"):
        load_dataset("osie", tmp_path)
    (tmp_path / "osie/data/eye/fixations.mat").write_bytes(b"not matlab")
    with pytest.raises(FovealError, match="not a MATLAB file"):
        load_dataset("osie", tmp_path)


def test_unknown_names(tmp_path):
    with pytest.raises(FovealError, match="no data set 'salicon'"):
        load_dataset("salicon", tmp_path)
    with pytest.raises(FovealError, match="no such folder"):
        load_dataset(str(tmp_path / "nothing"))


def test_the_root_is_found_by_the_variable(tmp_path, monkeypatch):
    write_structs(tmp_path / "osie/data/eye/fixations.mat", tmp_path / "osie/data/stimuli", SCANPATHS)
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path))
    assert len(foveal.load_dataset("osie")) == 2


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "fixations"), [("osie", 87821), ("mit1003", 104170), ("eyecrowd", 118351), ("scene", 43894)]
)
def test_the_real_data_sets(shared, name, fixations):
    data = load_dataset(name, shared / "data")
    card = next(card for card in dataset_cards() if card.name == name)
    assert len(data) == card.images
    assert len(data.fixations.subjects) == card.observers
    assert len(data.fixations) == fixations
    if name == "mit1003":
        assert {key: len(value) for key, value in data.splits.items()} == {"onesize": 463, "othersizes": 540}
    else:
        folds = [data.splits[f"fold{k}"] for k in range(10)]
        assert sorted(np.concatenate(folds).tolist()) == list(range(len(data)))


@pytest.mark.shared
def test_osie_falls_on_the_pixels_of_the_reference_mask(shared):
    with np.load(shared / "reference/metrics/1001.npz") as reference:
        mask = reference["fixations"]
    fixations = load_dataset("osie", shared / "data").fixations.for_image(0)
    # The mask was made with another rule for coordinates that lie just between two pixels.
    between = (fixations.x % 1 == 0.5) | (fixations.y % 1 == 0.5)
    assert mask[fixations.pixel_y, fixations.pixel_x][~between].all()
    assert between.mean() < 0.2
