"""Tables of regions: what comes with the package, the round trip, and what is refused."""

from collections import Counter

import numpy as np
import pytest

from foveal.datasets.labelled import scenes_of
from foveal.datasets.regions import read_regions, regions_of, write_regions
from foveal.errors import FovealError
from foveal.gaze.regions import CATEGORIES, Region, Regions

HEADER = "image,region,category,flags,note,polygon\n"
TRIANGLE = '"1,1 5,1 5,5.5"'


def test_the_regions_of_osie_come_with_the_package():
    regions = regions_of("osie")
    assert len(regions) == 2538
    assert set(Counter(region.category for region in regions)) == set(CATEGORIES)
    assert all(region.mask((600, 800)).any() for region in regions)
    assert min(region.n_fixations for region in regions) == 5
    assert min(region.n_subjects for region in regions) == 4


def test_the_scenes_of_osie_come_with_the_package():
    scenes = scenes_of("osie")
    assert len(scenes) == 700
    assert len(set(scenes.values())) == 21


def test_of_other_data_sets_there_are_none():
    with pytest.raises(FovealError, match=r"^toronto: no regions of this data set come with Foveal \(known: osie\)$"):
        regions_of("toronto")
    with pytest.raises(FovealError, match=r"^study\.v2: no regions of this data set"):
        regions_of("study.v2")
    with pytest.raises(FovealError, match="no scenes"):
        scenes_of("toronto")


def test_what_is_written_is_read_again(tmp_path):
    polygon = np.array([[0.5, 1.25], [100.125, 3.0], [7.0, 1 / 3]])
    region = Region("ä b,c.jpg", 2, polygon, "text", frozenset("SFU"), 'he said "no", twice', 9, 4)
    unlabelled = Region("d.jpg", 1, polygon)
    write_regions(tmp_path / "regions.csv", Regions((region, unlabelled)))
    again = read_regions(tmp_path / "regions.csv")
    assert len(again) == 2
    for before, after in zip((region, unlabelled), again, strict=True):
        assert np.allclose(before.polygon, after.polygon)
        assert {**vars(before), "polygon": 0} == {**vars(after), "polygon": 0}


def test_image_and_polygon_are_enough_and_a_spreadsheet_may_have_saved_them(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_text("Image;Polygon\na.jpg;1,1 5,1 5,5\na.jpg;2,2 7,2 7,7.5\n")
    assert [region.number for region in regions_of(path)] == [1, 2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"a.jpg,1,cat,,,{TRIANGLE}", "line 3: unknown category: cat"),
        (f"a.jpg,1,text,FQ,,{TRIANGLE}", "line 3: unknown flag: Q"),
        ('a.jpg,1,text,,,"1,1 5,1 5"', "line 3: polygon: '1,1 5,1 5' .needs pairs"),
        ('a.jpg,1,text,,,"1,1 5,x 5,2"', "line 3: polygon: .* .needs pairs"),
        ("a.jpg,1,text,,,", "line 3: polygon: 0 corners"),
        (f"a.jpg,one,text,,,{TRIANGLE}", "line 3: region: one"),
        (f",1,text,,,{TRIANGLE}", "line 3: image: no name"),
        (f"z.jpg,7,text,,,{TRIANGLE}", "z.jpg, region 7: there are two"),
        (f"a.jpg,1,text,,,{TRIANGLE},8,9", "more fields than the header"),
    ],
)
def test_a_wrong_row_is_one_line_with_the_file_and_the_row(tmp_path, row, message):
    path = tmp_path / "regions.csv"
    path.write_text(f"{HEADER}z.jpg,7,,,,{TRIANGLE}\n{row}\n")
    with pytest.raises(FovealError, match=message) as caught:
        regions_of(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_missing_column_are_one_line(tmp_path):
    with pytest.raises(FovealError, match=r"none\.csv"):
        regions_of(tmp_path / "none.csv")
    (tmp_path / "regions.csv").write_text("image,region\na.jpg,1\n")
    with pytest.raises(FovealError, match="polygon"):
        regions_of(tmp_path / "regions.csv")
