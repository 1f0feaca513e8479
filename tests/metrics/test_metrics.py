"""Against slow obvious implementations, by properties, and against published code."""

import json
import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foveal.errors import FovealError, FovealNote
from foveal.gaze.maps import gaussian_blur
from foveal.metrics import (
    FixationBatch,
    auc,
    auc_borji,
    auc_judd,
    correlation,
    earth_movers_distance,
    explained_information,
    fixation_kullback_leibler,
    get_metrics,
    information_gain_mit,
    kullback_leibler,
    list_metrics,
    log_likelihood,
    normalized_scanpath_saliency,
    normalized_scanpath_saliency_mit,
    shuffled_auc,
    shuffled_auc_mit,
    similarity,
    similarity_mit,
)
from foveal.metrics.maps import PixelRanks, count_below, pixel_ranks

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
    with warnings.catch_warnings(action="ignore", category=FovealNote):
        values = normalized_scanpath_saliency(torch.from_numpy(maps), FixationBatch.of(first, second), ddof=ddof)
    for value, saliency, points in zip(values, maps.astype(np.float64), (first, second), strict=True):
        assert float(value) == pytest.approx(slow_nss(saliency, points, ddof), abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "spread", [(0, 1), (0, 0), (1e6, 0.1), (0, 3e38), (-1e38, 2e38), (0, 1e-40), (1, 1e-7), (-5, 1e-3)]
)
def test_ranks_are_exact_on_any_range(spread, dtype):
    """Also where nearly all pixels share a bucket, and where half a range is all that a float holds."""
    middle, width = spread
    noise = torch.randn(5000, generator=torch.Generator().manual_seed(0), dtype=dtype).clamp(-1, 1) ** 9
    pixels = (middle + width * noise).reshape(50, 100)
    ranks = PixelRanks(pixels)
    for values in (pixels[0, :30], pixels[7:9], torch.tensor([-torch.inf, middle, torch.inf], dtype=dtype)):
        below = (pixels.flatten() < values[..., None]).sum(dim=-1)
        at_or_below = (pixels.flatten() <= values[..., None]).sum(dim=-1)
        assert torch.equal(ranks.below(values), below)
        assert torch.equal(ranks.below(values, or_equal=True), at_or_below)


@pytest.mark.parametrize("size", [(6, 8), (97, 41), (64, 80)])
def test_pixels_below_a_value_are_counted(size):
    maps = torch.randint(-50, 50, (2, *size), generator=torch.Generator().manual_seed(0)).float()
    pixels, values = pixel_ranks(maps), torch.tensor([[-60.0, -50.0, 0.5], [3.0, 49.0, 60.0]])
    for i in range(2):
        for k in range(3):
            assert count_below(pixels, values)[i, k] == (maps[i] < values[i, k]).sum()
            assert count_below(pixels, values, or_equal=True)[i, k] == (maps[i] <= values[i, k]).sum()
    fixations = FixationBatch.of([(1, 2)], [(3, 3), (3, 4)])
    for metric in (auc, auc_judd):
        torch.testing.assert_close(metric(maps, fixations, pixels=pixels), metric(maps, fixations))
    assert auc(maps, fixations)[0].item() == pytest.approx(slow_auc(maps[0].numpy(), [(1, 2)]))


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
    with warnings.catch_warnings(action="ignore", category=FovealNote):
        expected = normalized_scanpath_saliency(tensor, fixations)
        actual = normalized_scanpath_saliency(scale * tensor + shift, fixations)
    torch.testing.assert_close(actual, expected, atol=2e-4, rtol=2e-4)


def test_a_constant_map():
    fixations = FixationBatch.of([(0, 0), (3, 2)])
    ramp = torch.arange(20.0).reshape(1, 4, 5)
    for value in (0.0, 1e-9, 7.0):
        constant = torch.full((1, 4, 5), value)
        assert auc(constant, fixations).item() == 0.5
        assert auc_judd(constant, fixations).item() == 0.5
        assert shuffled_auc(constant, fixations, fixations).item() == 0.5
        for equalize in (False, True):
            assert auc_borji(constant, fixations, equalize=equalize).item() == 0.5
            assert shuffled_auc_mit(constant, fixations, fixations, equalize=equalize).item() == 0.5
        with pytest.warns(FovealNote, match="NSS: map 0 of the batch is constant"):
            assert normalized_scanpath_saliency(constant, fixations).item() == 0
        with pytest.warns(FovealNote, match="CC: map 0 of the batch is constant"):
            assert correlation(constant, ramp).item() == 0


