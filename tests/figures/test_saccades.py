import numpy as np
import pytest
from toy import make_dataset

from foveal.errors import FovealError
from foveal.figures.saccades import SECTORS, plot_saccades
from foveal.gaze import Fixations, saccades


def test_the_figure_shows_every_saccade():
    dataset = make_dataset(4)
    figure = plot_saccades(saccades(dataset.fixations, dataset.stimuli.pixels_per_degree))
    amplitude, direction = figure.axes
    assert sum(bar.get_height() for bar in amplitude.patches) == pytest.approx(100, abs=2)  # the longest are left out
    assert sum(bar.get_height() for bar in direction.patches) == pytest.approx(1)
    assert len(direction.patches) == SECTORS


def test_a_saccade_straight_up_is_in_the_middle_of_its_sector():
    up = saccades(Fixations.of([0, 0], [5, 5], [9, 2], [0, 0], [0, 1]))
    heights = [bar.get_height() for bar in plot_saccades(up).axes[1].patches]
    assert int(np.argmax(heights)) == SECTORS // 4
    assert plot_saccades(up).axes[1].patches[SECTORS // 4].get_x() + np.radians(180 / SECTORS) == pytest.approx(
        np.pi / 2
    )


def test_nothing_to_draw_is_said():
    with pytest.raises(FovealError, match="no saccades to draw"):
        plot_saccades(saccades(Fixations.of([0], [1], [1], [0], [0])))
