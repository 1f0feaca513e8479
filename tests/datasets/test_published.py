"""What is each published data set's own: origin and units of positions, order of images, parts, and bad files."""

import json

import h5py
import numpy as np
import pytest
import scipy.io
from miniatures import cat2000, coco_freeview, dut_omron, figrim, isun, mit300, pascal_s, toronto, ueyes
from toy import make_photograph, write_image

import foveal
from foveal.datasets import load_dataset
from foveal.errors import FovealError, RowsLeftOut


def places(fixations):
    return [tuple(row) for row in np.stack([fixations.image, fixations.x, fixations.y], axis=1).tolist()]


def expect_one_line(name, root, complaint):
    with pytest.raises(FovealError, match=complaint) as raised:
        load_dataset(name, root)
    assert "\n" not in str(raised.value)
    assert str(root / name) in str(raised.value)


def test_cat2000_is_read_from_maps(tmp_path):
    cat2000.write(tmp_path / "cat2000")
    data = load_dataset("cat2000", tmp_path)
    assert data.stimuli.ids == ("Action/001.jpg", "Satelite/001.jpg")
    assert data.categories == ("Action", "Satelite")
    assert places(data.fixations) == [(0, 0, 0), (0, 79, 59), (1, 20, 10)]
    (tmp_path / "cat2000/trainSet").rename(tmp_path / "moved")
    (tmp_path / "cat2000").rmdir()
    (tmp_path / "moved").rename(tmp_path / "cat2000")
    assert len(load_dataset("cat2000", tmp_path)) == 2


def test_cat2000_with_a_map_of_another_size(tmp_path):
    cat2000.write(tmp_path / "cat2000")
    cat2000.write_map(tmp_path / "cat2000/trainSet/FIXATIONLOCS/Action/001.mat", [], (80, 60))
    expect_one_line("cat2000", tmp_path, r"001\.mat: fixLocs: a map of 80 x 60, and its picture has 60 rows and 80 col")
    scipy.io.savemat(tmp_path / "cat2000/trainSet/FIXATIONLOCS/Action/001.mat", {"other": 1})
    expect_one_line("cat2000", tmp_path, "holds no variable 'fixLocs'")


def test_ueyes_maps_the_screen_to_the_picture(tmp_path):
    ueyes.write(tmp_path / "ueyes")
    data = load_dataset("ueyes", tmp_path)
    assert data.stimuli.ids == ("tall.png", "wide.jpg")
    assert data.categories == ("mobile", "web")
    assert {split: images.tolist() for split, images in data.splits.items()} == {"train": [0], "test": [1]}
    # The middle of the screen is the middle of each picture. The tall one is ten times as large on the screen, so a
    # quarter of its height is 30 px above; the wide one sixteen times, so a quarter of the width is 30 px to the left.
    np.testing.assert_allclose(data.fixations.x, [29.5, 29.5, 59.5, 29.5], atol=1e-4)
    np.testing.assert_allclose(data.fixations.y, [59.5, 29.5, 29.5, 29.5], atol=1e-4)
    assert data.fixations.image.tolist() == [0, 0, 1, 1]
    assert data.fixations.subject.tolist() == [1, 1, 1, 0]
    np.testing.assert_allclose(data.fixations.duration, [200, 350, 200, 200])
    np.testing.assert_allclose(data.stimuli.pixels_per_degree, [40 / 10, 40 / 16])


def test_ueyes_says_what_it_leaves_out_and_what_is_missing(tmp_path):
    folder = tmp_path / "ueyes"
    ueyes.write(folder)
    log = folder / "eyetracker_logs/02_kh007_fixations.csv"
    log.write_text(ueyes.HEADER + ueyes.row("other.png", 0.5, 0.5) + ueyes.row("tall.png", 0.5, 0.5)[:-1] + "1,2,3\n")
    with pytest.warns(RowsLeftOut) as warned:
        data = load_dataset("ueyes", tmp_path)
    assert [str(warning.message).split("rows")[1] for warning in warned] == [
        " left out: their picture is not in images",
        " left out: they have more fields than the header",
    ]
    assert len(data.fixations) == 4
    log.write_text("a,b\n1,2\n")
    expect_one_line("ueyes", tmp_path, r"02_kh007_fixations\.csv: not a table with the columns MEDIA_NAME, FPOGX")
    log.unlink()
    (folder / "image_types.csv").write_text("Image Name;Category\ntall.png;web\n")
    expect_one_line("ueyes", tmp_path, r"image_types\.csv: says nothing of wide\.jpg")
    write_image(folder / "images/block 0/tall.png", make_photograph())
    expect_one_line("ueyes", tmp_path, "3 pictures with 2 names")


