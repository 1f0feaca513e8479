"""UNISAL's way with images: its weights, its parts one after the other, and what is learned of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.deep.unisal import LEVELS, Smoothing, Unisal
from foveal.models.parts.sizes import Viewing

FINE, MIDDLE, COARSE = LEVELS


@pytest.fixture
def model():
    """With normalisations that do something."""
    torch.manual_seed(0)
    model = Unisal(Unisal.tiny).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return model


def inverted_residual(before, wide, after):
    """Weights of 1 x 1 to more, of 3 x 3 each by itself, of 1 x 1 to fewer, and of a normalisation after each."""
    expansion = before * wide + 2 * wide if wide > before else 0
    return expansion + 9 * wide + 2 * wide + wide * after + 2 * after


def test_it_has_as_many_weights_as_its_layers_say():
    """3.2 million; with the recurrent network of videos and parts for four data sets, about 3.7 as published."""
    mobilenet = 3_504_872 - 1_281_000  # as published, without its last layer of all to all
    skips = sum(
        before * 2 * before + 4 * before + 2 * before * after + after + 2 * after
        for before, after in ((160, 128), (64, 64))
    )
    decoder = inverted_residual(1296, 1296, 256) + inverted_residual(384, 768, 128) + inverted_residual(192, 384, 64)
    last = 64 + 1 + 41**2 + 16 * 4
    with torch.device("meta"):
        found = sum(weight.numel() for weight in Unisal().parameters())
    assert found == mobilenet + skips + decoder + last == 3_189_122


def normalised(maps, norm):
    mean, std = norm.running_mean[:, None, None], (norm.running_var + norm.eps).sqrt()[:, None, None]
    return (maps - mean) / std * norm.weight[:, None, None] + norm.bias[:, None, None]


def applied(modules, maps):
    """Convolutions, normalisations and ReLU6 one after the other, by their formulas."""
    for module in modules:
        if isinstance(module, nn.Conv2d):
            maps = F.conv2d(maps, module.weight, module.bias, 1, module.kernel_size[0] // 2, 1, module.groups)
        elif isinstance(module, nn.BatchNorm2d):
            maps = normalised(maps, module)
        elif isinstance(module, nn.ReLU6):
            maps = maps.clamp(0, 6)
    return maps


def layers_of(part):
    return [module for module in part.modules() if not list(module.children())]


def between(maps, times):
    """So many values to one, of which the first of each lies where that does, and the others on lines to the next."""
    for dim in (2, 3):
        length = maps.shape[dim]
        after = maps.index_select(dim, torch.arange(1, length + 1).clamp(max=length - 1))
        steps = [maps + (after - maps) * number / times for number in range(times)]
        maps = torch.stack(steps, dim=dim + 1).flatten(dim, dim + 1)
    return maps


def test_it_looks_at_what_lies_beside_the_features_of_three_depths(model):
    """Its parts one after the other, on MobileNetV2's features; every enlargement is between neighbors."""
    model.absorb(20.0)  # first weights say little
    image = torch.rand(2, 3, 64, 96)  # as it is seen
    found = model.encoder(model.fitted(image), [FINE, MIDDLE, COARSE])
    assert [found[level].shape[2:] for level in (FINE, MIDDLE, COARSE)] == [(8, 12), (4, 6), (2, 3)]
    priors = model.gaussians((2, 3)).expand(2, -1, -1, -1)
    features = applied(layers_of(model.combine), torch.cat([found[COARSE], priors], dim=1))
    for level, skip, join in (
        (MIDDLE, model.skip_middle, model.join_middle),
        (FINE, model.skip_fine, model.join_fine),
    ):
        beside = applied(layers_of(skip), found[level])
        features = applied(layers_of(join), torch.cat([between(features, 2), beside], dim=1))
    pixels = between(applied([model.readout], features), 8)
    smoothed = F.conv2d(F.pad(pixels, (4, 4, 4, 4), mode="replicate"), model.smoothing.weight)
    trapezium = torch.tensor([0.5, 1.0, 1.0, 0.5]) / 3  # lines between four px, averaged from the first to the last
    expected = F.conv2d(smoothed, torch.outer(trapezium, trapezium)[None, None], stride=4)[:, 0]
    assert expected.std() > 0.01
    torch.testing.assert_close(model.said(image), expected, rtol=1e-4, atol=1e-5)


def test_it_sees_what_the_paper_shows_it():
    with torch.device("meta"):
        model = Unisal()
    assert model.seen_size((480, 640)) == (288, 384)
    for size in ((640, 480), (500, 500), (1080, 1920)):
        height, width = model.seen_size(size)
        assert height % 32 == width % 32 == 0
        assert height * width == pytest.approx(288 * 384, rel=0.12)


