import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foveal.datasets.search_arrays import (
    ASYMMETRIC,
    VERSION,
    SearchArraySettings,
    empty_array,
    make_search_array,
    standard_arrays,
)
from foveal.datasets.search_features import FEATURES
from foveal.datasets.search_items import Look, coverage
from foveal.errors import FovealError

SMALL = {"size": (150, 200), "item_size": 20.0, "jitter": 2.0, "set_size": 6}


@st.composite
def arrays(draw):
    feature = draw(st.sampled_from(sorted(FEATURES)))
    return SearchArraySettings(
        feature,
        draw(st.floats(0.05, 1)) * FEATURES[feature].largest,
        set_size=draw(st.integers(1, 12)),
        swapped=draw(st.booleans()) and not FEATURES[feature].conjoined,
        jitter=draw(st.floats(0, 5)),
        item_size=draw(st.floats(14, 24)),
        background=draw(st.sampled_from([(128, 128, 128), (0, 0, 0), (20, 60, 90)])),
        size=draw(st.sampled_from([(220, 260), (300, 240)])),
        seed=draw(st.integers(0, 99)),
    )


@settings(max_examples=25, deadline=None)
@given(arrays())
def test_masks_are_what_is_drawn(of):
    array = make_search_array(of)
    differs = (array.image != empty_array(of)).any(axis=2)
    assert not (differs & (array.items == 0)).any()  # beyond the items is background
    assert np.unique(array.items).tolist() == list(range(of.set_size + 1))
    border = np.ones(of.size, bool)
    border[1:-1, 1:-1] = False
    assert not array.items[border].any()  # no item is cut off
    for number, (x, y) in enumerate(array.centers, start=1):
        rows, columns = np.nonzero(array.items == number)
        drawn_rows, drawn_columns = np.nonzero(differs & (array.items == number))
        # The mask reaches as far as what is drawn, but for pixels that are covered too little to be seen.
        assert np.abs([np.ptp(rows) - np.ptp(drawn_rows), np.ptp(columns) - np.ptp(drawn_columns)]).max() <= 2
        assert np.hypot(columns - x, rows - y).max() <= 1.5 * of.item_size
    assert (array.target == (array.items == 1)).all()


@settings(max_examples=12, deadline=None)
@given(arrays())
def test_items_do_not_touch(of):
    items = np.pad(make_search_array(of).items, 1)
    for down, right in itertools.product((0, 1, 2), repeat=2):
        other = items[down : items.shape[0] - 2 + down, right : items.shape[1] - 2 + right]
        middle = items[1:-1, 1:-1]
        assert ((middle == other) | (middle == 0) | (other == 0)).all()


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_the_target_alone_looks_different(feature):
    of = SearchArraySettings(feature, FEATURES[feature].largest, **{**SMALL, "jitter": 0.0, "size": (180, 240)})
    array = make_search_array(of)

    def seen(number):  # what turns and fractions of px do not change: how many px, and what color
        pixels = array.image[array.items == number].astype(float)
        return np.array([len(pixels), *pixels.mean(axis=0)])

    target, *distractors = (seen(number) for number in range(1, of.set_size + 1))
    apart = [np.abs(target - other).max() for other in distractors]
    among = [np.abs(a - b).max() for a, b in itertools.combinations(distractors, 2)]
    # An upright and a lying bar are told by their sides alone.
    rows, columns = (np.ptp(where) for where in np.nonzero(array.target))
    if feature == "orientation":
        assert columns > 3 * rows
    elif feature != "conjunction":
        assert min(apart) > 2 * max(among)


def test_a_conjunction_shares_one_feature_with_every_distractor():
    array = make_search_array(SearchArraySettings("conjunction", 1.0, **{**SMALL, "set_size": 9}))
    is_lying, hues = [], []
    for number in range(1, 10):
        rows, columns = np.nonzero(array.items == number)
        is_lying.append(bool(np.ptp(columns) > np.ptp(rows)))
        colors = array.image[rows, columns].astype(int)
        hues.append(bool((colors[:, 0] - colors[:, 2])[np.abs(colors - 128).max(axis=1).argmax()] > 0))
    same_tilt = [lying == is_lying[0] for lying in is_lying[1:]]
    same_hue = [hue == hues[0] for hue in hues[1:]]
    assert [a != b for a, b in zip(same_tilt, same_hue, strict=True)] == [True] * 8
    assert sum(same_tilt) == 4


