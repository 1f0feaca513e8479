"""Deep visual attention: its weights, its crops, its four maps."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.deep.deep_visual_attention import LEVELS, Decoder, DeepVisualAttention
from foveal.models.deep.network import IMAGE
from foveal.models.parts.sizes import Viewing


@pytest.fixture
def model():
    """With weights large enough that what comes from the image is not lost in rounding."""
    torch.manual_seed(0)
    model = DeepVisualAttention(DeepVisualAttention.tiny).eval()
    for weight in [*model.decoders.parameters(), *model.fuse.parameters()]:
        torch.nn.init.normal_(weight, std=0.1)
    return model


def test_it_has_as_many_weights_as_its_layers_say():
    """25.1 million: VGG-16, the deconvolutions of the published network, three times 64 to 1, three to 1."""
    deconvolutions = [(512, 512), (512, 256), (256, 128), (128, 64)]  # after conv5_3
    deconvolutions += [(512, 256), (256, 128), (128, 64)]
    deconvolutions += [(256, 128), (128, 64)]
    new = sum(16 * before * after + after for before, after in deconvolutions) + 3 * (9 * 64 + 1) + 9 * 3 + 1
    with torch.device("meta"):
        found = sum(weight.numel() for weight in DeepVisualAttention().parameters())
    assert found == 14_714_688 + new == 25_072_735


def test_a_decoder_spreads_each_value_and_keeps_the_middle():
    """Value by value: each is spread over 4 x 4 places, two apart, and of what hangs over each side has the same."""
    torch.manual_seed(0)
    decoder = Decoder(2, (3, 2))
    features = torch.rand(1, 2, 3, 5)
    maps = features[0]
    for layer in (decoder.layers[0], decoder.layers[2]):
        spread = layer.bias[:, None, None].repeat(1, 2 * maps.shape[1] + 2, 2 * maps.shape[2] + 2)
        for row in range(maps.shape[1]):
            for column in range(maps.shape[2]):
                stamp = torch.einsum("i,iokl->okl", maps[:, row, column], layer.weight)
                spread[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += stamp
        maps = spread.relu()
    last = decoder.layers[-1]
    summed = torch.stack(
        [
            torch.stack(
                [
                    (maps[:, row : row + 3, column : column + 3] * last.weight[0]).sum() + last.bias[0]
                    for column in range(maps.shape[2] - 2)
                ]
            )
            for row in range(maps.shape[1] - 2)
        ]
    )
    assert summed.shape == (12 + 4, 20 + 4)
    torch.testing.assert_close(decoder(features)[0, 0], summed[2:-2, 2:-2], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_map_lies_where_its_features_do(number):
    """Deconvolutions that only enlarge spread a value evenly around the middle of its cell."""
    decoder = Decoder(1, (1,) * number)
    for weight in decoder.parameters():
        torch.nn.init.constant_(weight, float(weight.ndim > 1))
    features = torch.zeros(1, 1, 5, 7)
    features[0, 0, 1, 4] = 1.0
    said = decoder(features)[0, 0].detach()
    assert said.shape == (5 * 2**number, 7 * 2**number)
    shares = said / said.sum()
    middle = [
        float(shares.sum(dim=1 - side) @ torch.arange(length, dtype=torch.float))
        for side, length in enumerate(said.shape)
    ]
    assert middle == pytest.approx([1.5 * 2**number - 0.5, 4.5 * 2**number - 0.5], abs=1e-3)


def test_it_says_a_map_a_level_and_what_they_say_together(model):
    """Layer by layer, on the features of VGG-16, each of 64 px by 32."""
    model = model.double()
    model.area = 64 * 32
    image = torch.rand(2, 3, 64, 32, dtype=torch.double)
    features = model.encoder(model.see(image)[IMAGE], LEVELS)
    sides = []
    for level, decoder, margin in zip(LEVELS, model.decoders, (2, 6, 14), strict=True):
        maps = features[level]
        *deconvolutions, last = [layer for layer in decoder.layers if hasattr(layer, "weight")]
        for layer in deconvolutions:
            maps = F.relu(F.conv_transpose2d(maps, layer.weight, layer.bias, stride=2))
        sides.append(F.conv2d(maps, last.weight, last.bias)[:, :, margin:-margin, margin:-margin])
    fused = F.conv2d(F.pad(torch.cat(sides, dim=1), (1, 1, 1, 1)), model.fuse.weight, model.fuse.bias)
    expected = torch.cat([*sides, fused], dim=1).sigmoid()
    assert expected.std(dim=(2, 3)).min() > 1e-3  # no map is the same everywhere
    torch.testing.assert_close(model.said(image), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(model.saliency_map(image), expected[:, -1], rtol=1e-5, atol=1e-6)


def test_it_sees_what_the_paper_shows_it():
    with torch.device("meta"):
        model = DeepVisualAttention()
    assert model.seen_size((500, 500)) == (224, 224)
    for size in ((480, 640), (640, 480), (100, 900)):
        height, width = model.seen_size(size)
        assert height % 16 == width % 16 == 0
        assert height * width == pytest.approx(224**2, rel=0.15)


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(model, size):
    grid = model.cells(size)
    for viewing in (Viewing(), Viewing(zoom=1.4)):
        said = model.said(torch.rand(1, 3, *size), viewing)
        assert said.shape == (1, 4, grid.rows.length, grid.columns.length)
        assert said.isfinite().all()


def test_what_is_kept_of_an_image_says_the_same_as_the_image(model):
    image = torch.rand(2, 3, 60, 80)
    expected = model.said(image, Viewing(zoom=1.3))
    for first in ("conv3_2", "conv4_1", "relu5_3", ""):
        model.first_trained = first
        for kept in ("_last_frozen", "frozen_layers"):
            model.__dict__.pop(kept, None)
        assert set(model.see(image)) == set(model.frozen_layers)
        torch.testing.assert_close(model.said(image, Viewing(zoom=1.3)), expected)


@pytest.mark.parametrize(
    ("config", "message"),
    [({"decoder": (8, 8)}, "decoder: .*four"), ({"first_trained": "conv9"}, "no layer 'conv9'")],
)
def test_configurations_that_cannot_be(config, message):
    with pytest.raises(FovealError, match=message):
        DeepVisualAttention(replace(DeepVisualAttention.tiny, **config).completed())