def test_nss_of_a_density_of_many_pixels():
    """Values far below float32's smallest square."""
    density = torch.full((1, 300, 400), 1e-24)
    density[0, 10, 20] = 3e-24
    tiny = normalized_scanpath_saliency(density, FixationBatch.of([(20, 10)]))
    torch.testing.assert_close(tiny, normalized_scanpath_saliency(density * 1e24, FixationBatch.of([(20, 10)])))


# Every metric on maps, with arguments for three small images.
POINTS_OF_THREE = [[(1, 2)], [(3, 3), (3, 3), (7, 5)], [(0, 0), (5, 1)]]
OTHERS_OF_THREE = [[(7, 0), (6, 1)], [(0, 0)], [(2, 2), (2, 2), (4, 5)]]


def arguments(metric, points, others, maps):
    """What the metric needs beside the map."""
    given = {
        "fixations": FixationBatch.of(*points),
        "nonfixations": FixationBatch.of(*others),
        "ten_others": FixationBatch.of(*others),
        "empirical_map": maps.flip(1).abs(),
        "center_bias": maps.flip(2).abs(),
    }
    return [given[need] for need in metric.needs]


def some_maps(n):
    """Positive and smooth, of several of EMD's cells."""
    noise = torch.rand(n, 96, 128, generator=torch.Generator().manual_seed(1))
    return gaussian_blur(noise, 10.0) - 0.4


@pytest.mark.parametrize("name", [name for name in list_metrics() if get_metrics([name])[0].takes_map])
class TestEveryMetricOnMaps:
    def test_refuses_what_is_no_number(self, name):
        [metric] = get_metrics([name])
        for value in (math.nan, math.inf, -math.inf):
            maps = torch.rand(2, 96, 128)
            others = arguments(metric, [[(0, 0)]] * 2, [[(0, 1)]] * 2, maps)
            maps[1, 0, 0] = value
            with pytest.raises(FovealError, match="map 1 of the batch"):
                metric.function(maps, *others)

    def test_refuses_an_image_without_fixations(self, name):
        [metric] = get_metrics([name])
        maps = torch.rand(2, 96, 128)
        needs = {"fixations", "nonfixations", "ten_others"}.intersection(metric.needs)
        if not needs:
            pytest.skip("it compares maps")
        for need in needs:
            points, others = [[(0, 0)], [(0, 0)]], [[(0, 1)], [(0, 1)]]
            (points if need == "fixations" else others)[1] = []
            with pytest.raises(FovealError, match=r"image 1 of the batch has no (non)?fixations"):
                metric.function(maps, *arguments(metric, points, others, maps))

    def test_batch_equals_single(self, name):
        [metric] = get_metrics([name])
        maps = some_maps(3)
        together = metric.function(maps, *arguments(metric, POINTS_OF_THREE, OTHERS_OF_THREE, maps))
        for i in range(3):
            one = maps[i : i + 1]
            alone = metric.function(
                one, *arguments(metric, POINTS_OF_THREE[i : i + 1], OTHERS_OF_THREE[i : i + 1], one)
            )
            torch.testing.assert_close(together[i : i + 1], alone)

    def test_survives_one_fixation_and_many_at_one_pixel(self, name):
        [metric] = get_metrics([name])
        maps = some_maps(2)
        values = metric.function(maps, *arguments(metric, [[(3, 2)], [(3, 2)] * 50], OTHERS_OF_THREE[:2], maps))
        assert torch.isfinite(values).all()

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
    def test_gpu_equals_cpu(self, name):
        [metric] = get_metrics([name])
        maps = some_maps(3)
        given = arguments(metric, POINTS_OF_THREE, OTHERS_OF_THREE, maps)
        on_gpu = metric.function(maps.cuda(), *(argument.to("cuda") for argument in given)).cpu()
        torch.testing.assert_close(on_gpu, metric.function(maps, *given), atol=1e-5, rtol=1e-5)


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
    """The MIT benchmark's MATLAB code and pysaliency, run on maps of OSIE 1001."""
    expected = json.loads((shared / "reference/metrics/expected.json").read_text())["1001"]
    mit, tuebingen = expected["octave"][model], expected["pysaliency"].get(model, {})
    with np.load(shared / "reference/metrics/1001.npz") as reference:
        saliency, empirical, basemap, center = (
            torch.from_numpy(reference[name])[None] for name in (model, "fixmap", "basemap", "center")
        )
        fixations, others = (mask_to_batch(reference[name]) for name in ("fixations", "other_fixations"))
    exact = {
        auc(saliency, fixations): mit["exact_auc_all_pixels"],
        auc_judd(saliency, fixations): mit["auc_judd_nojitter"],
        shuffled_auc(saliency, fixations, others): mit["exact_sauc_all_other"],
        normalized_scanpath_saliency(saliency, fixations): tuebingen.get("nss"),
        normalized_scanpath_saliency_mit(saliency, fixations): mit["nss"],
        correlation(saliency, empirical): mit["cc"],
        similarity(saliency, empirical): mit["sim_pysaliency"],
        similarity_mit(saliency, empirical): mit["sim"],
        kullback_leibler(saliency, empirical): mit["kl"],
        information_gain_mit(saliency, fixations, basemap): mit["ig"],
        information_gain_mit(saliency, fixations, center): mit["ig_center"],
    }
    for value, published in exact.items():
        if published is not None:
            assert value.item() == pytest.approx(published, abs=1e-4)
    assert earth_movers_distance(saliency, empirical).item() == pytest.approx(mit["emd"], abs=1e-3)


