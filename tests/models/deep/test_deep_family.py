"""The networks of the seeds: as many weights as published, and what is each one's own."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.deep.deepgaze2 import DeepGazeII
from foveal.models.deep.dissection import Dissection
from foveal.models.deep.msinet import MSINet
from foveal.models.deep.network import IMAGE
from foveal.models.deep.salgan import SalGAN
from foveal.models.deep.sam import SAMVGG, SAMResNet
from foveal.models.parts.geometry import resample
from foveal.models.parts.sizes import Viewing


@pytest.mark.parametrize(
    ("network", "published"),
    [
        (SalGAN, 31_787_009),  # "31.8 M", 127 MB
        (MSINet, 24_934_209),
        (Dissection, 14_714_688 + 512),
        (SAMVGG, 51_833_281),  # "51.8 M"
        (SAMResNet, 70_064_321),  # "70.1 M", without the convolutions' biases of Keras' ResNet-50
    ],
)
def test_it_has_as_many_weights_as_published(network, published):
    with torch.device("meta"):
        assert sum(weight.numel() for weight in network().parameters()) == published


def test_deepgaze_ii_trains_as_many_weights_as_published():
    """2560 features to 16, 32, 2 and 1, with biases; nothing of VGG-19."""
    groups = DeepGazeII().parameter_groups()
    assert sum(weight.numel() for weight in groups["readout"]) == 41_589
    assert "backbone" not in groups


@pytest.mark.parametrize("network", [SalGAN, MSINet, Dissection, SAMVGG, SAMResNet, DeepGazeII])
def test_what_is_kept_of_an_image_says_the_same_as_the_image(network):
    """Wherever the encoder is cut into frozen and trained layers."""
    torch.manual_seed(0)
    model = network(network.tiny).eval()
    image = torch.rand(2, 3, 60, 80)
    expected = model.said(image, Viewing(zoom=1.3))
    layers = model.encoder.layers
    for first in {layers[0], layers[len(layers) // 2], layers[-1], ""}:
        model.first_trained = first
        for kept in ("_last_frozen", "frozen_layers"):
            model.__dict__.pop(kept, None)
        assert set(model.see(image)) == set(model.frozen_layers)
        torch.testing.assert_close(model.said(image, Viewing(zoom=1.3)), expected)


@pytest.mark.parametrize("network", [SalGAN, MSINet, Dissection, SAMVGG, SAMResNet])
def test_a_layer_that_is_not_there(network):
    with pytest.raises(FovealError, match="no layer 'conv9'"):
        network(replace(network.tiny, first_trained="conv9"))


@pytest.mark.parametrize("network", [SalGAN, Dissection])
def test_an_image_keeps_its_shape(network):
    model = network()
    assert model.seen_size((480, 480))[0] == model.seen_size((480, 480))[1]
    for size in ((480, 640), (640, 480), (100, 900)):
        height, width = model.seen_size(size)
        assert height % 16 == width % 16 == 0
        assert height * width == pytest.approx(model.config.area, rel=0.15)


def test_salgan_sees_what_the_paper_shows_it():
    assert SalGAN().seen_size((480, 640)) == (192, 256)


def test_deepgaze_ii_combines_features_where_they_lie():
    """The readout of features that were brought to the cells first, as in the paper: the same."""
    torch.manual_seed(0)
    model = DeepGazeII(replace(DeepGazeII.tiny, layers=("relu5_3",))).eval()
    image = torch.rand(1, 3, 64, 64)  # as it is seen: two px a cell
    (features,) = model.features_read(model.see(image))
    grids = model.grids((64, 64), ["relu5_3"])
    on_cells = resample(features / model.taps["relu5_3"].std[:, None, None], grids["relu5_3"], model.cells((64, 64)))
    torch.testing.assert_close(model.said(image), model.readout(model.combine(on_cells))[:, 0], rtol=1e-4, atol=1e-5)


def test_msi_net_fills_its_frame_with_gray_and_says_maps_from_nothing_to_one():
    torch.manual_seed(0)
    model = MSINet(MSINet.tiny).eval()
    square = torch.rand(1, 3, 48, 48)
    shown = model.fitted(square)
    assert torch.equal(shown[..., 8:56], square)
    torch.testing.assert_close(shown[..., :8], torch.full((1, 3, 48, 8), 126 / 255))
    said = model.said(square)
    assert (said.min(), said.max()) == (0, 1)


def test_sam_looks_at_features_then_at_priors():
    """Its parts, one after the other, on the features of the encoder."""
    torch.manual_seed(0)
    model = SAMVGG(SAMVGG.tiny).eval()
    image = torch.rand(1, 3, 48, 64)
    features = model.encoder(model.see(image)[IMAGE], ["relu5_3"])["relu5_3"]
    state = model.recurrent(F.relu(model.reduce(features)))
    for module in model.with_priors:
        state = F.relu(module.combine(torch.cat([state, module.priors((6, 8))[None]], dim=1)))
    expected = F.interpolate(F.relu(model.readout(state)), (24, 32), mode="bilinear", align_corners=False)[:, 0]
    torch.testing.assert_close(model.said(image), expected, rtol=1e-4, atol=1e-6)
