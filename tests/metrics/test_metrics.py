"""Against slow obvious implementations, by properties, and against published code."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foveal.errors import FovealError
from foveal.metrics import (
    FixationBatch,
    auc,
    explained_information,
    get_metrics,
    list_metrics,
    log_likelihood,
    normalized_scanpath_saliency,
)

MAPS = hnp.arrays(np.float32, (2, 5, 7), elements=st.integers(-8, 8).map(float))
POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=1, max_size=12)


def slow_auc(saliency, points):
    return np.mean([(saliency < saliency[y, x]).mean() + 0.5 * (saliency == saliency[y, x]).mean() for x, y in points])


def slow_nss(saliency, points, ddof):
    std = saliency.std(ddof=ddof)
    return 0.0 if std == 0 else np.mean([(saliency[y, x] - saliency.mean()) / std for x, y in points])


@given(MAPS, POINTS, POINTS)
def test_auc_equals_the_slow_way_ties_and_all(maps, first, second):
    values = auc(torch.from_numpy(maps), FixationBatch.of(first, second))
    for value, saliency, points in zip(values, maps, (first, second), strict=True):
        assert float(value) == pytest.approx(slow_auc(saliency, points), abs=1e-6)


@given(MAPS, POINTS, POINTS, st.sampled_from([0, 1]))
def test_nss_equals_the_slow_way(maps, first, second, ddof):
    values = normalized_scanpath_saliency(torch.from_numpy(maps), FixationBatch.of(first, second), ddof=ddof)
    for value, saliency, points in zip(values, maps.astype(np.float64), (first, second), strict=True):
        assert float(value) == pytest.approx(slow_nss(saliency, points, ddof), abs=1e-4)


@given(MAPS, POINTS, POINTS)
def test_auc_knows_only_the_order_of_values(maps, first, second):
    fixations = FixationBatch.of(first, second)
    tensor = torch.from_numpy(maps)
    expected = auc(tensor, fixations)
    torch.testing.assert_close(auc((tensor / 3).exp(), fixations), expected)
    torch.testing.assert_close(auc(-tensor, fixations), 1 - expected)
    assert ((expected >= 0) & (expected <= 1)).all()


@given(MAPS, POINTS, POINTS, st.floats(0.1, 50), st.floats(-5, 5))
def test_nss_does_not_change_under_affine_maps(maps, first, second, scale, shift):
    fixations = FixationBatch.of(first, second)
    tensor = torch.from_numpy(maps)
    expected = normalized_scanpath_saliency(tensor, fixations)
    actual = normalized_scanpath_saliency(scale * tensor + shift, fixations)
    torch.testing.assert_close(actual, expected, atol=2e-4, rtol=2e-4)


def test_a_constant_map():
    fixations = FixationBatch.of([(0, 0), (3, 2)])
    for value in (0.0, 1e-9, 7.0):
        constant = torch.full((1, 4, 5), value)
        assert auc(constant, fixations).item() == 0.5
        assert normalized_scanpath_saliency(constant, fixations).item() == 0


def test_nss_of_a_density_of_many_pixels():
    """Values far below float32's smallest square."""
    density = torch.full((1, 300, 400), 1e-24)
    density[0, 10, 20] = 3e-24
    tiny = normalized_scanpath_saliency(density, FixationBatch.of([(20, 10)]))
    torch.testing.assert_close(tiny, normalized_scanpath_saliency(density * 1e24, FixationBatch.of([(20, 10)])))


@pytest.mark.parametrize("name", [name for name in list_metrics() if get_metrics([name])[0].takes_map])
class TestEveryMetricOnMaps:
    def test_refuses_what_is_no_number(self, name):
        [metric] = get_metrics([name])
        for value in (math.nan, math.inf):
            maps = torch.zeros(2, 3, 3)
            maps[1, 0, 0] = value
            with pytest.raises(FovealError, match="map 1 of the batch"):
                metric.function(maps, FixationBatch.of([(0, 0)], [(0, 0)]))

    def test_refuses_an_image_without_fixations(self, name):
        [metric] = get_metrics([name])
        with pytest.raises(FovealError, match="image 1 of the batch has no fixations"):
            metric.function(torch.rand(2, 3, 3), FixationBatch.of([(0, 0)], []))

    def test_batch_equals_single(self, name):
        [metric] = get_metrics([name])
        maps = torch.rand(3, 6, 8, generator=torch.Generator().manual_seed(1)).log()
        points = [[(1, 2)], [(3, 3), (3, 3), (7, 5)], [(0, 0), (5, 1)]]
        together = metric.function(maps, FixationBatch.of(*points))
        for i in range(3):
            torch.testing.assert_close(
                together[i : i + 1], metric.function(maps[i : i + 1], FixationBatch.of(points[i]))
            )

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
    def test_gpu_equals_cpu(self, name):
        [metric] = get_metrics([name])
        maps = torch.rand(3, 60, 80, generator=torch.Generator().manual_seed(1)).log()
        fixations = FixationBatch.of([(1, 2)], [(30, 30), (70, 50)], [(0, 0), (5, 1)])
        on_gpu = metric.function(maps.cuda(), fixations.to("cuda")).cpu()
        torch.testing.assert_close(on_gpu, metric.function(maps, fixations), atol=1e-5, rtol=1e-5)


@settings(max_examples=30)
@given(MAPS, POINTS)
def test_log_likelihood_is_in_bits_above_uniform(maps, points):
    log_density = torch.from_numpy(maps[:1]).flatten(1).log_softmax(1).reshape(1, 5, 7)
    expected = np.mean([log_density[0, y, x].item() / math.log(2) + math.log2(35) for x, y in points])
    assert log_likelihood(log_density, FixationBatch.of(points)).item() == pytest.approx(expected, abs=1e-4)


def test_explained_information_of_resamples():
    gain = np.array([[1.0, 3.0], [0.0, 2.0]])
    assert explained_information(gain, np.full((2, 2), 4.0)).tolist() == [0.5, 0.25]


def test_unknown_metric():
    with pytest.raises(FovealError, match="no metric 'AUK'"):
        get_metrics(["AUK"])


@pytest.mark.shared
@pytest.mark.parametrize("model", ["gbvs", "itti", "spectral", "center", "halfhumans"])
def test_published_code_says_the_same(shared, model):
    """The MIT benchmark's MATLAB code and an exact AUC, run on maps of OSIE 1001."""
    expected = json.loads((shared / "reference/metrics/expected.json").read_text())["1001"]["octave"][model]
    with np.load(shared / "reference/metrics/1001.npz") as reference:
        saliency = torch.from_numpy(reference[model])[None]
        y, x = np.nonzero(reference["fixations"])
    fixations = FixationBatch.of(list(zip(x.tolist(), y.tolist(), strict=True)))
    assert auc(saliency, fixations).item() == pytest.approx(expected["exact_auc_all_pixels"], abs=1e-5)
    assert normalized_scanpath_saliency(saliency, fixations, ddof=1).item() == pytest.approx(expected["nss"], abs=1e-4)
