"""The inception block, branch by branch and value by value."""

import torch
from torch.nn.functional import conv2d, pad

from foveal.models.parts.inception import DilatedInception


def slow(features, layer, dilation):
    """A rectified convolution of 3 x 3 values, as a sum of shifted maps."""
    n, _, rows, columns = features.shape
    padded = pad(features, (dilation,) * 4)
    total = layer.bias[None, :, None, None].expand(n, -1, rows, columns)
    for row in range(3):
        for column in range(3):
            moved = padded[
                :, :, row * dilation : row * dilation + rows, column * dilation : column * dilation + columns
            ]
            total = total + torch.einsum("of,bfhw->bohw", layer.weight[:, :, row, column], moved)
    return total.relu()


def test_it_is_what_slow_sums_say():
    torch.manual_seed(0)
    part = DilatedInception(3, (2, 4, 5, 6, 7, 8))
    features = torch.randn(2, 3, 5, 6)

    def point(maps, layer):
        return conv2d(maps, layer.weight, layer.bias).relu()

    largest = torch.stack(
        [
            torch.stack(
                [
                    features[:, :, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].amax(dim=(2, 3))
                    for column in range(6)
                ],
                dim=2,
            )
            for row in range(5)
        ],
        dim=2,
    )
    expected = [
        point(features, part.point[0]),
        slow(point(features, part.near[0][0]), part.near[1][0], 1),
        slow(point(features, part.far[0][0]), part.far[1][0], 2),
        point(largest, part.largest[1][0]),
    ]
    assert [maps.shape[1] for maps in expected] == [2, 5, 7, 8]
    assert part.channels == 22
    torch.testing.assert_close(part(features), torch.cat(expected, dim=1), rtol=1e-5, atol=1e-5)
