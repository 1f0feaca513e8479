"""A folder of one's own."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tomli_w
from toy import make_dataset, make_photograph, write_image

from foveal.datasets import load_dataset, load_folder, save_dataset
from foveal.errors import FovealError, FovealNote, RowsLeftOut
from foveal.gaze import Dataset, Stimuli


@pytest.fixture
def folder(tmp_path):
    write_image(tmp_path / "images/a.png", make_photograph(0))
    write_image(tmp_path / "images/sub/b.jpg", make_photograph(1))
    (tmp_path / "dataset.toml").write_text('name = "mine"\npixels_per_degree = 30\nlicence = "CC0"\n')
    return tmp_path


def write_rows(folder, rows, columns="image,x,y,subject,order,duration_ms"):
    (folder / "fixations.csv").write_text("\n".join([columns, *rows]) + "\n")


WITH_START = "image,x,y,subject,order,duration_ms,start_ms"
GOOD = ["a.png,10,20,anna,0,200", "a.png,11.5,20.5,ben,0,150", "sub/b.jpg,5,6,anna,0,90"]


def test_a_folder_is_a_data_set(folder):
    write_rows(folder, GOOD)
    data = load_dataset(folder)
    assert (data.name, data.licence, data.problems) == ("mine", "CC0", ())
    assert data.stimuli.ids == ("a.png", "sub/b.jpg")
    assert data.stimuli[0].pixels_per_degree == 30
    assert data.fixations.x.tolist() == [10, 11.5, 5]
    assert data.fixations.subject.tolist() == [0, 1, 0]
    assert data.fixations.duration.tolist() == [200, 150, 90]


def test_onsets_are_those_of_the_table(folder):
    write_rows(folder, [f"{row},{start}" for row, start in zip(GOOD, (30, "", 9.5), strict=True)], WITH_START)
    np.testing.assert_array_equal(load_dataset(folder).fixations.start, [30, np.nan, 9.5])


@pytest.mark.filterwarnings("ignore::foveal.errors.RowsLeftOut")
def test_onsets_follow_from_durations_also_of_what_is_left_out(folder):
    rows = ["a.png,12,20,anna,2,80", "a.png,-50,20,anna,1,150", "a.png,10,20,anna,0,200", "a.png,9,9,ben,1,70"]
    write_rows(folder, rows)
    np.testing.assert_array_equal(load_dataset(folder).fixations.start, [350, 0, np.nan])


def test_only_image_x_and_y_are_needed(folder):
    write_rows(folder, ["a.png,10,20"], "image,x,y")
    data = load_folder(folder)
    assert not data.fixations.has_subjects
    assert len(data.fixations) == 1


@pytest.mark.parametrize("fmt", ["csv", "parquet"])
def test_what_is_saved_loads_the_same(tmp_path, fmt):
    data = make_dataset(n_images=3)
    data = replace(data, fixations=replace(data.fixations, start=100.0 * data.fixations.order + 30))
    save_dataset(data, tmp_path, fmt)
    again = load_folder(tmp_path)
    for column in ("image", "x", "y", "subject", "order", "start"):
        np.testing.assert_allclose(getattr(again.fixations, column), getattr(data.fixations, column))
    assert (again.stimuli[2].image == data.stimuli[2].image).all()
    assert again.stimuli[0].pixels_per_degree == 4
    save_dataset(again, tmp_path / "copy", fmt)
    assert load_folder(tmp_path / "copy").stimuli.ids == again.stimuli.ids


def test_without_a_scale_35_is_assumed_and_said(folder):
    write_rows(folder, GOOD)
    (folder / "dataset.toml").unlink()
    with pytest.warns(FovealNote, match="35 pixels per degree assumed"):
        data = load_folder(folder)
    assert data.stimuli[0].pixels_per_degree == 35
    assert data.stimuli.select([1])[0].known_pixels_per_degree is None  # models know better what to assume
    save_dataset(data, folder / "copy")
    assert "pixels_per_degree" not in (folder / "copy/dataset.toml").read_text()


def test_what_cannot_be_used_is_named_and_the_rest_is_kept(folder):
    (folder / "images/broken.jpg").write_bytes(b"nothing")
    write_rows(
        folder,
        [
            *GOOD,
            "a.png,,20,anna,1,10",
            "a.png,NaN,20,anna,2,10",
            "a.png,inf,20,anna,2,10",
            "a.png,left,20,anna,2,10",
            "a.png,999,20,anna,3,10",
            "gone.png,1,1,anna,4,10",
            "broken.jpg,1,1,anna,4,10",
        ],
    )
    with pytest.warns(RowsLeftOut) as warned:
        data = load_folder(folder)
    assert len(data.fixations) == 3
    assert len(data.problems) == 1
    assert "broken.jpg: not an image" in data.problems[0]
    assert len(data.notes) == 3
    assert [str(warning.message) for warning in warned] == list(data.notes)
    problems = "\n".join(data.notes)
    assert (
        "2 of 10 rows left out: their image is not among the pictures that can be read (first: 'gone.png' in line 10)"
        in problems
    )
    assert "4 of 10 rows left out: x or y is not a number (first: 'a.png' in line 5)" in problems
    assert "1 of 10 rows left out: the fixation is outside its image (first: 'a.png' in line 9)" in problems


def test_subjects_keep_their_names(folder):
    write_rows(folder, ["a.png,1,2,NA,0,9", "a.png,3,4,anna,0,9"])
    data = load_folder(folder)
    assert data.fixations.has_subjects
    assert data.subject_names == ("NA", "anna")
    save_dataset(data, folder / "copy")
    assert load_folder(folder / "copy").subject_names == ("NA", "anna")


def test_a_row_without_subject_is_said(folder):
    write_rows(folder, ["a.png,1,2,,0,9", "a.png,3,4,anna,0,9"])
    with pytest.warns(FovealNote, match="1 rows do not say their subject"):
        assert load_folder(folder).fixations.subject.tolist() == [-1, 0]


def test_orders_that_are_no_whole_numbers_are_not_known(folder):
    write_rows(folder, [f"a.png,1,2,anna,{order},9" for order in ("inf", "1.5", "-3", "2", "x")])
    assert load_folder(folder).fixations.order.tolist() == [-1, -1, -1, 2, -1]


def test_what_a_folder_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    data = make_dataset(n_images=2)
    outside = Dataset("n", Stimuli(data.stimuli.sources, ["../../a", "b"]), data.fixations)
    several = Dataset("n", Stimuli(data.stimuli.sources, pixels_per_degree=[1.0, 2.0]), data.fixations)
    for bad, complaint in ((outside, "no path below"), (several, "differ in pixels per degree")):
        with pytest.raises(FovealError, match=complaint):
            save_dataset(bad, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_saving_again_leaves_one_table(tmp_path):
    data = make_dataset(n_images=2)
    save_dataset(data, tmp_path)
    save_dataset(data.limit(1), tmp_path, "parquet")
    assert len(load_folder(tmp_path).fixations) == 30


def test_categories_are_kept_with_their_pictures(folder, tmp_path):
    write_rows(folder, GOOD)
    assert load_folder(folder).categories == ()
    (folder / "categories.csv").write_text("image,category\nsub/b.jpg,street\n")
    data = load_folder(folder)
    assert data.categories == ("", "street")
    assert data.select([1]).categories == ("street",)
    save_dataset(data.select([1]), tmp_path / "copy")
    assert load_folder(tmp_path / "copy").categories == ("street",)
    (folder / "categories.csv").write_text("image\na.png\n")
    with pytest.raises(FovealError, match="not a table with the columns image and category"):
        load_folder(folder)
    with pytest.raises(FovealError, match="1 categories for 2 images"):
        Dataset("x", data.stimuli, data.fixations, categories=("one",))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda f: (f / "fixations.csv").unlink(), r"no fixations\.csv"),
        (lambda f: (f / "fixations.csv").write_text("image,x\na.png,1\n"), "no column 'y'"),
        (lambda f: (f / "fixations.csv").write_text(""), "not a table"),
        (lambda f: (f / "dataset.toml").write_text("name = "), "not TOML"),
        (lambda f: (f / "dataset.toml").write_text('ppd = "x"'), "no setting 'ppd'"),
        (lambda f: (f / "dataset.toml").write_text('pixels_per_degree = "many"'), "positive number"),
        (lambda f: (f / "dataset.toml").write_text("pixels_per_degree = true"), "positive number"),
        (lambda f: (f / "dataset.toml").write_text("pixels_per_degree = inf"), "positive number"),
        (lambda f: (f / "images").rename(f / "pictures"), "no folder images"),
        (lambda f: (f / "dataset.toml").write_text("pixels_per_degree = " + "9" * 400), "a number of 400 characters"),
        (lambda f: (f / "dataset.toml").write_text("pixels_per_degree = " + "9" * 9999), "not TOML"),
        (lambda f: (f / "dataset.toml").write_text("name = " + "[" * 9999), "not TOML"),
        (lambda f: (f / "dataset.toml").write_bytes(b'name = "\xff"'), "not TOML"),
        (lambda f: (f / "dataset.toml").write_text('units = "inch"'), "units: 'inch' .needs px, fraction, degree"),
        (lambda f: (f / "dataset.toml").write_text('units = ["px"]'), "units: .'px'. .needs px"),
        (lambda f: (f / "dataset.toml").write_text("origin = 2"), "origin: 2 .needs 0, or 1"),
        (lambda f: (f / "dataset.toml").write_text('units = "fraction"\norigin = 1'), "origin: of px, not of fraction"),
        (lambda f: (f / "dataset.toml").write_text('units = "degree"'), "needs pixels_per_degree"),
    ],
)
def test_what_is_wrong_as_a_whole_is_one_clear_line(folder, damage, complaint):
    write_rows(folder, GOOD)
    damage(folder)
    with pytest.raises(FovealError, match=complaint) as caught:
        load_folder(folder)
    assert "\n" not in str(caught.value)


def test_parquet_is_read_like_csv(folder):
    pd.DataFrame({"image": ["a.png"], "x": [1.0], "y": [2.0]}).to_parquet(folder / "fixations.parquet")
    assert load_folder(folder).fixations.y.tolist() == [2.0]


BAD_NAMES = ["../../../x", "/x", "a/b", "a\\b", "..", "", "  ", "a\nb", "a\x1b[31mb", "\u2028", "n" * 201]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_plain_name_is_refused(folder, tmp_path, name):
    write_rows(folder, GOOD)
    (folder / "dataset.toml").write_text(tomli_w.dumps({"name": name, "pixels_per_degree": 30}))
    with pytest.raises(FovealError, match=r"dataset.toml: name: .*needs 1 to 200 characters, no slashes") as caught:
        load_folder(folder)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    with pytest.raises(FovealError, match="name: "):
        save_dataset(replace(make_dataset(n_images=2), name=name), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_settings_may_begin_with_a_byte_order_mark(folder):
    write_rows(folder, GOOD)
    (folder / "dataset.toml").write_text('name = "studie, 2"\npixels_per_degree = 30\n', encoding="utf-8-sig")
    assert load_folder(folder).name == "studie, 2"


IDS = ["01", "1", "001", "1e2", "100", "10e1", "NA", "null", "1.0", "True", " b", "b ", 'a "quoted", one', "two\nlines"]


@pytest.mark.parametrize("fmt", ["csv", "parquet"])
def test_ids_stay_as_they_are_written_and_keep_so(folder, fmt):
    table = pd.DataFrame({"image": "a.png", "x": np.arange(len(IDS)) + 1, "y": 5, "subject": IDS})
    table.to_csv(folder / "fixations.csv", index=False)
    data = load_folder(folder)
    assert data.subject_names == tuple(IDS)
    assert data.fixations.subject.tolist() == list(range(len(IDS)))
    save_dataset(data, folder / "copy", fmt)
    assert load_folder(folder / "copy").subject_names == tuple(IDS)


def test_observers_of_a_long_table_are_not_guessed_by_parts(folder):
    """What pandas reads in parts, it would call a number here and a text there."""
    rows = [f"a.png,{i % 80},{i % 59 + 1},{'01' if i < 40_000 else 'x1'}" for i in range(1, 50_000)]
    write_rows(folder, rows, "image,x,y,subject")
    data = load_folder(folder)
    assert data.subject_names == ("01", "x1")
    assert np.bincount(data.fixations.subject).tolist() == [39_999, 10_000]


def test_pictures_are_found_by_names_of_other_systems(folder):
    write_image(folder / "images/sub/straße.png", make_photograph(2))
    rows = [*GOOD, "A.PNG,1,1", "sub\\b.jpg,1,1", "images/a.png,1,1", "sub/b,1,1", "sub/STRASSE.png,1,1"]
    write_rows(folder, rows, "image,x,y,subject,order,duration_ms")
    with pytest.warns(FovealNote) as warned:
        data = load_folder(folder)
    assert np.bincount(data.fixations.image).tolist() == [3, 3, 1]
    assert [str(warning.message).split("fixations.csv: ")[1] for warning in warned] == [
        "1 of 8 rows name their picture in another spelling (Unicode form, backslashes, spaces) "
        r"(first: 'sub\\b.jpg' in line 6, taken for 'sub/b.jpg')",
        "2 of 8 rows name their picture in other letter case (first: 'A.PNG' in line 5, taken for 'a.png')",
        "1 of 8 rows name their picture without its ending (first: 'sub/b' in line 8, taken for 'sub/b.jpg')",
        "4 rows do not say their subject, so there is no gold standard",
        "1 of 8 rows left out: it is not clear which picture they name (first: 'images/a.png' in line 7)",
    ]


def test_a_picture_that_cannot_be_read_is_not_replaced_by_another(folder):
    (folder / "images/sub/c.png").write_bytes(b"nothing")
    write_image(folder / "images/c.png", make_photograph(2))
    write_rows(folder, [*GOOD, "sub/C.png,1,1,anna,0,9"])
    with pytest.warns(FovealNote):
        data = load_folder(folder)
    assert len(data.fixations) == 3


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["gone.png,1,2", "x.png,3,4"], "none of its 2 rows can be used: their image is not among the pictures"),
        (["gone.png,1,2", "a.png,9999,4", "a.png,-9,4"], "none of its 3 rows can be used: the fixation is outside"),
        (["wide.png,-2.5,1.5", "wide.png,2.5,-1.5"], 'outside its image .*; 2 of 2 positions .* say units = "degree"'),
        (["a.png,1,2,3,4"], "none of its 1 rows can be used: they have more fields than the header .first: line 2"),
    ],
)
def test_if_no_row_can_be_used_the_reason_is_said(folder, rows, complaint):
    write_rows(folder, rows, "image,x,y")
    write_image(folder / "images/wide.png", make_photograph(2, (60, 200)))
    with pytest.raises(FovealError, match=complaint):
        load_folder(folder)


@pytest.mark.parametrize("rows", [[], ["", " ", ",,"]])
def test_a_table_may_have_no_rows(folder, rows):
    """Pictures alone can be predicted (`foveal export`)."""
    write_rows(folder, rows, "image,x,y")
    data = load_folder(folder)
    assert (len(data), len(data.fixations), data.notes) == (2, 0, ())


def test_categories_of_unknown_pictures_are_said(folder):
    write_rows(folder, GOOD)
    (folder / "categories.csv").write_text("image;category\ngone.png;street\nA.png;01\n")
    with pytest.warns(FovealNote) as warned:
        assert load_folder(folder).categories == ("01", "")
    lines = "\n".join(str(warning.message) for warning in warned)
    assert "categories.csv: 1 of 2 rows left out: their image is not among the pictures" in lines
    assert "categories.csv: 1 of 2 rows name their picture in other letter case" in lines


@pytest.mark.parametrize(
    ("settings", "rows", "x", "y"),
    [
        ('units = "px"\norigin = 1', ["a.png,1,1", "a.png,80,60", "a.png,40.5,3"], [0, 79, 39.5], [0, 59, 2]),
        ('units = "fraction"', ["a.png,0.5,0.5", "a.png,0.25,0.1", "a.png,1,1"], [39.5, 19.5, 79.5], [29.5, 5.5, 59.5]),
        ('units = "degree"', ["a.png,0,0", "a.png,1,-0.5", "a.png,-1,0.5"], [39.5, 69.5, 9.5], [29.5, 14.5, 44.5]),
    ],
)
def test_positions_may_be_counted_otherwise(folder, settings, rows, x, y):
    """The picture has 80 x 60 px and 30 px per degree."""
    write_rows(folder, rows, "image,x,y")
    (folder / "dataset.toml").write_text(f"pixels_per_degree = 30\n{settings}\n")
    fixations = load_folder(folder).fixations
    np.testing.assert_allclose(fixations.x, x, atol=1e-5)
    np.testing.assert_allclose(fixations.y, y, atol=1e-5)
    assert fixations.pixel_x.max() <= 79


def test_what_cannot_be_looked_into_is_one_clear_line(folder, monkeypatch):
    def refused(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    write_rows(folder, GOOD)
    monkeypatch.setattr("foveal.datasets.folder.find_images", refused)  # root may look anywhere
    with pytest.raises(FovealError, match=r"images: cannot be read .Permission denied"):
        load_folder(folder)
    with pytest.raises(FovealError, match="no file can be called"):
        load_dataset("/" + "n" * 5000)


def test_a_picture_whose_name_is_in_another_encoding_is_named_and_left_out(folder):
    """Tables, HDF5 and JSON hold Unicode only."""
    write_rows(folder, GOOD)
    os.link(folder / "images/a.png", os.fsencode(folder / "images") + b"/caf\xe9.png")
    data = load_folder(folder)
    assert not any("caf" in name for name in data.stimuli.ids)
    assert any("its name is no UTF-8" in line for line in data.problems)