@pytest.mark.shared
@pytest.mark.parametrize("model", ["gbvs", "itti", "spectral", "center", "halfhumans"])
def test_random_draws_scatter_around_the_published_value(shared, model):
    """The published code drew other negatives: ours, of ten seeds, and its one value differ by chance only."""
    mit = json.loads((shared / "reference/metrics/expected.json").read_text())["1001"]["octave"][model]
    with np.load(shared / "reference/metrics/1001.npz") as reference:
        saliency = torch.from_numpy(reference[model])[None]
        fixations, others = (mask_to_batch(reference[name]) for name in ("fixations", "other_fixations"))
    borji = [auc_borji(saliency, fixations, seed=seed).item() for seed in range(10)]
    shuffled = [shuffled_auc_mit(saliency, fixations, others, seed=seed).item() for seed in range(10)]
    for values, published in ((borji, mit["auc_borji"]), (shuffled, mit["auc_shuffled"])):
        standard_error = np.std(values, ddof=1) * math.sqrt(1 + 1 / len(values))
        assert abs(np.mean(values) - published) < 3 * standard_error


def mask_to_batch(mask):
    y, x = np.nonzero(mask)
    return FixationBatch.of(list(zip(x.tolist(), y.tolist(), strict=True)))


# Slow, obvious versions of the rest.


def slow_auc_judd(saliency, points):
    if np.ptp(saliency) == 0:
        return 0.5
    fixated = sorted({(x, y) for x, y in points})
    curve = [(0.0, 0.0)]
    for i, threshold in enumerate(sorted((saliency[y, x] for x, y in fixated), reverse=True), start=1):
        above = (saliency >= threshold).sum()
        curve.append(((above - i) / (saliency.size - len(fixated)), i / len(fixated)))
    curve.append((1.0, 1.0))
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(curve))


@given(MAPS, POINTS, POINTS)
def test_auc_judd_equals_the_slow_way(maps, first, second):
    values = auc_judd(torch.from_numpy(maps), FixationBatch.of(first, second))
    for value, saliency, points in zip(values, maps, (first, second), strict=True):
        assert float(value) == pytest.approx(slow_auc_judd(saliency, points), abs=1e-6)


@given(MAPS, POINTS, POINTS, POINTS, POINTS)
def test_shuffled_auc_equals_the_slow_way(maps, first, second, first_others, second_others):
    fixations, others = FixationBatch.of(first, second), FixationBatch.of(first_others, second_others)
    values = shuffled_auc(torch.from_numpy(maps), fixations, others)
    for value, saliency, points, elsewhere in zip(
        values, maps, (first, second), (first_others, second_others), strict=True
    ):
        pairs = [np.sign(saliency[y, x] - saliency[v, u]) for x, y in points for u, v in elsewhere]
        assert float(value) == pytest.approx(0.5 + np.mean(pairs) / 2, abs=1e-6)


@given(MAPS, st.floats(0.1, 50), st.floats(-5, 5))
def test_cc_does_not_change_under_affine_maps(maps, scale, shift):
    first, second = torch.from_numpy(maps).split(1)
    if min(np.ptp(maps[0]), np.ptp(maps[1])) == 0:
        return
    expected = np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1]
    assert correlation(scale * first + shift, second).item() == pytest.approx(expected, abs=1e-3)
    assert correlation(-first, second).item() == pytest.approx(-expected, abs=1e-5)


