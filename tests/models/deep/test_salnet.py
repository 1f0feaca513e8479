"""SalNet: as many weights as published, where its values lie, and its layers one after the other."""

import numpy as np
import pytest
import torch

from foveal.models.deep.network import IMAGE
from foveal.models.deep.salnet import SalNet, ShallowSalNet


@pytest.mark.parametrize(("network", "published"), [(SalNet, 25_806_209), (ShallowSalNet, 34_864_384)])
def test_it_has_as_many_weights_as_published(network, published):
    """The sums over the published layers: 25.8 and 34.9 million."""
    with torch.device("meta"):
        assert sum(weight.numel() for weight in network().parameters()) == published


def test_the_map_is_the_scaled_sum_of_one_window():
    """A value of the last convolution, by hand; and the map begins as the mean of people's maps."""
    torch.manual_seed(0)
    model = SalNet(SalNet.tiny).eval()
    seen = torch.rand(1, 3, 36, 48)
    colors = torch.tensor([118, 110, 100])[:, None, None]
    features = model.convolutions((seen * 255 - colors) / 127.5)[0].detach().numpy()
    padded = np.pad(features, ((0, 0), (6, 6), (6, 6)))
    window, weights = padded[:, 4:17, 5:18], model.readout.weight[0].detach().numpy()
    expected = (window * weights).sum() + model.readout.bias.item()
    found = model.readout(torch.from_numpy(features)[None])[0, 0, 4, 5].item()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert model({IMAGE: seen}, (36, 48)).mean().item() == pytest.approx(31 / 255, abs=0.05)


@pytest.mark.parametrize("seen", [(36, 48), (35, 47), (48, 30)])
def test_its_values_lie_where_gradients_say(seen):
    """With filters of ones, a value of the map depends most on the middle of what it sees."""
    model = SalNet(SalNet.tiny)
    for weight in model.convolutions.parameters():
        weight.data.fill_(1e-2 if weight.ndim > 1 else 0.0)
    model.readout.weight.data.fill_(1e-2)
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(8):  # a pooling passes one of its values on: by chance each of them as often
        image = torch.rand(1, 3, *seen, generator=generator).requires_grad_(True)
        said = model.enlarge(model.readout(model.convolutions(image + 1)))[0, 0]
        (gradient,) = torch.autograd.grad(said[said.shape[0] // 2, said.shape[1] // 2], image)
        weight = gradient[0].sum(dim=0).abs()
        rows = (weight.sum(dim=1) * torch.arange(seen[0])).sum() / weight.sum()
        columns = (weight.sum(dim=0) * torch.arange(seen[1])).sum() / weight.sum()
        found.append((rows.item(), columns.item()))
    grid = model._positions(seen, seen)
    assert (grid.rows.length, grid.columns.length) == tuple(said.shape)
    expected = [axis.first + axis.step * (axis.length // 2) for axis in (grid.rows, grid.columns)]
    assert np.mean(found, axis=0) == pytest.approx(expected, abs=1.0)


def test_the_shallow_networks_maxout_takes_the_larger_of_two():
    torch.manual_seed(0)
    model = ShallowSalNet(ShallowSalNet.tiny).eval()
    image = torch.rand(1, 3, 60, 80)
    features = model.convolutions(model.see(image)[IMAGE]).flatten(1)[0]
    both = (model.first.weight @ features + model.first.bias).tolist()
    larger = torch.tensor([max(both[number], both[number + 1]) for number in range(0, len(both), 2)])
    said = (model.second.weight @ larger + model.second.bias).view(8, 8)
    torch.testing.assert_close(model.saliency(image)[0], (said + 1) / 2, rtol=1e-4, atol=1e-5)
