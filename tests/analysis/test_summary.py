"""What is in a data set."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy import make_dataset, make_photograph

from foveal.analysis.summary import save_summary, summarize
from foveal.benchmarking import evaluate
from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.images import read_image


def small(**columns):
    """Two fixations of one observer on the first of three pictures, one of another on the second."""
    given = {"subject": [0, 0, 1], "order": [1, 2, 1], "duration": [100.0, 300.0, np.nan]} | columns
    fixations = Fixations.of([0, 0, 1], [39.5, 0.0, 39.5], [29.5, 0.0, 45.0], **given)
    stimuli = Stimuli([make_photograph(seed) for seed in range(3)], ["a", "b", "c"], 10.0)
    return Dataset("small", stimuli, fixations, subject_names=("anna", "ben"))


def test_fixations_by_image_and_observer():
    summary = summarize(small())
    by_image = summary.by_image.set_index("image")
    assert by_image["fixations"].tolist() == [2, 1, 0]
    assert by_image["observers"].tolist() == [1, 1, 0]
    np.testing.assert_equal(by_image["duration_ms"].tolist(), [200.0, np.nan, np.nan])
    assert summary.by_observer.values.tolist()[0] == ["anna", 1, 2, 200.0]
    facts = summary.as_dict()
    assert (facts["images"], facts["images with fixations"], facts["fixations"]) == (3, 2, 3)
    assert facts["fixations by image"] == {"min": 0, "median": 1, "max": 2}
    assert facts["durations in ms"] == {"min": 100, "median": 200, "max": 300}
    assert facts["unknown durations"] == 1
    assert facts["sizes"] == [{"width": 80, "height": 60, "images": 3}]
    json.dumps(facts, allow_nan=False)


def test_the_area_within_one_degree_and_first_fixations_at_the_center():
    summary = summarize(small())
    # A disc and a quarter of a disc of 10 px on 80 x 60 px; a disc.
    expected = np.pi * 100 / 4800
    np.testing.assert_allclose(summary.by_image["coverage"], [1.25 * expected, expected, np.nan], atol=0.003)
    assert summary.first_at_center == 0.5  # 0 and 15.5 px from it; the second of the first scanpath does not count


def test_the_center_bias_is_that_of_evaluate():
    dataset = make_dataset(n_images=4)
    expected = evaluate(["centerbias"], dataset, metrics=["LL"]).per_image["LL"].to_numpy()
    np.testing.assert_allclose(summarize(dataset).by_image["center_bias"], expected, rtol=1e-4)


def test_what_will_not_work_and_which_column_is_missing():
    complete = make_dataset(n_images=2, n_subjects=2)
    known = replace(
        complete.fixations, duration=np.ones(len(complete.fixations)), start=100.0 * complete.fixations.order
    )
    assert summarize(replace(complete, fixations=known)).missing == ()
    nameless = small(subject=None, order=None, duration=None)
    told = "\n".join(summarize(replace(nameless, subject_names=())).missing)
    for thing, column in (("gold standard", "subject"), ("scanpaths", "order"), ("durations", "duration_ms")):
        assert any(thing in line and column in line for line in told.split("\n")), column
    assert np.isnan(summarize(nameless).first_at_center)
    assert summarize(replace(nameless, subject_names=())).as_dict()["fixations by observer"] is None
    assert "two observers or more on an image" in summarize(small()).missing[0]
    assert "two images or more" in summarize(small().select([0])).missing[0]
    unscaled = replace(complete, stimuli=Stimuli([make_photograph(0), make_photograph(1)]))
    assert "pixels_per_degree" in summarize(unscaled).missing[-1]
    assert summarize(unscaled).as_dict()["coverage"] is None
    nobody = replace(small(), fixations=Fixations.of([], [], []))
    assert summarize(nobody).missing == ("no scores: there are no fixations (columns image, x, y)",)


def test_the_map_in_letters_has_the_fixations_where_they_are():
    lines = summarize(small()).map_in_letters(rows=3, columns=4)
    assert lines == ["+----+", "|@   |", "|  @ |", "|  @ |", "+----+"]


def test_tables_and_a_map_are_written(tmp_path):
    summary = summarize(small())
    files = save_summary(summary, tmp_path)
    assert [path.name for path in files] == ["images.csv", "observers.csv", "fixations.png"]
    assert pd.read_csv(files[0])["fixations"].tolist() == [2, 1, 0]
    assert pd.read_csv(files[1])["observer"].tolist() == ["anna", "ben"]
    picture = read_image(files[2])
    assert picture.shape == (600, 800, 3)
    assert picture[300, 400].max() < 255  # there is a fixation
    assert picture[300, 700].min() == 255  # there is none
    nobody = summarize(replace(small(), fixations=Fixations.of([], [], [])))
    assert [path.name for path in save_summary(nobody, tmp_path / "empty")] == ["images.csv", "observers.csv"]
    assert nobody.map_in_letters() == []


@pytest.mark.usefixtures("as_users_run_it")
def test_what_is_no_data_set_is_one_line():
    with pytest.raises(FovealError, match="a Dataset is needed to be summarized, not "):
        summarize("study")
