"""iSEEL: a small learner for every training photograph, and those of similar scenes vote on where people look.

R.-Tavakoli, Borji, Laaksonen & Rahtu, "Exploiting inter-image similarity and ensemble of extreme learners for fixation
prediction using deep features", Neurocomputing 244, 2017 (arXiv:1610.06449). An extreme learning machine learns the map
of its photograph from VGG-16's features at several scales. Of 700 machines, those of the 490 photographs that are most
like a new one add up what they say of it. The sum is sharpened and multiplied by a center prior.

Differs from the paper in: a scene is described by its gist and the means of VGG-16's last features over the image,
each of unit length, where the paper has the classes of objects beside the gist; of these, nothing is installed with
VGG-16's convolutions. VGG-16 has torchvision's weights, the paper's has MatConvNet's. The sides at which it sees an
image, the cells, and the learned maps (people's, blurred by a degree) are ours. The blur is a share of the image's
longer side, as 13 px are of OSIE's photographs. The center prior is that of the data set. Large output
weights cost something, which the pseudo-inverse does not know.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from foveal.gaze.maps import gaussian_blur
from foveal.models.backbones.backbone import Backbone
from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig, check_values
from foveal.models.parts.empty import without_numbers
from foveal.models.parts.extreme_learning import hidden_layers, hidden_values
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.gist import N_NUMBERS, gist
from foveal.models.parts.prior import uniform_prior
from foveal.models.parts.unsaved_backbone import WithUnsavedBackbone
from foveal.models.parts.working_size import resized, scaled_size

LAYER = "pool5"
SMALLEST_SIDE = 32  # px: of less, nothing is left after five poolings
POWER = 6  # of the sum of what the learners say


@dataclass(frozen=True)
class ISEELConfig(ModelConfig):
    """What the ensemble is made of.

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16.
    sides
        Px of the longer side at which it sees an image; the last is that of the scene.
    cells
        Cells of the longer side, of which each learner says something.
    learners
        How many: one for each photograph of the training.
    units
        Of the hidden layer of a learner.
    nearest
        Share of the learners that are asked about an image.
    blur
        Deviation of the Gaussian, as a share of the longer side.
    """

    backbone: str = "vgg16"
    sides: tuple[int, ...] = (512, 384, 256)
    cells: int = 24
    learners: int = 700
    units: int = 20
    nearest: float = 0.7
    blur: float = 13 / 800

    def completed(self) -> "ISEELConfig":
        """Checked.

        Raises
        ------
        FovealError
            If a value is not right.
        """
        super().completed()
        needed = {
            "sides": (
                min(self.sides, default=0) >= SMALLEST_SIDE,
                f"a list of whole numbers from {SMALLEST_SIDE} on",
            ),
            "nearest": (0 < self.nearest <= 1, "a number above 0, up to 1"),
        }
        check_values(self, needed)
        return self


@register_model(
    "iseel",
    family="deep",
    year=2017,
    paper="R.-Tavakoli, Borji, Laaksonen & Rahtu, Exploiting inter-image similarity and ensemble of extreme learners, "
    "Neurocomputing 244",
    trainable=True,
    weights="data set",
)
class ISEEL(WithUnsavedBackbone, SaliencyMapModel):
    """An ensemble of extreme learning machines, of which those of similar scenes are asked.

    Hidden layers are drawn by the learners' numbers. What is kept of a learner is its output weights and its scene.
    """

    Config = ISEELConfig
    map_is_fitted = True
    tiny = ISEELConfig(backbone="vgg16_tiny", sides=(64, 48), cells=12, learners=8, units=10)
    config: ISEELConfig
    scenes: Float[Tensor, "learner number"]
    output_weights: Float[Tensor, "learner unit"]
    log_center: Float[Tensor, "row column"]

    def __init__(self, config: ISEELConfig | None = None) -> None:
        super().__init__(config)
        with without_numbers():
            channels = Backbone(self.config.backbone, pretrained=False, until=LAYER).channels(LAYER)
        self.register_buffer("scenes", torch.rand(self.config.learners, N_NUMBERS + channels))
        self.register_buffer("output_weights", torch.randn(self.config.learners, self.config.units))
        self.register_buffer("log_center", uniform_prior())

    def read_backbone(self) -> Backbone:
        """The network of the configuration."""
        return Backbone(self.config.backbone, until=LAYER)

    def take(self, scenes: Float[Tensor, "learner number"], output_weights: Float[Tensor, "learner unit"]) -> None:
        """Have these learners from now on."""
        self.config = replace(self.config, learners=len(scenes))
        self.scenes, self.output_weights = scenes, output_weights

    def see(
        self, images: Float[Tensor, "image 3 height width"]
    ) -> tuple[Float[Tensor, "image row column feature"], Float[Tensor, "image number"]]:
        """The features of each cell, of unit length, and what is known of each scene."""
        size = images.shape[2], images.shape[3]
        cells = Grid.over(size, scaled_size(size, self.config.cells / max(size)))
        at_scales, means = [], []
        for side in self.config.sides:
            height, width = (max(SMALLEST_SIDE, length) for length in scaled_size(size, side / max(size)))
            features = self.backbone(resized(images, (height, width), "bilinear"), [LAYER])[LAYER]
            grid = self.backbone.grids((height, width), [LAYER])[LAYER].scaled(size[0] / height, size[1] / width)
            at_scales.append(resample(features, grid, cells))
            means.append(features.mean(dim=(2, 3)))
        of_cells = F.normalize(torch.cat(at_scales, dim=1), dim=1).permute(0, 2, 3, 1)
        scenes = [F.normalize(gist(images), dim=1), F.normalize(means[-1], dim=1)]
        return of_cells, torch.cat(scenes, dim=1)

    def hidden(
        self, features: Float[Tensor, "row column feature"], learners: range
    ) -> Float[Tensor, "cell learner unit"]:
        """What the hidden units of the learners of these numbers say of the cells of an image."""
        layers = hidden_layers(learners, features.shape[2], self.config.units, features.device)
        return hidden_values(features.flatten(0, 1), *layers)

    def asked(self, scenes: Float[Tensor, "image number"]) -> Bool[Tensor, "image learner"]:
        """Which learners are asked about scenes: those that learned from the most similar ones."""
        number = max(1, round(self.config.nearest * len(self.scenes)))
        nearest = torch.cdist(scenes, self.scenes).topk(number, dim=1, largest=False).indices
        return torch.zeros(len(scenes), len(self.scenes), dtype=torch.bool, device=scenes.device).scatter(
            1, nearest, True
        )

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """What the learners say together, sharpened, with the center prior, enlarged and blurred."""
        features, scenes = self.see(images)
        votes = torch.stack(
            [self._votes(one, is_asked) for one, is_asked in zip(features, self.asked(scenes), strict=True)]
        )
        shares = votes / votes.amax(dim=(1, 2), keepdim=True).clamp(min=torch.finfo(votes.dtype).tiny)
        center = resize_maps(self.log_center[None], (votes.shape[1], votes.shape[2])).exp()
        enlarged = resize_maps(shares**POWER * center, (images.shape[2], images.shape[3]))
        return gaussian_blur(enlarged, self.config.blur * max(enlarged.shape[1:]))

    def _votes(
        self, features: Float[Tensor, "row column feature"], is_asked: Bool[Tensor, " learner"]
    ) -> Float[Tensor, "row column"]:
        """The sum of what those who are asked say of the cells of one image, nothing where it is negative."""
        said = (self.hidden(features, range(len(self.scenes))) * self.output_weights).sum(dim=2).tanh()
        return said[:, is_asked].sum(dim=1).clamp(min=0).view(features.shape[:2])