@given(MAPS)
def test_bounds_of_map_metrics(maps):
    first, second = torch.from_numpy(np.abs(maps) + 0.5).split(1)
    for metric in (similarity, similarity_mit):
        assert 0 <= metric(first, second).item() <= 1 + 1e-6
        assert metric(first, first).item() == pytest.approx(1, abs=1e-6)
        assert metric(first, second).item() == pytest.approx(metric(second, first).item(), abs=1e-6)
    assert kullback_leibler(first, second).item() > -1e-6
    assert kullback_leibler(first, first).item() == pytest.approx(0, abs=1e-6)
    p, q = (maps.double().numpy() / maps.double().sum().item() for maps in (first, second))
    assert kullback_leibler(first, second).item() == pytest.approx((q * np.log(q / p)).sum(), abs=1e-5)
    assert similarity(first, second).item() == pytest.approx(np.minimum(p, q).sum(), abs=1e-5)


def test_emd_is_the_distance_that_mass_is_moved():
    """In cells of 32 px: all of it by three cells; half of it; nothing."""
    here, there = (torch.outer(bump(255.5), bump(x)) for x in (207.5, 303.5))
    maps = torch.stack([here, there, (here + there) / 2])
    distance = earth_movers_distance(maps[[0, 0, 0, 1]], maps[[1, 2, 0, 0]])
    torch.testing.assert_close(distance, torch.tensor([3.0, 1.5, 0.0, 3.0]), atol=3e-3, rtol=0)


@given(MAPS)
def test_map_metrics_know_no_unit(maps):
    """Of a map times ten to any power; and EMD of one that is raised."""
    first, second = torch.from_numpy(np.abs(maps)).repeat_interleave(32, 1).repeat_interleave(32, 2).split(1)
    for metric in (similarity, similarity_mit, kullback_leibler, earth_movers_distance):
        expected = metric(first, second).item()
        for factor in (1e-28, 1e-3, 1e34):
            assert metric(first * factor, second).item() == pytest.approx(expected, rel=1e-3, abs=1e-4)
    shifted = earth_movers_distance(first - first.min() - 1, second)
    assert shifted.item() == pytest.approx(earth_movers_distance(first - first.min(), second).item(), abs=1e-4)


def test_fixations_that_cannot_be():
    for points, message in (([], "image 0 of the batch has no fixations"), ([(8, 0)], r"at \(8, 0\), outside its map")):
        with pytest.raises(FovealError, match=message):
            auc(torch.rand(1, 6, 8), FixationBatch.of(points))
    every_pixel = FixationBatch.of([(x, y) for x in range(2) for y in range(2)])
    assert auc_judd(torch.rand(1, 2, 2), every_pixel).item() == 0.5


def bump(center):
    return torch.exp(-0.5 * ((torch.arange(512) - center) / 32).square())


def test_divergence_at_fixations_is_that_of_histograms():
    rng = np.random.default_rng(0)
    saliency = rng.random((1, 40, 50), dtype=np.float32)
    points, others = (list(map(tuple, rng.integers((50, 40), size=(n, 2)).tolist())) for n in (30, 400))
    value = fixation_kullback_leibler(torch.from_numpy(saliency), FixationBatch.of(points), FixationBatch.of(others))
    h, g = ([saliency[0, y, x] for x, y in some] for some in (points, others))
    edges = np.linspace(saliency.min(), saliency.max(), 11)
    h, g = (np.histogram(values, edges)[0] / len(values) for values in (h, g))
    expected = sum(a * math.log(a / b) for a, b in zip(h, g, strict=True) if a > 0)
    assert value.item() == pytest.approx(expected, abs=1e-4)


def test_draws_depend_on_the_seed_only():
    maps = torch.rand(1, 30, 40, generator=torch.Generator().manual_seed(0))
    fixations, others = FixationBatch.of([(1, 2), (9, 9)]), FixationBatch.of([(i, i) for i in range(20)])
    assert auc_borji(maps, fixations, seed=1) == auc_borji(maps, fixations, seed=1)
    assert auc_borji(maps, fixations, seed=1) != auc_borji(maps, fixations, seed=2)
    assert shuffled_auc_mit(maps, fixations, others, seed=1) != shuffled_auc_mit(maps, fixations, others, seed=2)
