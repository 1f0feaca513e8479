"""The readout of DeepGaze IIE against its steps one by one."""

import torch

from foveal.models.parts.pointwise_readout import JointNorm, PointwiseReadout


def slow_norm(maps, scale, shift):
    """Over all that is known of one image, image by image."""
    normalised = []
    for image in maps.double():
        deviation = ((image - image.mean()) ** 2).mean().sqrt()
        normalised.append((image - image.mean()) / deviation * scale[:, None, None] + shift[:, None, None])
    return torch.stack(normalised)


def test_the_norm_is_over_features_and_places_of_an_image():
    torch.manual_seed(0)
    norm, maps = JointNorm(3), 2 + 5 * torch.randn(2, 3, 4, 5)
    for weight in norm.parameters():
        torch.nn.init.normal_(weight)
    torch.testing.assert_close(norm(maps), slow_norm(maps, norm.scale, norm.shift).float(), rtol=1e-5, atol=1e-5)
    constant = norm(torch.full((1, 3, 1, 1), 7.0))
    torch.testing.assert_close(constant[0, :, 0, 0], norm.shift)


def test_the_readout_step_by_step():
    torch.manual_seed(0)
    readout = PointwiseReadout(5)
    for weight in readout.parameters():
        weight.data.add_(0.1 * torch.randn_like(weight))
    state, weights = torch.rand(2, 5, 3, 4), list(readout.parameters())
    expected = state.double()
    while len(weights) > 1:
        scale, shift, matrix, bias, *weights = weights
        expected = slow_norm(expected, scale, shift)
        expected = torch.einsum("oc,ichw->iohw", matrix[:, :, 0, 0].double(), expected) + bias[:, None, None]
        expected = (1 + expected.exp()).log()
    expected = torch.einsum("oc,ichw->iohw", weights[0][:, :, 0, 0].double(), expected)
    torch.testing.assert_close(readout(state), expected.float(), rtol=1e-5, atol=1e-5)
