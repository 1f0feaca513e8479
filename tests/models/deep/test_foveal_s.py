"""Foveal's own network: sizes, positions, what its numbers do. With random weights; those shipped are tested below."""

import numpy as np
import pytest
import torch
from equivariance import SIZES, displacements, divergence

from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.interop.onnx import _LogDensity
from foveal.models import load_model
from foveal.models.base import LARGEST_SIDE, stacked
from foveal.models.deep.foveal_s import CELL, IMAGE, FovealConfig, FovealS, at_scale
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.geometry import resample
from foveal.models.parts.precision import computes_in_bfloat16
from foveal.models.parts.sizes import LARGEST_AREA, USUAL, Size, Viewing, typical_pixels_per_degree

# Small and large, odd and even, upright and not; a model sees no larger ones. The benchmark has more between.
SEEN_SIZES = [size for size in SIZES if max(size) <= LARGEST_SIDE][::2]


ONE_MAP = {"relative": (1.0,), "absolute": ()}
FOUR_MAPS = {"relative": (1.0, 0.5), "absolute": (1.0, 0.5)}


def random_model(working_area, **config):
    torch.manual_seed(1)
    model = FovealS(FovealConfig(width=16, hidden=8, working_area=working_area, **FOUR_MAPS | config)).eval()
    if len(model.config.map_sizes) > 1:
        model.size_weights = torch.linspace(-1, 1, len(model.config.map_sizes))
    model.log_prior = torch.randn(64, 64)
    return model


SOME_SIZES = [(200, 200), (201, 334), (480, 640), (640, 480), (3000, 4000), (7, 3000)]


def test_at_other_sizes_it_is_the_mean_of_what_it_says_at_each():
    """Its weights are the same, and all maps count alike."""
    model = random_model(6_000, **ONE_MAP)
    image = torch.rand(1, 3, 60, 80)
    both = model.at_sizes(relative=(1.0, 0.7)).said(image)
    torch.testing.assert_close(both[:, 0], model.said(image)[:, 0])
    torch.testing.assert_close(both[:, 1], model.at_sizes(relative=(0.7,)).said(image)[:, 0])
    mean = model.at_sizes(relative=(1.0, 0.7)).saliency(image)
    torch.testing.assert_close(mean, model.combined(both.mean(dim=1, keepdim=True), model.numbers()))
    torch.testing.assert_close(model.at_sizes(relative=(1.0,)).log_density(image), model.log_density(image))
    with pytest.raises(FovealError, match="one size at least"):
        model.at_sizes()


def test_sizes_that_are_added_count_as_much_as_its_own():
    model = random_model(6_000)  # whose four maps do not count alike
    more = model.also_at([0.7, 0.5, 0.7, 1.4])
    assert more.config.relative == (1.0, 0.5, 0.7, 1.4)
    own = model.size_weights.softmax(dim=0) / 2
    expected = [own[0], own[1], 0.25, 0.25, own[2], own[3]]  # the relative sizes, then those in degrees
    torch.testing.assert_close(more.size_weights.softmax(dim=0), torch.tensor(expected))
    assert model.also_at([0.5]) is model


@pytest.mark.parametrize("size", SOME_SIZES)
def test_every_image_is_seen_at_one_area_and_its_own_shape(size):
    model = random_model(307_200)
    height, width = model.working_size(size)
    if min(height, width) > 64:
        assert height * width == pytest.approx(307_200, rel=0.01)
        assert height / width == pytest.approx(size[0] / size[1], rel=0.01)
    grid = model.cells(size)
    assert (grid.rows.length, grid.columns.length) == (round(height / CELL), round(width / CELL))
    assert grid.rows.length * grid.rows.step == pytest.approx(size[0])


