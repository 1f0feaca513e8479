"""What metrics compare with: other images' fixations, rescaled; empirical maps of one degree."""

import numpy as np
import pytest
import torch
from toy import make_photograph

import foveal
from foveal.benchmarking.observations import Observations, ObservedBatch
from foveal.benchmarking.yardsticks import Yardsticks
from foveal.errors import FovealNote
from foveal.gaze import Dataset, Fixations, Stimuli, fixation_map


@pytest.fixture
def observations():
    sizes = [(60, 80), (30, 40), (60, 80)]
    stimuli = Stimuli([make_photograph(i, size) for i, size in enumerate(sizes)], pixels_per_degree=[4.0, 2.0, 4.0])
    fixations = Fixations.of([0, 0, 1, 1, 2], [10, 79, 5, 39.4, 33], [20, 59, 10, 29, 44])
    data = Dataset("sizes", stimuli, fixations)
    return Observations(data, Yardsticks(data), seed=0)


def test_nonfixations_lie_at_the_same_relative_places(observations):
    assert [column.tolist() for column in observations.nonfixations(0)] == [[11, 79, 33], [21, 59, 44]]
    assert [column.tolist() for column in observations.nonfixations(1)] == [[5, 39, 16], [10, 29, 22]]


def test_ten_others_are_of_ten_images(dataset):
    observations = Observations(dataset, Yardsticks(dataset), seed=0)
    x, _ = observations.ten_others(2)
    assert len(x) == 7 * 30  # of eight images, seven are others
    many = Dataset(
        "many",
        Stimuli([make_photograph(0)] * 20, [str(i) for i in range(20)]),
        Fixations.of(np.arange(20), np.arange(20), np.zeros(20)),
    )
    drawn = [Observations(many, Yardsticks(many), seed=seed).ten_others(3)[0].tolist() for seed in (0, 0, 1)]
    assert len(set(drawn[0])) == 10
    assert 3 not in drawn[0]
    assert drawn[0] == drawn[1] != drawn[2]


def test_empirical_maps_are_one_degree_wide(observations):
    batch = ObservedBatch(observations, [1], None, torch.device("cpu"))
    expected = fixation_map(observations.dataset.fixations.for_image(1), (30, 40), sigma=2.0)
    np.testing.assert_allclose(batch.empirical_map[0], expected)
    unknown = Dataset("unknown", Stimuli([make_photograph(0)] * 2, ["a", "b"]), Fixations.of([0, 1], [1, 2], [3, 4]))
    with pytest.warns(FovealNote, match="unknown: 35 pixels per degree assumed"):
        assert Observations(unknown, Yardsticks(unknown), seed=0).sigma(0) == 35.0


def test_a_centre_bias_wins_nothing_against_other_images(dataset):
    table = foveal.evaluate(["centerbias", "gold"], dataset, ["sAUC", "sAUC_MIT"])
    assert table.value[:2].tolist() == [0.5, 0.5]
    assert (table.value[2:] > 0.6).all()
