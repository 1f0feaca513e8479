"""What has features for the analyses, and is no model of ours."""

import pytest
import torch
from torch.nn import functional as F

from foveal.models.parts.geometry import Axis, Grid


class Colors:
    """An image and its means over blocks of 4 px, as if they were layers of a network."""

    device = torch.device("cpu")

    def __init__(self):
        self.features_depend_on = {"backbone": "colors"}
        self.weights = {"color1": torch.zeros(3), "mean2": torch.zeros(3)}

    def features(self, images):
        return {"color1": images, "mean2": F.avg_pool2d(images, 4)}

    def grids(self, size):
        height, width = size
        return {"color1": Grid(Axis(height), Axis(width)), "mean2": Grid.over(size, (height // 4, width // 4))}

    def feature_weights(self):
        return self.weights

    def feature_deviations(self):
        return {"color1": torch.full((3,), 0.5), "mean2": torch.full((3,), 0.25)}

    def field_of_view(self, layer, size):
        return {"color1": 1, "mean2": 4}[layer]


@pytest.fixture
def colors():
    return Colors()