@pytest.mark.parametrize("size", SOME_SIZES)
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_size_in_degrees_goes_with_the_scale_of_the_image(size, share):
    """As many px a degree of every image, whatever its size; without a scale, as if it filled what is typical."""
    model, one = random_model(307_200), Size(share, in_degrees=True)
    usual = model.working_size(size, USUAL, one)
    assert usual == model.working_size(size, USUAL, Size(share))
    scale = typical_pixels_per_degree(size)
    for closer in (0.7, 1.0, 1.3):
        height, width = model.working_size(size, Viewing(scale / closer), one)
        if min(height, width) > 64:
            assert height / size[0] * scale / closer == pytest.approx(share * 19.2, rel=0.01)
            assert width / size[1] * scale / closer == pytest.approx(share * 19.2, rel=0.01)
        assert model.working_size(size, Viewing(scale / closer), Size(share)) == usual
    height, width = model.working_size(size, Viewing(scale / 100), one)
    assert height * width <= max(1.01 * LARGEST_AREA, 64 * 64 * width / 64)


@pytest.mark.parametrize("shrunk", [0.5, 2, 4])
def test_at_one_viewing_distance_the_pixels_do_not_matter(shrunk):
    """An image of more px and as many more px a degree is seen alike; at another distance it is not."""
    model, (height, width) = random_model(300_000), (192, 256)
    for one in model.config.seen_sizes:
        sizes = [
            model.working_size((round(height * k), round(width * k)), Viewing(8.0 * k * farther), one)
            for k, farther in [(1, 1), (shrunk, 1), (1, 2)]
        ]
        assert sizes[0] == sizes[1]
        assert (sizes[0] == sizes[2]) is (not one.in_degrees)


@pytest.mark.parametrize(("size", "ppd"), [((480, 640), None), ((375, 500), 60.0), ((500, 375), 90.0)])
def test_an_image_that_is_seen_small_keeps_its_shape(size, ppd):
    """Its shorter side has 64 px then."""
    model = random_model(307_200)
    for one in (Size(0.1), Size(0.1, in_degrees=True)):
        height, width = model.working_size(size, Viewing(ppd), one)
        assert min(height, width) == 64
        assert height / width == pytest.approx(size[0] / size[1], rel=0.01)


def test_the_maps_of_all_sizes_are_weighed():
    """Each is what a network with this size alone says; without a scale, those in degrees are the others again."""
    model = random_model(40_000)
    for tap in model.taps.values():
        tap.std.fill_(1e-4)  # of a random network, whose features are small
    image, viewing = torch.rand(1, 3, 120, 160), Viewing(9.0)
    with torch.no_grad():
        maps = model.said(image, viewing)
        assert maps.shape[1] == 4
        for number, view in enumerate(model.config.map_sizes):
            kind = "absolute" if view.in_degrees else "relative"
            alone = random_model(40_000, **{**ONE_MAP, "relative": (), kind: (view.share,)})
            alone.load_state_dict({k: v for k, v in model.state_dict().items() if k != "size_weights"})
            torch.testing.assert_close(alone.said(image, viewing)[:, 0], maps[:, number])
        weights = torch.softmax(torch.linspace(-1, 1, 4), dim=0)
        alone.log_sigma.copy_(model.log_sigma)
        expected = alone.combined((weights[:, None, None] * maps).sum(dim=1, keepdim=True), alone.numbers())
        torch.testing.assert_close(model.saliency(image, viewing), expected)
        unknown = model.said(image)
        torch.testing.assert_close(unknown[:, :2], unknown[:, 2:], rtol=0, atol=0)
        assert (model.log_density(image, 9.0) - model.log_density(image)).abs().max() > 0.01


def test_an_answer_says_what_scale_it_took():
    model, image = random_model(6_000), np.zeros((60, 80, 3), np.uint8)
    assert model.predict(image, 11.0).scale.pixels_per_degree == 11
    assumed = model.predict(image).scale
    assert assumed.is_assumed
    assert assumed.pixels_per_degree == pytest.approx(80 / 33.3, abs=0.01)
    assert random_model(6_000, **ONE_MAP).predict(image).scale is None


def test_the_centre_bias_counts_by_its_weight():
    model, image = random_model(6_000), torch.rand(1, 3, 60, 80)
    with torch.no_grad():
        densities = []
        for weight in (0.0, 1.0, 2.0):
            model.prior_weight.fill_(weight)
            densities.append(model.log_density(image))
    first, second = densities[1] - densities[0], densities[2] - densities[1]
    torch.testing.assert_close(first - first.mean(), second - second.mean(), atol=1e-4, rtol=0)
    assert first.std() > 0.1


