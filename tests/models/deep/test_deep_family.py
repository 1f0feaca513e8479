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
from foveal.models.parts.geometry import Axis, Grid, resample
from foveal.models.parts.sizes import Viewing

NETWORKS = [SalGAN, MSINet, Dissection, SAMVGG, SAMResNet, DeepGazeII]


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
    with torch.device("meta"):
        groups = DeepGazeII().parameter_groups()
    assert sum(weight.numel() for weight in groups["readout"]) == 41_589
    assert "backbone" not in groups


@pytest.mark.parametrize("network", NETWORKS)
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
    """Its parts, one after the other, on the features of the encoder; values lie where these do."""
    torch.manual_seed(0)
    model = SAMVGG(replace(SAMVGG.tiny, height=48, width=64)).eval()
    image = torch.rand(1, 3, 48, 64)
    state = model.recurrent(model.encoder(model.see(image)[IMAGE], ["relu5_3"])["relu5_3"])
    for module in model.with_priors:
        state = F.relu(module.combine(torch.cat([state, module.priors((6, 8))[None]], dim=1)))
    grid = Grid(Axis(6, 7.5, 8.0), Axis(8, 7.5, 8.0))  # pool4 without stride looks further to the right and below
    expected = resample(F.relu(model.readout(state)), grid, Grid.over((48, 64), (24, 32)))[:, 0]
    torch.testing.assert_close(model.said(image), expected, rtol=1e-4, atol=1e-6)


def test_sams_gaussians_do_not_decay():
    model = SAMResNet(SAMResNet.tiny)
    gaussians = {
        id(weight) for name, weight in model.named_parameters() if "priors.means" in name or "deviations" in name
    }
    assert {id(weight) for weight in model.without_decay()} == gaussians
    assert len(gaussians) == 4


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(network, size):
    model = network(network.tiny).eval()
    grid, said = model.cells(size), model.said(torch.rand(1, 3, *size))
    assert said.shape[1:] == (grid.rows.length, grid.columns.length)
    assert said.isfinite().all()


@pytest.mark.parametrize(
    ("network", "config", "message"),
    [
        (DeepGazeII, {"layers": ()}, "layers: .. .needs a list of layers, each once"),
        (DeepGazeII, {"layers": ("conv5_1", "conv5_1")}, "layers: .*each once"),
        (DeepGazeII, {"readout": ()}, "readout: "),
        (SalGAN, {"decoder": (8, 8)}, "decoder: .*five"),
    ],
)
def test_configurations_that_cannot_be(network, config, message):
    with pytest.raises(FovealError, match=message):
        replace(network.tiny, **config).completed()


def test_deepgaze_iis_layers_go_from_the_image_up():
    config = replace(DeepGazeII.tiny, layers=("relu5_3", "conv5_1"))
    assert config.completed().layers == ("conv5_1", "relu5_3")


def test_what_is_kept_of_one_network_is_not_taken_for_another_ones():
    """All that changes features of a layer of one name is in what they depend on."""
    size = (60, 80)
    usual, closer = {size: Viewing()}, {size: Viewing(zoom=1.5)}
    frozen = {"first_trained": "conv5_1"}
    models = [
        SalGAN(SalGAN.tiny),
        SalGAN(replace(SalGAN.tiny, area=96 * 128)),
        Dissection(replace(Dissection.tiny, **frozen)),
        MSINet(replace(MSINet.tiny, **frozen)),
        SAMVGG(replace(SAMVGG.tiny, **frozen)),
    ]
    depend_on = [model.sources(viewings)[0][0].features_depend_on for model in models for viewings in (usual, closer)]
    assert len({repr(each) for each in depend_on}) == len(depend_on)
    again = SalGAN(replace(SalGAN.tiny, decoder=(8, 8, 8, 8, 8)))  # the same layers, seen at the same size
    assert again.sources(usual)[0][0].features_depend_on == depend_on[0]