def test_coco_freeview_is_on_the_screen(tmp_path):
    coco_freeview.write(tmp_path / "coco-freeview")
    data = load_dataset("coco-freeview", tmp_path)
    assert data.stimuli.ids == ("000001.jpg", "000002.jpg")
    assert {split: images.tolist() for split, images in data.splits.items()} == {"train": [1], "valid": [0]}
    assert places(data.fixations) == [(0, 5.5, 6.5), (1, 840, 525), (1, 1679, 1049), (1, 0, 0)]
    assert data.fixations.subject.tolist() == [0, 9, 9, 0]
    assert data.fixations.order.tolist() == [0, 0, 1, 0]
    assert data.fixations.duration.tolist() == [250, 200, 150.5, 300]


def test_coco_freeview_with_bad_files(tmp_path):
    folder = tmp_path / "coco-freeview"
    coco_freeview.write(folder)
    rows = [coco_freeview.scanpath("000002.jpg", 1, "train", [(1, 2, 3)])]
    for change, complaint in (
        ({"X": ["a"]}, "000002.jpg, subject 1: X, Y and T must be lists of numbers"),
        ({"X": [1, 2]}, "x, y and duration differ in length"),
        ({"name": "3.jpg"}, r"no images/3\.jpg under"),
    ):
        (folder / coco_freeview.FIXATIONS).write_text(json.dumps([rows[0] | change]))
        expect_one_line("coco-freeview", tmp_path, complaint)
    (folder / coco_freeview.FIXATIONS).write_text("{}")
    expect_one_line("coco-freeview", tmp_path, "a list is needed, not dict")
    (folder / coco_freeview.FIXATIONS).write_text(json.dumps(rows))
    for place in ("bottle", "bowl"):
        write_image(folder / f"images/{place}/000002.jpg", np.zeros((320, 512, 3), np.uint8))
    expect_one_line("coco-freeview", tmp_path, "512 x 320 px; pictures of the whole screen are needed, 1680 x 1050")


def test_pascal_s_counts_from_one(tmp_path):
    pascal_s.write(tmp_path / "pascal-s")
    data = load_dataset("pascal-s", tmp_path)
    assert data.stimuli.ids == ("1.jpg", "2.jpg", "3.jpg")
    assert places(data.fixations) == [(0, 79, 59), (0, 0, 0), (0, 39, 29), (2, 19, 9)]
    assert data.fixations.subject.tolist() == [0, 1, 1, 7]
    assert data.fixations.order.tolist() == [0, 0, 1, 0]