def test_a_higher_temperature_is_less_sure():
    model, image = random_model(6_000), torch.rand(1, 3, 60, 80)
    torch.nn.init.normal_(model.readout[2].weight, std=3)
    model.prior_weight.fill_(0.0)
    with torch.no_grad():
        before = model.log_density(image)
        model.temperature.fill_(2.0)
        after = model.log_density(image)
    torch.testing.assert_close(after - after.mean(), (before - before.mean()) / 2, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("first_trained", "last_frozen", "frozen"),
    [
        ("block15", "block14", ("block6", "block10", "block14")),
        ("block18", "block17", ("block6", "block10", "block14", "block16", "block17")),
        ("stem", IMAGE, (IMAGE,)),
    ],
)
def test_features_of_trained_layers_can_be_computed_from_the_last_frozen_one(first_trained, last_frozen, frozen):
    model = random_model(6_000, first_trained=first_trained, scales=(1.0,), **ONE_MAP)
    assert (model.last_frozen, model.frozen_layers) == (last_frozen, frozen)
    image = torch.rand(2, 3, 60, 80)
    with torch.no_grad():
        seen_at = model.working_size((60, 80))
        features = model.features(image, seen_at)
        grids = model.grids((60, 80), model.kept_layers, seen_at)
        for layer, maps in features.items():
            assert maps.shape[2:] == (grids[layer].rows.length, grids[layer].columns.length)
        again = model.all_features({layer: features[layer] for layer in frozen})
    for tap in model.config.taps:
        torch.testing.assert_close(again[tap], features[tap])


@pytest.mark.parametrize("width", [64, 128])  # of lite0's taps, with 64 none but the finest is widened, with 128 others
def test_what_the_taps_make_of_the_features_comes_to_the_cells(width):
    """In whatever order, it is the sum of what each tap makes of its features, brought there by itself."""
    taps, channels = ("block4", "block7", "block10", "block14"), (40, 80, 112, 192)
    chosen = {"backbone": "efficientnet_lite0", "taps": taps, "channels": channels, "first_trained": "block11"}
    torch.manual_seed(1)
    model = FovealS(FovealConfig(width=width, working_area=20_000, **chosen, **ONE_MAP))
    size, image = (90, 130), torch.rand(2, 3, 90, 130)
    with torch.no_grad():
        features = model.all_features(model.see(image))
        for key, tap in model.taps.items():
            tap.mean.copy_(features[key].mean(dim=(0, 2, 3)))
            tap.std.copy_(features[key].std(dim=(0, 2, 3)) + 0.01)
        expected = 0
        for number, scale in enumerate(model.config.scales):
            for name, grid in model.grids(size, taps, model.working_size(size, USUAL, Size(scale))).items():
                key = at_scale(name, number)
                expected = expected + resample(model.taps[key](features[key]), grid, model.cells(size))
        found = model.on_cells(features, model.taps, size)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = model.on_cells(features, model.taps, size).float()
    assert (rounded - expected).std() < 0.02 * expected.std()


def test_one_network_sees_the_image_at_several_scales():
    """What each scale adds is what a model of this scale alone computes; the taps' outputs are summed."""
    model = random_model(24_000, scales=(1.0, 0.5), **ONE_MAP)
    image, size = torch.rand(1, 3, 120, 160), (120, 160)
    features, smaller = (model.features(image, model.working_size(size, USUAL, Size(k))) for k in (1.0, 0.5))
    assert smaller["block10"].shape[2] < features["block10"].shape[2]
    both = model.see(image)
    for layer in model.config.taps:
        torch.testing.assert_close(both[layer], features[layer])
        torch.testing.assert_close(both[f"{layer}@1"], smaller[layer])
    kept = {name: both[name] for name in model.frozen_layers}
    assert set(kept) == {"block6", "block10", "block14", "block6@1", "block10@1", "block14@1"}
    with torch.no_grad():
        torch.testing.assert_close(model(kept, size), model.said(image))
        for name, tap in model.taps.items():
            if name.endswith("@1"):
                tap.linear.weight.zero_()
                tap.linear.bias.zero_()
        alone = random_model(24_000, scales=(1.0,), **ONE_MAP)
        alone.load_state_dict(model.state_dict(), strict=False)
        torch.testing.assert_close(model.saliency(image), alone.saliency(image))


