"""eDN: the published hierarchies, whose features are what their steps make of the image one after the other."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import correlate
from toy import disc_center, make_dataset, make_photograph

from foveal.errors import FovealError
from foveal.models.deep.edn import EDN, HIERARCHIES, N_FEATURES, EDNConfig, chance_filters, distance_from_center, to_yuv
from foveal.models.parts.local_normalization import local_normalization
from foveal.models.parts.norm_pooling import norm_pooling
from foveal.training.fits.learning import learn


def test_it_has_as_many_features_as_published():
    assert [hierarchy.layers[-1].filters for hierarchy in HIERARCHIES] == [128, 128, 128, 64, 256, 128]
    assert N_FEATURES == 832 + 1
    assert sum(weight.numel() for weight in EDN().parameters()) == 834  # with the bias


def test_filters_are_drawn_as_in_the_published_code():
    """One after the other, from the same seed in every layer; each without mean, and of unit length."""
    found = chance_filters(3, 2, 5).double().numpy()
    chance = np.random.RandomState(42)
    for one in found:
        drawn = chance.uniform(size=50).reshape(5, 5, 2)  # row by row, px by px, feature by feature
        drawn = drawn - drawn.mean()
        np.testing.assert_allclose(one.transpose(1, 2, 0), drawn / np.sqrt((drawn**2).sum()), atol=1e-6)


@pytest.mark.parametrize("number", [0, 3])
def test_a_layer_is_its_four_steps(number):
    """Filters as correlations that see nothing beyond the border, bounds, pooling, normalization."""
    layer = HIERARCHIES[number].layers[1]
    maps = np.random.default_rng(0).normal(0, 1, (4, 14, 15))
    filters = chance_filters(layer.filters, 4, layer.kernel).double().numpy()
    answers = [
        sum(correlate(one, of_one, mode="constant") for one, of_one in zip(maps, each, strict=True)) for each in filters
    ]
    bounded = torch.from_numpy(np.clip(answers, *layer.bounds))[None]
    assert (bounded != torch.from_numpy(np.array(answers))[None]).any()
    pooled = norm_pooling(bounded, layer.pooling, layer.order)
    last = layer.normalization
    expected = local_normalization(
        pooled, last.width, subtracts_mean=last.subtracts_mean, threshold=last.threshold, stretch=last.stretch
    )
    found = layer(torch.from_numpy(maps).float()[None])
    assert found.shape == (1, layer.filters, 7, 8)
    torch.testing.assert_close(found, expected.float(), rtol=1e-4, atol=1e-5)


def test_colors_are_those_of_pil():
    """Up to its rounding."""
    image = make_photograph(0)
    as_pil = np.array(Image.fromarray(image).convert("YCbCr")).astype(np.float32)
    found = to_yuv(torch.from_numpy(image).permute(2, 0, 1)[None].float())[0].permute(1, 2, 0)
    np.testing.assert_allclose(found, as_pil, atol=1.01)


def test_the_size_at_which_an_image_is_seen():
    model = EDN()
    assert model.seen_size((768, 1024)) == (384, 512)
    assert model.seen_size((600, 600)) == (448, 448)
    height, width = model.seen_size((1, 2048))
    assert height * width < 5 * 512 * 384


def test_features_lie_where_they_are(monkeypatch):
    """With filters that see the same on all sides, what a disc changes in a gray image is around the disc."""

    def even_filters(number, features, kernel):
        one = torch.full((kernel, kernel), -1.0)
        one[kernel // 2, kernel // 2] = kernel**2 - 1
        return (one / (one.norm() * features**0.5)).expand(number, features, kernel, kernel)

    monkeypatch.setattr("foveal.models.deep.edn.chance_filters", even_filters)
    gray = torch.full((1, 3, 192, 256), 0.5)
    y, x = torch.meshgrid(torch.arange(192), torch.arange(256), indexing="ij")
    with_disc = torch.where((y - 88) ** 2 + (x - 144) ** 2 < 12**2, 1.0, gray)
    model = EDN(EDNConfig(longer=256, shorter=192))
    change = (model.features(with_disc) - model.features(gray))[0]
    assert change.shape == (833, 48, 64)
    counts = [hierarchy.layers[-1].filters for hierarchy in HIERARCHIES]
    for of_hierarchy in change[:-1].split(counts):
        strength = of_hierarchy.square().sum(dim=0)
        for dim, center in enumerate((88, 144)):
            positions = 4 * torch.arange(strength.shape[dim]) + 1.5
            found = float((strength.sum(dim=1 - dim) * positions).sum() / strength.sum())
            assert found == pytest.approx(center, abs=1.5)  # half a step would be 4 px


def test_the_distance_is_in_whole_cells_of_the_largest():
    found = distance_from_center((4, 5))
    expected = [[int(np.hypot(row - 1.5, column - 2)) / 2 for column in range(5)] for row in range(4)]
    np.testing.assert_allclose(found, expected)
    assert distance_from_center((1, 1)) == 0


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(size):
    model = EDN(EDN.tiny).eval()
    with torch.no_grad():
        assert model.saliency_map(torch.rand(1, 3, *size)).isfinite().all()


def test_it_learns_what_is_looked_at():
    """On photographs that it has not seen; what it learned, it learns again."""
    models = [EDN(EDN.tiny) for _ in range(2)]
    for model in models:
        learn(model, make_dataset(6), 0, lambda *_: None)
    for seed in (50, 51):
        saliency = models[0].saliency_map_of([make_photograph(seed)])[0].numpy()
        cx, cy = disc_center(seed, (60, 80))
        row, column = divmod(int(saliency.argmax()), 80)
        assert np.hypot(row - cy, column - cx) < 15
    assert torch.equal(models[0].readout.weight, models[1].readout.weight)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"shorter": 31}, r"shorter: 31 \(needs a whole number from 32 on"),
        ({"longer": 380}, r"longer: 380 \(needs .*384"),
    ],
)
def test_sides_that_are_too_small(values, line):
    with pytest.raises(FovealError, match=line):
        EDNConfig(**values).completed()


def test_the_smallest_sides_give_a_map():
    model = EDN(EDNConfig(longer=32, shorter=32)).eval()
    assert model.log_density(torch.rand(1, 3, 40, 50)).isfinite().all()