def test_pascal_s_with_bad_files(tmp_path):
    folder = tmp_path / "pascal-s"
    pascal_s.write(folder)
    mat = folder / "datasets/fixations/pascalFix.mat"
    pascal_s.write_cells(mat, [[[1, 1, 1]]])
    expect_one_line("pascal-s", tmp_path, r"fixations on 1 photographs, but 3 are there")
    pascal_s.write_cells(mat, [[[1, 1]], [], []])
    expect_one_line("pascal-s", tmp_path, "rows of 3 numbers are needed")
    with h5py.File(mat, "w") as file:
        file["fixCell"] = np.ones((3, 1))
    expect_one_line("pascal-s", tmp_path, "holds no cell array 'fixCell' that can be read .fixCell is no cell array")
    with h5py.File(mat, "w") as file:
        file["text"] = "abc"
        file.create_dataset("fixCell", data=np.array([file["text"].ref], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)
    expect_one_line("pascal-s", tmp_path, "cell 1 of fixCell: no array of numbers, but object")
    mat.write_bytes(mat.read_bytes()[:100])
    expect_one_line("pascal-s", tmp_path, r"pascalFix\.mat: holds no cell array 'fixCell' that can be read")


def test_toronto_is_in_the_order_of_its_numbers(tmp_path):
    toronto.write(tmp_path / "toronto")
    data = load_dataset("toronto", tmp_path)
    assert data.stimuli.ids == ("1.jpg", "2.jpg", "10.jpg")
    assert places(data.fixations) == [(0, 0, 0), (1, 2, 1), (1, 67, 50), (2, 4, 3)]
    toronto.write_maps(tmp_path / "toronto/eyetrackingdata/fixdens/origfixdata.mat", [[], []])
    expect_one_line("toronto", tmp_path, "maps of 2 photographs, but 3 are there")


def test_isun_has_three_parts(tmp_path):
    isun.write(tmp_path / "isun")
    data = load_dataset("isun", tmp_path)
    assert data.stimuli.ids == ("b.jpg", "a.jpg", "d.jpg", "c.jpg")
    splits = {split: images.tolist() for split, images in data.splits.items()}
    assert splits == {"training": [0, 1], "validation": [2], "testing": [3]}
    assert places(data.fixations) == [(0, 1, 2), (0, 3, 4), (0, 5, 6), (1, 7, 8), (2, 9, 10)]
    assert data.fixations.subject.tolist() == [0, 0, 1, 0, 0]
    (tmp_path / "isun/testing.mat").unlink()
    assert len(load_dataset("isun", tmp_path)) == 3


def test_isun_with_bad_files(tmp_path):
    isun.write(tmp_path / "isun")
    scipy.io.savemat(tmp_path / "isun/validation.mat", {"validation": {"image": "a", "gaze": {"other": 1}}})
    expect_one_line("isun", tmp_path, r"validation\.mat: a struct without the field 'fixation'")
    isun.write_part(tmp_path / "isun/validation.mat", {"x": [[[1, 2]]]})
    expect_one_line("isun", tmp_path, r"no images/x\.jpg under")


def test_figrim_takes_the_first_time_that_somebody_saw_an_image(tmp_path):
    figrim.write(tmp_path / "figrim")
    data = load_dataset("figrim", tmp_path)
    assert data.stimuli.ids == ("Targets/attic/zt.jpg", "Fillers/bridge/af.jpg")
    assert data.categories == ("attic", "bridge")
    assert {split: images.tolist() for split, images in data.splits.items()} == {"targets": [0], "fillers": [1]}
    assert places(data.fixations) == [(0, 1, 2), (0, 3, 4), (0, 6, 7), (1, 9, 10)]
    assert data.fixations.subject.tolist() == [0, 0, 1, 1]


def test_figrim_with_one_part_and_with_bad_files(tmp_path):
    folder = tmp_path / "figrim"
    figrim.write(folder)
    (folder / "Targets").rename(tmp_path / "elsewhere")
    assert len(load_dataset("figrim", tmp_path)) == 1
    figrim.write_part(folder / "allImages_fillers.mat", {"zt.jpg": [None]})
    expect_one_line("figrim", tmp_path, r"no Fillers/zt\.jpg under")
    scipy.io.savemat(folder / "allImages_fillers.mat", {"allImages": {"filename": "af.jpg"}})
    expect_one_line("figrim", tmp_path, "a struct without the field 'userdata'")


def test_dut_omron_counts_from_zero_and_begins_with_the_size(tmp_path):
    dut_omron.write(tmp_path / "dut-omron")
    data = load_dataset("dut-omron", tmp_path)
    assert places(data.fixations) == [(0, 0, 0), (0, 79, 59), (0, 4, 5)]
    assert data.fixations.subject.tolist() == [1, 0, 1]
    assert (data.fixations.order == -1).all()
    mat = tmp_path / "dut-omron/DUT-OMRON-eye-fixations/mat/sun_a.mat"
    scipy.io.savemat(mat, {"s": np.zeros((4, 2))})
    expect_one_line("dut-omron", tmp_path, r"sun_a\.mat: rows of 3 numbers are needed")
    mat.unlink()
    expect_one_line("dut-omron", tmp_path, r"no DUT-OMRON-eye-fixations/mat/sun_a\.mat under")


def test_mit300_can_be_predicted_but_not_measured(tmp_path):
    mit300.write(tmp_path / "mit300")
    data = load_dataset("mit300", tmp_path)
    assert data.stimuli.ids == ("i1.jpg", "i2.jpg", "i10.jpg")
    assert len(data.fixations) == 0
    written = foveal.export("centerbias", "mit300", tmp_path / "out.hdf5", data_root=tmp_path)
    assert written.n_images == 3
    with pytest.raises(FovealError, match="mit300") as raised:
        foveal.evaluate("centerbias", "mit300", data_root=tmp_path)
    assert "\n" not in str(raised.value)