@pytest.mark.parametrize("scales", [(1.0,), (1.0, 0.5)])
@pytest.mark.parametrize("zoom", [1.0, 1.37])
@pytest.mark.parametrize("shift", [0, 40])
def test_the_density_moves_with_the_photograph(shift, zoom, scales):
    """A photograph moved to the right on a wider ground: its density goes with it, at any zoom."""
    model = random_model(240 * 400, scales=scales, relative=(1.0,), absolute=(1.3,))
    image = torch.full((1, 3, 240, 400), 0.5)
    image[:, :, 100:140, 100 + shift : 140 + shift] = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(0))

    def saliency(pixels):
        viewing = Viewing(9.0, zoom)
        return model.combined(model(model.see(pixels, viewing), (240, 400), viewing), model.numbers())[0]

    with torch.no_grad():
        cells = (saliency(image) - saliency(torch.full_like(image, 0.5))).abs()
    density = resize_maps(cells[None], (240, 400))[0]
    x = (density.sum(dim=0) * torch.arange(400)).sum() / density.sum()
    y = (density.sum(dim=1) * torch.arange(240)).sum() / density.sum()
    assert float(x) == pytest.approx(119.5 + shift, abs=8)
    assert float(y) == pytest.approx(119.5, abs=8)


@pytest.mark.skipif(not computes_in_bfloat16(), reason="this processor has no instructions for bfloat16")
@pytest.mark.parametrize("name", ["foveal-s", "foveal-l"])
def test_a_prediction_in_bfloat16_says_the_same(name, photograph):
    model = load_model(name)
    with torch.no_grad():
        expected = model.log_density(stacked([photograph]))[0]
    found = torch.from_numpy(model.predict(photograph).log_density)
    assert found.dtype == torch.float32
    assert 0 < (found - expected).abs().max() < 1
    assert (expected.exp() * (expected - found)).sum() < 0.01  # nats


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_a_model_of_double_precision_stays_so(mode):
    model, image = random_model(6_000), torch.rand(1, 3, 60, 80)
    with mode():
        doubled = random_model(6_000).double().log_density(image.double())
    assert doubled.dtype == torch.float64
    with torch.no_grad():
        torch.testing.assert_close(model.log_density(image).double(), doubled, atol=1e-3, rtol=0)


def test_a_model_is_exported_in_float32():
    """Also in inference mode, whatever the processor: the graph holds no other precision."""
    few = {"backbone": "efficientnet_lite0", "taps": ("block4", "block7"), "channels": (40, 80), "first_trained": ""}
    model, image = random_model(6_000, scales=(1.0,), **few, **ONE_MAP), torch.rand(1, 3, 60, 80)
    with torch.no_grad():
        expected = model.log_density(image)
    for mode in (torch.inference_mode, torch.no_grad, torch.enable_grad):
        with mode():
            program = torch.export.export(_LogDensity(model), (image,))
        assert "autocast" not in str(program.graph)
        with torch.no_grad():
            torch.testing.assert_close(program.module()(image), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.shared
def test_the_saliency_of_a_photograph_moves_with_it(shared):
    """Of the published weights, in pixels of the image as the network sees it, which are an eighth of a cell.

    A network with strides is not quite the same at every phase; on average nothing may drift.
    """
    model = load_model("foveal-s")
    data = load_dataset("osie", shared / "data")
    found = [
        (moved.rows, moved.columns)
        for number, size in enumerate(SEEN_SIZES)
        for moved in displacements(model, data.stimuli[70 * number].image, data.stimuli.ids[70 * number], size)
    ]
    assert np.abs(np.mean(found, axis=0)).max() < 1
    assert np.median(np.abs(found)) < 1.5
    assert np.abs(found).max() < CELL


@pytest.mark.shared
def test_a_photograph_has_one_density_at_all_sizes(shared):
    model = load_model("foveal-s")
    data = load_dataset("osie", shared / "data")
    for number, size in enumerate(SEEN_SIZES):  # the smallest lacks what the network sees of the others
        assert divergence(model, data.stimuli[70 * number].image, size) < (0.5 if min(size) <= 200 else 0.05)
