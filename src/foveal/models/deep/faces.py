"""Where faces are: a small detector on the features of Foveal's own network.

Faces draw the eye whatever the task (Cerf et al. 2008, Judd et al. 2009), and models of low-level contrast do not see
them; both papers took the detector of Viola & Jones (2001). This one reads the features that `foveal-s` has of an image
anyway: 1x1 convolutions of each layer, summed on cells of 8 px; of every cell one number that says whether a face is
centerd there, and four that say where exactly and how large (Zhou, Wang & Krähenbühl 2019, "Objects as points",
arXiv:1904.07850). It was trained on the boxes of EyeCrowd, see `training.learning.faces`, and on no fixation; the
network was, on fixations of OSIE, EyeCrowd and Scene. Without that network the detector has no meaning, and it says so
when the one that comes with Foveal is another.

As a saliency map, it is a Gaussian on every face, as high as the detector is sure.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.models.base import SaliencyMapModel
from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.foveal_s import FovealConfig, FovealS, Tap, at_scale
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.geometry import Grid
from foveal.models.registry import load_model

NETWORK = "foveal-s"
OVERLAP = 0.3  # of two boxes (intersection over union); above, they are one face
LARGEST = 5.0  # logarithm of a box's sides in cells: beyond any image
SPREAD = 0.5  # of the Gaussian on a face, share of the sides of its box


@dataclass(frozen=True)
class FaceConfig(ModelConfig):
    """Which layers are read, and what is made of them.

    Attributes
    ----------
    taps, channels, n_scales
        The network's layers, the number of features of each, and at how many scales it has them.
    width
        Channels that are made of each.
    least_score
        What the detector is less sure of is no face.
    """

    taps: tuple[str, ...] = FovealConfig.taps
    channels: tuple[int, ...] = FovealConfig.channels
    n_scales: int = len(FovealConfig.scales)
    width: int = 64
    least_score: float = 0.3


@dataclass(frozen=True)
class Faces:
    """The faces that were found in one image, the surest first.

    Attributes
    ----------
    boxes
        Left, top, width and height, px.
    scores
        How sure the detector is, up to 1.
    """

    boxes: Float[Tensor, "face 4"]
    scores: Float[Tensor, " face"]


@register_model(
    "faces",
    family="deep",
    year=2026,
    paper="Foveal's own",
    trainable=True,
    weights="package",
)
class FaceDetector(SaliencyMapModel):
    """Faces, and nothing else."""

    Config = FaceConfig
    map_is_fitted = True  # to boxes, and the network that it reads to fixations
    reads = (NETWORK,)
    saved_in_16_bits = True
    config: FaceConfig

    def __init__(self, config: FaceConfig | None = None) -> None:
        super().__init__(config)
        self.taps = nn.ModuleDict(
            {
                at_scale(tap, number): Tap(channels, self.config.width)
                for number in range(self.config.n_scales)
                for tap, channels in zip(self.config.taps, self.config.channels, strict=True)
            }
        )
        self.head = nn.Sequential(nn.GELU(), nn.Conv2d(self.config.width, 5, 1))

    def make_ready(self) -> None:
        """Make sure that the network is the one whose features were learned from."""
        self.network()

    def network(self) -> FovealS:
        """Whose features are read: the one that comes with Foveal.

        Raises
        ------
        FovealError
            If it is another than the one in training.
        """
        network = shipped_network(self.device)
        if not _same_buffers(self.taps, network.taps):
            raise FovealError(
                f"{self.name}: trained on the features of another {NETWORK} (foveal train faces --dataset eyecrowd)"
            )
        return network

    def forward(
        self, network: FovealS, features: dict[str, Float[Tensor, "image _ _ _"]], size: tuple[int, int]
    ) -> Float[Tensor, "image 5 row column"]:
        """Answers for each cell of images of this (height, width), from the features of the taps.

        The log odds of a face; in cells, how far right and below the cell's center the face's is; the logarithms of its
        width and height.
        """
        answers: Tensor = self.head(network.on_cells(features, self.taps, size))
        return answers

    def detect(self, images: Float[Tensor, "image 3 height width"], least_score: float | None = None) -> list[Faces]:
        """The faces in each image, of which the detector is at least so sure (by default, as its configuration says).

        Of boxes that overlap much, the surest counts.
        """
        least = self.config.least_score if least_score is None else least_score
        network, size = self.network(), (images.shape[2], images.shape[3])
        answers = self(network, network.all_features(network.see(images)), size)
        return [_faces(of_one, network.cells(size), least) for of_one in answers]

    def face_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image row column"]:
        """On the network's cells: on each face a Gaussian of the size of the face, the highest counts."""
        grid = shipped_network(self.device).cells((images.shape[2], images.shape[3]))
        return torch.stack([_drawn(faces, grid) for faces in self.detect(images)])

    def saliency_map(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """The map of faces, at the images' size."""
        return resize_maps(self.face_map(images), (images.shape[2], images.shape[3]))


@lru_cache(maxsize=2)  # one a device
@torch.inference_mode(False)
def shipped_network(device: torch.device) -> FovealS:
    """The network that comes with Foveal; no part of the detector, whose file would be forty times as large."""
    network = load_model(NETWORK, device)
    assert isinstance(network, FovealS)
    return network.requires_grad_(False)


@lru_cache(maxsize=2)
@torch.inference_mode(False)
def shipped_detector(device: torch.device) -> FaceDetector:
    """The detector that comes with Foveal, for models that have a channel of faces."""
    detector = load_model("faces", device)
    assert isinstance(detector, FaceDetector)
    return detector.requires_grad_(False)


def _faces(answers: Float[Tensor, "5 row column"], grid: Grid, least_score: float) -> Faces:
    """One image's cells with a face as boxes, each face once."""
    from torchvision.ops import nms

    scores = answers[0].sigmoid()
    row, column = (scores >= least_score).nonzero(as_tuple=True)
    scores = scores[row, column]
    right, below, log_width, log_height = answers[1:, row, column]
    step = answers.new_tensor([grid.columns.step, grid.rows.step])
    first = answers.new_tensor([grid.columns.first, grid.rows.first])
    center = first + step * torch.stack([column + right, row + below], dim=1)
    sides = step * torch.stack([log_width, log_height], dim=1).clamp(max=LARGEST).exp()
    corner = center - sides / 2
    kept = nms(torch.cat([corner, corner + sides], dim=1), scores, OVERLAP)
    return Faces(torch.cat([corner, sides], dim=1)[kept], scores[kept])


def _same_buffers(some: nn.Module, others: nn.Module) -> bool:
    first, second = dict(some.named_buffers()), dict(others.named_buffers())
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def _drawn(faces: Faces, grid: Grid) -> Float[Tensor, "row column"]:
    """The highest of the faces' Gaussians; 0 where there is no face."""
    corner, sides = faces.boxes.split(2, dim=1)
    x, y = (corner + sides / 2).T[:, :, None]
    width, height = sides.T[:, :, None]
    columns, rows = (
        axis.first + axis.step * torch.arange(axis.length, device=sides.device) for axis in (grid.columns, grid.rows)
    )
    across = torch.exp(-((columns - x) / (SPREAD * width)).square() / 2)
    down = torch.exp(-((rows - y) / (SPREAD * height)).square() / 2)
    gaussians = faces.scores[:, None, None] * down[:, :, None] * across[:, None]
    nothing = gaussians.new_zeros(1, len(rows), len(columns))
    return torch.cat([nothing, gaussians]).amax(dim=0)
