"""A folder of one's own."""

import numpy as np
import pandas as pd
import pytest
from toy import make_dataset, make_photograph, write_image

from foveal.datasets import load_dataset, load_folder, save_dataset
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Dataset, Stimuli


@pytest.fixture
def folder(tmp_path):
    write_image(tmp_path / "images/a.png", make_photograph(0))
    write_image(tmp_path / "images/sub/b.jpg", make_photograph(1))
    (tmp_path / "dataset.toml").write_text('name = "mine"\npixels_per_degree = 30\nlicence = "CC0"\n')
    return tmp_path


def write_rows(folder, rows, columns="image,x,y,subject,order,duration_ms"):
    (folder / "fixations.csv").write_text("\n".join([columns, *rows]) + "\n")


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


def test_only_image_x_and_y_are_needed(folder):
    write_rows(folder, ["a.png,10,20"], "image,x,y")
    data = load_folder(folder)
    assert not data.fixations.has_subjects
    assert len(data.fixations) == 1


@pytest.mark.parametrize("fmt", ["csv", "parquet"])
def test_what_is_saved_loads_the_same(tmp_path, fmt):
    data = make_dataset(n_images=3)
    save_dataset(data, tmp_path, fmt)
    again = load_folder(tmp_path)
    for column in ("image", "x", "y", "subject", "order"):
        np.testing.assert_allclose(getattr(again.fixations, column), getattr(data.fixations, column))
    assert (again.stimuli[2].image == data.stimuli[2].image).all()
    assert again.stimuli[0].pixels_per_degree == 4
    save_dataset(again, tmp_path / "copy", fmt)
    assert load_folder(tmp_path / "copy").stimuli.ids == again.stimuli.ids


def test_without_a_scale_35_is_assumed_and_said(folder):
    write_rows(folder, GOOD)
    (folder / "dataset.toml").unlink()
    with pytest.warns(FovealNote, match="35 pixels per degree assumed"):
        assert load_folder(folder).stimuli[0].pixels_per_degree == 35


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
    data = load_folder(folder)
    assert len(data.fixations) == 3
    problems = "\n".join(data.problems)
    assert len(data.problems) == 4
    assert "broken.jpg: not an image" in problems
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
    assert "1 rows do not say their subject" in load_folder(folder).problems[0]


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
