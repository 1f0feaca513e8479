"""DeepGaze IIE: as many weights as published, and densities that are averaged but trained alone."""

from dataclasses import replace

import pytest
import torch

from foveal.errors import FovealError
from foveal.gaze.maps import gaussian_blur
from foveal.models.deep.deepgaze2e import DeepGazeIIE, DeepGazeIIEConfig
from foveal.models.deep.network import mixed, with_prior
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.pointwise_readout import PointwiseReadout
from foveal.models.parts.sizes import Viewing
from foveal.training.losses import Observed
from foveal.training.runs.batch import Batch
from foveal.training.runs.in_training import InTraining


def made(config=DeepGazeIIE.tiny):
    torch.manual_seed(0)
    return DeepGazeIIE(config).eval()


@pytest.mark.parametrize(
    ("backbone", "channels"), [("densenet201", 2048), ("resnext50_32x4d", 2560), ("efficientnet_b5", 2416)]
)
def test_the_papers_layers_have_as_many_features_as_published(backbone, channels):
    (encoder,) = DeepGazeIIE(DeepGazeIIEConfig((backbone,))).each_encoder
    assert sum(map(encoder.encoder.channels, encoder.read)) == channels
    assert encoder.encoder.layers[-1] == encoder.read[-1]


def test_a_readout_has_as_many_weights_as_published():
    """Ten a feature, and 2,811."""
    for channels in (2048, 2416, 2560):
        assert sum(weight.numel() for weight in PointwiseReadout(channels).parameters()) == 10 * channels + 2_811


def test_other_networks_are_read_at_their_two_coarsest_sizes():
    other = made(replace(DeepGazeIIE.tiny, backbones=("resnet50_tiny",)))
    assert other.encoders[0].read == ("layer3_5", "layer4_2")
    with pytest.raises(FovealError, match="shufflenet_v2_x0_5: no layer with values 16 px apart"):
        made(replace(DeepGazeIIE.tiny, backbones=("shufflenet_v2_x0_5",)))


def test_only_the_readouts_are_trained():
    model = made()
    groups = model.parameter_groups()
    assert set(groups) == {"readout"}
    assert len(groups["readout"]) == len(list(model.readouts.parameters()))


def test_each_networks_features_are_read_where_they_lie():
    model, size = made(), (64, 96)
    image = torch.rand(2, 3, *size)
    model.log_sigmas.copy_(torch.tensor([0.3, -0.2]))
    expected = []
    for encoder, readout, sigma in zip(model.encoders, model.readouts, (0.3, -0.2), strict=True):
        layers = encoder.read
        features, grids = encoder.encoder(image, layers), encoder.encoder.grids(size, layers)
        together = torch.cat([resample(features[name], grids[name], Grid.over(size, (4, 6))) for name in layers], dim=1)
        on_cells = resample(readout(together)[:, 0], Grid.over(size, (4, 6)), Grid.over(size, (8, 12)))
        expected.append(gaussian_blur(on_cells, torch.tensor(sigma).exp()))
    torch.testing.assert_close(model.saliency(image), torch.stack(expected, dim=1), rtol=1e-4, atol=1e-5)


def test_the_density_is_the_mean_of_those_of_networks_alone():
    """Each with the center bias, as in the paper."""
    model, image = made(), torch.rand(1, 3, 64, 96)
    model.log_prior.normal_()
    model.prior_weight.fill_(0.7)
    densities = []
    for number, backbone in enumerate(model.config.backbones):
        alone = made(replace(model.config, backbones=(backbone,)))
        alone.readouts[0].load_state_dict(model.readouts[number].state_dict())
        alone.log_prior, alone.prior_weight = model.log_prior, model.prior_weight
        logits = with_prior(alone.saliency(image), alone.prior_weight * alone.prior_on((8, 12)))
        densities.append(logits.flatten(1).softmax(dim=1))
        assert not torch.allclose(densities[-1], densities[0]) or number == 0
    together = with_prior(model.saliency(image), model.prior_weight * model.prior_on((8, 12)))
    torch.testing.assert_close(mixed(together).exp().flatten(1), sum(densities), rtol=1e-4, atol=1e-7)
    assert float(model.log_density(image).detach().exp().sum()) == pytest.approx(1, abs=1e-4)


def test_in_training_each_network_is_told_apart():
    """So that each has a loss of its own; what is judged is the mixture."""
    model, size = made(), (64, 96)
    trained = InTraining(model, 2)
    images, cells = torch.rand(3, 3, *size), torch.zeros(3, 8, 12)
    batch = Batch(1, model.see(images), size, Viewing(), torch.randn(3, 8, 12), Observed(cells, cells))
    of_each = trained.train()(batch)
    assert of_each.shape == (3, 2, 8, 12)
    torch.testing.assert_close(of_each.exp().sum(dim=(2, 3)), torch.ones(3, 2))
    torch.testing.assert_close(trained.eval()(batch).exp(), of_each.exp().mean(dim=1), rtol=1e-4, atol=1e-7)


def test_a_sharper_model_says_more():
    model, image = made(), torch.rand(1, 3, 60, 80)
    before = model.said(image)
    model.absorb(2.5)
    torch.testing.assert_close(model.said(image), 2.5 * before)


def test_what_is_kept_of_an_image_says_the_same_as_the_image():
    model, image, viewing = made(), torch.rand(2, 3, 60, 80), Viewing(zoom=1.3)
    seen = model.see(image, viewing)
    assert set(seen) == set(model.frozen_layers)
    kept = {}
    for source, name in model.sources({(60, 80): viewing}):
        kept |= {name(layer): maps for layer, maps in source.features(image).items()}
    torch.testing.assert_close(model(kept, (60, 80), viewing), model.said(image, viewing))


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(size):
    model = made()
    grid, said = model.cells(size), model.said(torch.rand(1, 3, *size))
    assert said.shape[1:] == (2, grid.rows.length, grid.columns.length)
    assert said.isfinite().all()


def test_a_model_of_no_network():
    with pytest.raises(FovealError, match=r"backbones: .. .needs a list of backbones"):
        replace(DeepGazeIIE.tiny, backbones=()).completed()
