import numpy as np
import pytest

from foveal.figures import Axis


@pytest.mark.parametrize(
    ("values", "chance", "ends"),
    [
        ([0.7, 0.9], 0.5, (0.5, 0.9)),  # from chance on
        ([0.4, 0.9], 0.5, (0.4, 0.9)),  # unless something is below it
        ([0.7, 0.9], None, (0.7, 0.9)),
        ([0.5, 0.5], 0.5, (0.0, 1.0)),
        ([], None, (-0.5, 0.5)),
        ([np.nan, -2.0], 0.0, (-2.0, 0.0)),
    ],
)
def test_an_axis_holds_all_values_and_chance(values, chance, ends):
    axis = Axis.over(values, chance)
    assert (axis.low, axis.high) == ends
    assert 1 < len(axis.ticks) < 7
    places = [axis.percent(value) for value in (axis.low, *axis.ticks, axis.high)]
    assert places == sorted(places)
    assert 0 < min(places) < max(places) < 100
