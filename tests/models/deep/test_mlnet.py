"""ML-Net: as many weights as published, and what its last steps make of the features."""

from dataclasses import replace

import numpy as np
import torch

from foveal.models.deep.mlnet import MLNet
from foveal.models.deep.network import IMAGE


def test_it_has_as_many_weights_as_published():
    """VGG-16's thirteen convolutions, the two of the readout, and the prior (15.5 million in all)."""
    with torch.device("meta"):
        assert sum(weight.numel() for weight in MLNet().parameters()) == 14_714_688 + 737_344 + 65 + 48


def test_the_prior_multiplies_what_the_readout_says():
    """Value by value: a coarse map, interpolated between the centers of its cells, plus one, times the readout."""
    torch.manual_seed(0)
    model = MLNet(replace(MLNet.tiny, prior_rows=3, prior_columns=4)).eval()
    model.prior.data = torch.randn(3, 4)
    image = torch.rand(1, 3, 96, 128)  # twice the frame, so that each value is a cell
    found = model.said(image)[0]
    levels = model.encoder(model.see(image)[IMAGE], ("pool3", "pool4", "relu5_3"))
    features = torch.cat(list(levels.values()), dim=1)
    readout = torch.relu(model.readout(torch.relu(model.combine(features))))[0, 0].detach().numpy()
    coarse = np.pad(model.prior.detach().numpy(), 1, mode="edge")  # beyond the border, the nearest value
    assert readout.shape == (6, 8)
    for row in range(6):
        for column in range(8):
            y, x = (row + 0.5) / 2 + 0.5, (column + 0.5) / 2 + 0.5  # in the padded map, two cells a value
            top, left = int(y), int(x)
            corners = coarse[top : top + 2, left : left + 2]
            prior = np.array([top + 1 - y, y - top]) @ corners @ np.array([left + 1 - x, x - left])
            expected = max(0, readout[row, column] * (1 + prior))
            np.testing.assert_allclose(found[row, column].item(), expected, rtol=1e-4, atol=1e-6)


def test_images_lie_in_the_middle_of_the_frame():
    """What is said of a square is what is said of the same square between two black stripes, where it is."""
    torch.manual_seed(0)
    model = MLNet(MLNet.tiny).eval()
    square = torch.rand(1, 3, 48, 48)
    striped = torch.nn.functional.pad(square, (8, 8))
    torch.testing.assert_close(model.said(square)[0], model.said(striped)[0, :, 1:7], rtol=1e-4, atol=1e-6)
