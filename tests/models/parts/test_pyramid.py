"""The pyramid of dilated convolutions, value by value."""

import torch
from torch.nn.functional import conv2d, pad

from foveal.models.parts.pyramid import DilatedPyramid


def test_it_is_what_slow_sums_say():
    torch.manual_seed(0)
    part = DilatedPyramid(3, 2, (1, 2))
    features = torch.randn(1, 3, 5, 6)
    branches = [torch.relu(conv2d(features, part.point.weight, part.point.bias))]
    for dilation, layer in zip((1, 2), part.dilated, strict=True):
        padded = pad(features, (dilation,) * 4)
        total = layer.bias[None, :, None, None].expand(1, 2, 5, 6)
        for row in range(3):
            for column in range(3):
                moved = padded[:, :, row * dilation : row * dilation + 5, column * dilation : column * dilation + 6]
                total = total + torch.einsum("of,bfhw->bohw", layer.weight[:, :, row, column], moved)
        branches.append(torch.relu(total))
    mean = features.mean(dim=(2, 3))[0]
    whole = torch.relu(part.whole.weight[:, :, 0, 0] @ mean + part.whole.bias)
    branches.append(whole[None, :, None, None].expand(1, 2, 5, 6))
    expected = torch.relu(conv2d(torch.cat(branches, dim=1), part.join.weight, part.join.bias))
    torch.testing.assert_close(part(features), expected, rtol=1e-5, atol=1e-6)
