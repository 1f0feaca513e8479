"""SalNet: as many weights as published, where its values lie, and its layers one after the other."""

import numpy as np
import pytest
import torch
from torch import nn

from foveal.models.deep.network import IMAGE
from foveal.models.deep.salnet import SalNet, ShallowSalNet


@pytest.mark.parametrize(("network", "published"), [(SalNet, 25_806_209), (ShallowSalNet, 34_864_384)])
def test_it_has_as_many_weights_as_published(network, published):
    """The sums over the published layers: 25.8 and 34.9 million."""
    with torch.device("meta"):
        assert sum(weight.numel() for weight in network().parameters()) == published


class Red(nn.Module):
    def forward(self, maps):
        return maps[:, :1]


def test_what_it_says_is_scaled_as_its_training_maps_are():
    """With steps that pass on the red channel: the color as it is shown to the network, and the map as it is read."""
    model = SalNet(SalNet.tiny).eval()
    model.convolutions, model.readout, model.enlarge = nn.Identity(), Red(), nn.Identity()
    seen = torch.full((1, 3, 36, 48), 0.25)
    seen[:, 0] = 0.75
    shown = (0.75 * 255 - 118) / 127.5  # minus the mean of red, times 1/127.5
    found = model({IMAGE: seen}, (36, 48))
    as_map = shown / 2 + 31 / 255  # people's maps m, from 0 to 255, are shown to it as (m - 31) * 2 / 255
    torch.testing.assert_close(found, torch.full_like(found, as_map), rtol=1e-5, atol=1e-6)


def test_a_value_of_the_last_convolution_is_the_sum_of_a_window():
    torch.manual_seed(0)
    model = SalNet(SalNet.tiny).eval()
    seen = torch.rand(1, 3, 36, 48)
    features = model.convolutions(seen)[0].detach().numpy()
    padded = np.pad(features, ((0, 0), (6, 6), (6, 6)))
    expected = (padded[:, 4:17, 5:18] * model.readout.weight[0].detach().numpy()).sum() + model.readout.bias.item()
    assert model.readout(model.convolutions(seen))[0, 0, 4, 5].item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("seen", [(300, 320), (301, 322), (283, 331)])
def test_its_values_lie_where_gradients_say(seen):
    """With filters of ones, a value of the map depends most on the middle of what it sees."""
    model = SalNet(SalNet.tiny)
    for weight in model.convolutions.parameters():
        weight.data.fill_(1e-2 if weight.ndim > 1 else 0.0)
    model.readout.weight.data.fill_(1e-2)
    for layer in model.convolutions:
        if isinstance(layer, nn.MaxPool2d):  # its gradient goes to one value; that of the mean, to all alike
            layer.forward = nn.AvgPool2d(3, stride=2, ceil_mode=True).forward
    image = torch.ones(1, 3, *seen, requires_grad=True)
    said = model.enlarge(model.readout(model.convolutions(image)))[0, 0]
    (gradient,) = torch.autograd.grad(said[said.shape[0] // 2, said.shape[1] // 2], image)
    weight = gradient[0].sum(dim=0).abs()
    weight = weight * (weight > 0.5 * weight.max())  # what the border cuts off lies in the tails
    found = [float((weight.sum(dim=1 - side) * torch.arange(seen[side])).sum() / weight.sum()) for side in (0, 1)]
    grid = model._positions(seen, seen)
    assert (grid.rows.length, grid.columns.length) == tuple(said.shape)
    expected = [axis.first + axis.step * (axis.length // 2) for axis in (grid.rows, grid.columns)]
    assert found == pytest.approx(expected, abs=0.4)


def test_the_shallow_networks_maxout_takes_the_larger_of_two():
    torch.manual_seed(0)
    model = ShallowSalNet(ShallowSalNet.tiny).eval()
    image = torch.rand(1, 3, 60, 80)
    features = model.convolutions(model.see(image)[IMAGE]).flatten(1)[0]
    both = (model.first.weight @ features + model.first.bias).tolist()
    larger = torch.tensor([max(both[number], both[number + 1]) for number in range(0, len(both), 2)])
    said = (model.second.weight @ larger + model.second.bias).view(8, 8)
    torch.testing.assert_close(model.said(image)[0], (said + 1) / 2, rtol=1e-4, atol=1e-5)
