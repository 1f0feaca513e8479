"""Regions found by their density."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.datasets import load_dataset
from foveal.datasets.regions import regions_of
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.gaze.found_regions import find_regions, outline_of, pieces_of, top_of
from foveal.gaze.regions import Region

PLACES = {(20, 30): 12, (20, 90): 7, (60, 60): 9}  # y, x → fixations


def dataset_of(places: dict[tuple[int, int], int], n_subjects: int) -> Dataset:
    """One photograph with so many fixations at some places, of so many observers in turn."""
    at = [place for place, n in places.items() for _ in range(n)]
    y, x = np.array(at).T
    subject = np.concatenate([np.arange(n) % n_subjects for n in places.values()])
    fixations = Fixations.of(np.zeros(len(at), int), x, y, subject=subject)
    return Dataset("places", Stimuli([np.zeros((80, 120, 3), np.uint8)], ["a.jpg"], pixels_per_degree=4.0), fixations)


def test_every_place_is_a_region_with_its_fixations():
    regions = find_regions(dataset_of(PLACES, 5))
    assert [(region.number, region.n_fixations, region.n_subjects) for region in regions] == [
        (1, 12, 5),
        (2, 9, 5),
        (3, 7, 5),
    ]
    for region, (y, x) in zip(regions, [(20, 30), (60, 60), (20, 90)], strict=True):
        assert region.image == "a.jpg"
        assert region.mask((80, 120))[y, x]


def test_a_place_of_few_fixations_or_few_observers_is_no_region():
    assert len(find_regions(dataset_of({(20, 30): 12, (60, 90): 4}, 4))) == 1
    assert len(find_regions(dataset_of(PLACES, 3))) == 0


def test_where_nobody_knows_the_observers_fixations_are_enough():
    data = dataset_of(PLACES, 1)
    unknown = Fixations.of(data.fixations.image, data.fixations.x, data.fixations.y)
    assert len(find_regions(Dataset("places", data.stimuli, unknown))) == 3


def two_hills(first: float) -> np.ndarray:
    y, x = np.mgrid[:60, :80]
    return sum(height * np.exp(-((x - at) ** 2 + (y - 30) ** 2) / 50) for at, height in ((33, first), (47, 1.0)))


def test_pieces_are_the_top_of_the_map():
    values = two_hills(1.1)
    assert np.array_equal(pieces_of(values, 5.0) > 0, top_of(values))
    assert not pieces_of(np.ones((40, 50)), 5.0).any()


def test_near_maxima_are_one_piece():
    assert pieces_of(two_hills(1.1), 5.0).max() == 2
    assert pieces_of(two_hills(1.01), 20.0).max() == 1


@given(st.integers(0, 9), st.integers(0, 9), st.integers(4, 20), st.integers(4, 20))
def test_an_outline_holds_what_it_is_drawn_around(top, left, height, width):
    mask = np.zeros((24, 26), dtype=bool)
    mask[top : top + height, left : left + width] = True
    again = Region("a", 1, outline_of(mask)).mask((24, 26))
    assert (again & mask).sum() >= mask.sum() - 4  # corners are cut
    assert not (again & ~mask).any()


@pytest.mark.shared
def test_the_labelled_regions_of_osie_are_found_again(shared):
    part = load_dataset("osie", shared / "data").limit(5)
    labelled = regions_of("osie")
    overlaps = []
    for region in find_regions(part):
        mask = region.mask((600, 800))
        others = [other.mask((600, 800)) for other in labelled.for_image(region.image)]
        overlaps.append(max((mask & other).sum() / (mask | other).sum() for other in others))
    assert np.mean(np.array(overlaps) > 0.9) > 0.9