def test_the_smoothing_begins_as_a_gaussian_and_keeps_what_is_the_same_everywhere():
    smoothing = Smoothing(41)
    weight = smoothing.weight[0, 0].detach()
    places = torch.arange(-20.0, 21)
    for dim in (0, 1):
        variance = float((weight.sum(dim=dim) * places**2).sum())
        assert math.sqrt(variance) == pytest.approx(40 * math.exp(-2), rel=0.01)
    gaussian = np.exp(-(places.numpy() ** 2) / (2 * (40 * math.exp(-2)) ** 2))
    np.testing.assert_allclose(weight, np.outer(gaussian, gaussian) / gaussian.sum() ** 2, rtol=1e-4)
    torch.testing.assert_close(smoothing(torch.full((1, 5, 70), 3.0)), torch.full((1, 5, 70), 3.0))


def test_the_smoothing_and_its_gradients_are_those_of_a_convolution():
    """Also where neither side is a length that Fourier transforms like."""
    torch.manual_seed(0)
    smoothing = Smoothing(41)
    with torch.no_grad():
        smoothing.weight.add_(0.01 * torch.randn_like(smoothing.weight))
    maps = torch.rand(2, 57, 103, requires_grad=True)
    convolved = F.conv2d(F.pad(maps[:, None], (20, 20, 20, 20), mode="replicate"), smoothing.weight)[:, 0]
    towards = torch.randn_like(convolved)
    expected = torch.autograd.grad((convolved * towards).sum(), (maps, smoothing.weight))
    found = smoothing(maps)
    torch.testing.assert_close(found, convolved, rtol=1e-5, atol=1e-5)
    given = torch.autograd.grad((found * towards).sum(), (maps, smoothing.weight))
    torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-3)


def test_normalisations_of_the_decoder_follow_the_batches_those_of_the_encoder_stay(model):
    before = {key: value.clone() for key, value in model.named_buffers() if key.endswith("running_mean")}
    model.train()
    model.said(torch.rand(2, 3, 64, 96))
    changed = {key for key, value in model.named_buffers() if key in before and not torch.equal(value, before[key])}
    assert changed == {key for key in before if not key.startswith("encoder.")}


def test_features_of_lower_depths_are_left_out_whole(model):
    """Of the share that the configuration says; of the encoder's highest none."""
    model.skip_fine.dropout.train()
    kept = model.skip_fine.dropout(torch.ones(1, 2000, 2, 2))
    assert kept.flatten(2).std(dim=2).max() == 0
    assert float((kept == 0).float().mean()) == pytest.approx(0.6, abs=0.05)
    assert not any(isinstance(module, nn.Dropout2d) for module in model.combine.modules())


def test_it_takes_up_how_sharp_densities_are(model):
    image = torch.rand(1, 3, 60, 80)
    before = model.said(image)
    model.absorb(2.5)
    torch.testing.assert_close(model.said(image), 2.5 * before, rtol=1e-4, atol=1e-5)


def test_its_gaussians_do_not_decay(model):
    ids = {id(weight) for weight in model.without_decay()}
    assert {name for name, weight in model.named_parameters() if id(weight) in ids} == {
        "gaussians.means",
        "gaussians.log_deviations",
    }


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(model, size):
    grid = model.cells(size)
    for viewing in (Viewing(), Viewing(zoom=1.4)):
        said = model.said(torch.rand(1, 3, *size), viewing)
        assert said.shape == (1, grid.rows.length, grid.columns.length)
        assert said.isfinite().all()


def test_what_is_kept_of_an_image_says_the_same_as_the_image(model):
    image = torch.rand(2, 3, 60, 80)
    expected = model.said(image, Viewing(zoom=1.3))
    for first in ("block3", "block7", "block7_strided", "block14", "block18", ""):
        model.first_trained = first
        for kept in ("_last_frozen", "frozen_layers"):
            model.__dict__.pop(kept, None)
        assert set(model.see(image)) == set(model.frozen_layers)
        torch.testing.assert_close(model.said(image, Viewing(zoom=1.3)), expected)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"channels": (8, 8)}, "channels: .*three"),
        ({"smoothing": 8}, "smoothing: 8 .*odd"),
        ({"dropout": 1.0}, "dropout: 1.0 .*less than 1"),
        ({"first_trained": "conv9"}, "no layer 'conv9'"),
    ],
)
def test_configurations_that_cannot_be(config, message):
    with pytest.raises(FovealError, match=message):
        Unisal(replace(Unisal.tiny, **config).completed())
