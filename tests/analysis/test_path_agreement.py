from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from toy import make_dataset

from foveal.analysis.path_agreement import path_agreement
from foveal.errors import FovealError
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.gaze.scanpaths import scanpaths
from foveal.metrics.paths import compare_paths, scan_match


def test_means_over_pairs_then_over_images():
    """Not over all pairs together: an image with two observers counts as much as one with five."""
    data = make_dataset(4)
    first = (data.fixations.image == 0) & (data.fixations.subject > 1)
    data = replace(data, fixations=data.fixations.where(~first))
    agreement = path_agreement(data, "ScanMatch,DTW")
    paths = list(scanpaths(data.fixations))
    of_images = []
    for image in range(4):
        pairs = combinations([path for path in paths if path.image[0] == image], 2)
        of_images.append(
            [compare_paths(*pair, (60, 80), pixels_per_degree=4.0, metrics="DTW")["DTW"] for pair in pairs]
        )
    row = agreement.table.set_index("metric").loc["DTW"]
    assert row["value"] == pytest.approx(np.mean([np.mean(values) for values in of_images]))
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert (row["unit"], row["n_images"]) == ("degree", 4)
    assert agreement.per_image["n_pairs"].tolist() == [1, 10, 10, 10]
    assert agreement.per_image["image"].tolist() == list(data.stimuli.ids)


def test_people_who_look_at_the_same_agree_more_than_on_other_pictures():
    table = path_agreement(make_dataset(4)).table.set_index("metric")
    assert "ScanMatch_duration" not in table.index  # nobody knows how long they looked
    assert "MultiMatch_duration" not in table.index
    assert (table.drop("DTW")["value"] <= 1).all()
    for name in ("ScanMatch", "edit", "MultiMatch_position"):
        assert table.loc[name, "value"] > table.loc[name, "other_pictures"]
    assert table.loc["DTW", "value"] < table.loc["DTW", "other_pictures"]


def test_a_path_of_another_picture_is_at_the_same_relative_places():
    stimuli = Stimuli([np.zeros((40, 60, 3), np.uint8), np.zeros((80, 240, 3), np.uint8)])
    small, large = [(9.5, 9.5), (39.5, 19.5)], [(39.5, 19.5), (159.5, 39.5)]
    x, y = np.array([*small, *small, *large, *large]).T
    fixations = Fixations.of([0] * 4 + [1] * 4, x, y, subject=[0, 0, 1, 1] * 2, order=[0, 1] * 4)
    table = path_agreement(Dataset("two", stimuli, fixations), "DTW,ScanMatch").table.set_index("metric")
    assert table["other_pictures"].tolist() == pytest.approx([0, 1])
    assert table["unit"].tolist() == ["px", ""]


def test_images_with_one_observer_are_left_out():
    data = make_dataset(3)
    alone = (data.fixations.image == 1) & (data.fixations.subject > 0)
    data = replace(data, fixations=data.fixations.where(~alone))
    assert path_agreement(data, "edit").per_image["image"].tolist() == ["0", "2"]
    with pytest.raises(FovealError, match="two images with two observers"):
        path_agreement(data.select([1, 2]))


def test_what_keeps_people_from_being_compared_is_one_line():
    data = make_dataset(2)
    without_order = replace(data, fixations=replace(data.fixations, order=np.full(len(data.fixations), -1)))
    with pytest.raises(FovealError, match="toy: fixations: which came first is not known"):
        path_agreement(without_order)
    with pytest.raises(FovealError, match="ScanMatch_duration needs the duration"):
        path_agreement(data, "ScanMatch_duration")
    with pytest.raises(FovealError, match="no path metric 'speed'"):
        path_agreement(data, "speed")


def test_scan_match_is_that_of_the_pairs():
    data = make_dataset(2, n_subjects=2)
    one, other = list(scanpaths(data.fixations))[:2]
    assert path_agreement(data, "ScanMatch").per_image["ScanMatch"][0] == scan_match(one, other, (60, 80))


def test_durations_of_one_image_only_have_nothing_to_be_compared_with_elsewhere():
    data = make_dataset(2)
    duration = np.where(data.fixations.image == 0, 200.0, np.nan)
    data = replace(data, fixations=replace(data.fixations, duration=duration))
    row = path_agreement(data).table.set_index("metric").loc["ScanMatch_duration"]
    assert (row["n_images"], row["value"] > 0) == (1, True)
    assert np.isnan(row["other_pictures"])