def test_swapped_arrays_exchange_the_roles():
    of = SearchArraySettings("orientation", 90.0, **SMALL)
    swapped = make_search_array(SearchArraySettings("orientation", 90.0, swapped=True, **SMALL))
    array = make_search_array(of)
    assert np.array_equal(array.centers, swapped.centers)
    (rows, columns), (other_rows, other_columns) = (np.nonzero(each.target) for each in (array, swapped))
    assert np.ptp(columns) > np.ptp(rows)
    assert np.ptp(other_columns) < np.ptp(other_rows)


def test_the_same_seed_gives_the_same_array_and_another_one_another():
    first, again, other = (
        make_search_array(SearchArraySettings("color", 90.0, seed=seed, **SMALL)) for seed in (3, 3, 4)
    )
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.items, other.items)


def test_edges_are_smooth_and_areas_right():
    disc = Look("disc", 20.0, 1.0)
    for look in (disc, Look("disc", 20.0, 1.0, squareness=0.5), Look("disc", 20.0, 1.0, squareness=1.0)):
        _, share = coverage(look.outlines(), (30.3, 29.6), (60, 60))
        assert share.sum() == pytest.approx(100 * np.pi, rel=0.03)
    _, share = coverage(disc.outlines(), (30.3, 29.6), (60, 60))
    assert 0 < ((share > 0) & (share < 1)).sum() < 100
    part, share = coverage(Look("bar", 10.0, 4.0).outlines(), (20.0, 30.0), (60, 60))
    columns = np.arange(60)[part[1]]
    assert (share.sum(axis=0) @ columns) / share.sum() == pytest.approx(20.0, abs=0.1)  # it is where it is said to be


@pytest.mark.parametrize("hue", range(0, 360, 15))
def test_every_hue_is_within_what_can_be_shown(hue):
    color = Look("disc", 10.0, 1.0, hue=float(hue), lightness=65.0).color
    assert 0 < color.min() < color.max() < 255


def test_standard_arrays_are_spread_evenly():
    every = standard_arrays()
    plain = [of for of in every if not of.swapped]
    assert len(plain) >= 80
    for part in (lambda of: of.feature, lambda of: of.share, lambda of: of.set_size):
        assert len({sum(part(of) == value for of in plain) for value in map(part, plain)}) == 1
    assert len({of.name for of in every}) == len(every)
    assert {of.feature for of in plain[: len(FEATURES)]} == set(FEATURES)  # a quick look shows all of them
    pairs = {(of.feature, of.share, of.set_size, of.seed) for of in plain}
    assert {of.feature for of in every if of.swapped} == set(ASYMMETRIC)
    assert all((of.feature, of.share, of.set_size, of.seed) in pairs for of in every if of.swapped)
    assert not {of.seed for of in plain} & {of.seed for of in standard_arrays(1)}


def test_pictures_are_those_of_this_version():
    # If these change, `VERSION` has to go up: results of former pictures are kept on disk.
    assert VERSION == 1
    of_left_halves = {
        of.feature: make_search_array(of).image[:, :320].mean() for of in standard_arrays()[: len(FEATURES)]
    }
    expected = {
        "color": 128.333,
        "orientation": 128.782,
        "size": 129.425,
        "luminance": 128.769,
        "curvature": 128.671,
        "density": 128.575,
        "intersection": 128.955,
        "closure": 129.301,
        "shape": 130.154,
        "conjunction": 128.262,
    }
    assert of_left_halves == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"feature": "gloss"}, "feature: 'gloss' (needs one of color, orientation"),
        ({"difference": 91.0}, "difference: 91 (orientation goes up to 90 degrees)"),
        ({"difference": 0.0}, "difference: 0.0 (needs a number above 0)"),
        ({"set_size": 0}, "set_size: 0 (needs a whole number from 1 on)"),
        ({"background": (0, 0, 256)}, "background: [0, 0, 256] (needs three numbers from 0 to 255)"),
        (
            {"feature": "conjunction", "difference": 1.0, "swapped": True},
            "swapped: a conjunction has distractors of two",
        ),
    ],
)
def test_what_is_wrong_with_settings_is_one_line(changed, message):
    with pytest.raises(FovealError) as error:
        SearchArraySettings(**({"feature": "orientation", "difference": 30.0} | changed))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_set_size_that_does_not_fit_is_said():
    of = SearchArraySettings("size", 1.0, set_size=120)
    with pytest.raises(
        FovealError, match=r"^set_size: 120 items of 47 px with a jitter of 6 px do not fit into 640 x 480"
    ):
        make_search_array(of)
