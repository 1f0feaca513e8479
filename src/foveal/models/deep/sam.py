"""SAM: dilated features, looked at again and again by a recurrent network, and learned priors.

Cornia, Baraldi, Serra & Cucchiara, "Predicting human eye fixations via an LSTM-based saliency attentive model", *IEEE
Transactions on Image Processing* 27(10), 2018 (arXiv:1611.09571): SAM-VGG and SAM-ResNet.

Differs from the paper in: VGG-16 has torchvision's weights and scale of colors, the paper's has Caffe's; the map is
compared with people's on the image without the black border of the frame, on cells of two px; the last layer's first
weights are positive.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.models.catalogue import register_model
from foveal.models.config import ModelConfig
from foveal.models.deep.encoder import FramedNetwork
from foveal.models.deep.network import MapNetwork, Seen
from foveal.models.parts.attentive_lstm import AttentiveConvLSTM
from foveal.models.parts.first_numbers import begin_by
from foveal.models.parts.frame import Frame
from foveal.models.parts.gaussian_priors import GaussianPriors
from foveal.models.parts.sizes import USUAL, Viewing


@dataclass(frozen=True)
class SAMConfig(ModelConfig):
    """What SAM-VGG is made of (sections III and IV).

    Attributes
    ----------
    backbone
        A network with the layers of VGG-16, or of SAM-ResNet, of ResNet-50.
    first_trained
        The lowest layer of it that is trained.
    height, width
        The frame into which images are fitted, px.
    steps
        How often the recurrent network looks.
    priors
        Number of Gaussians of each of the two modules of priors.
    """

    backbone: str = "vgg16"
    first_trained: str = "conv1_1"
    height: int = 240
    width: int = 320
    steps: int = 4
    priors: int = 16


class WithPriors(nn.Module):
    """Features and Gaussians together, looked at by a dilated convolution (section III-B)."""

    def __init__(self, channels: int, priors: int) -> None:
        super().__init__()
        self.priors = GaussianPriors(priors)
        self.combine = nn.Conv2d(channels + priors, channels, 5, padding=8, dilation=4)
        begin_by(nn.init.xavier_normal_, self.combine)

    def forward(self, features: Float[Tensor, "image feature h w"]) -> Float[Tensor, "image feature h w"]:
        """Of as many features."""
        priors = self.priors((features.shape[2], features.shape[3])).expand(len(features), -1, -1, -1)
        return F.relu(self.combine(torch.cat([features, priors.to(features)], dim=1)))


class SAM(FramedNetwork, MapNetwork):
    """What both have in common."""

    losses = {"kl": 10.0, "cc": 2.0, "nss": 1.0}  # noqa: RUF012 (equation 14)
    config: SAMConfig
    STRIDE = 8  # px of the frame a value
    CELL = 2
    HIGHEST: ClassVar[str]
    WITHOUT_STRIDE: ClassVar[tuple[str, ...]]  # layers or stages of the encoder
    DILATIONS: ClassVar[dict[str, int]]

    def __init__(self, config: SAMConfig | None = None) -> None:
        super().__init__(config)
        self.usual_frame = Frame(self.config.height, self.config.width)
        self.read_layers(
            self.config.backbone,
            (self.HIGHEST,),
            self.config.first_trained,
            without_stride=self.WITHOUT_STRIDE,
            dilations=self.DILATIONS,
        )
        self.reduce, channels = self.reduction(self.encoder.channels(self.read[0]))
        self.recurrent = AttentiveConvLSTM(channels, self.config.steps)
        self.with_priors = nn.Sequential(*(WithPriors(channels, self.config.priors) for _ in range(2)))
        self.readout = nn.Conv2d(channels, 1, 1)
        for new in (self.reduce, self.readout):
            begin_by(nn.init.xavier_normal_, new)
        self.readout.weight.data.abs_()  # by chance, the map could be zero everywhere, and nothing be learned

    def forward(self, seen: Seen, size: tuple[int, int], viewing: Viewing = USUAL) -> Float[Tensor, "image row column"]:
        """Section III: features, attention, priors, readout."""
        (features,) = self.features_read(seen)
        said = F.relu(self.readout(self.with_priors(self.recurrent(self.reduce(features)))))[:, 0]
        return self.on_cells(said, size, viewing)

    def without_decay(self) -> list[nn.Parameter]:
        """The Gaussians."""
        return [weight for part in self.modules() if isinstance(part, GaussianPriors) for weight in part.parameters()]

    @abstractmethod
    def reduction(self, n_features: int) -> tuple[nn.Module, int]:
        """What makes the recurrent network's features of those of the encoder, and how many they are."""


@register_model(
    "sam-vgg",
    family="deep",
    year=2018,
    paper="Cornia et al., Predicting human eye fixations via an LSTM-based saliency attentive model, IEEE TIP 27(10)",
    trainable=True,
    weights="recipe",
)
class SAMVGG(SAM):
    """On VGG-16, whose last pooling is left out and whose fourth keeps the size of the maps."""

    Config = SAMConfig
    tiny = SAMConfig(backbone="vgg16_tiny", height=32, width=48, steps=2, priors=2)
    HIGHEST = "relu5_3"
    WITHOUT_STRIDE = ("pool4",)
    DILATIONS: ClassVar = {"conv5": 2}

    def reduction(self, n_features: int) -> tuple[nn.Module, int]:
        """The encoder's features as they are."""
        return nn.Identity(), n_features


@dataclass(frozen=True)
class SAMResNetConfig(SAMConfig):
    """What SAM-ResNet is made of, beside what `SAMConfig` says.

    Attributes
    ----------
    channels
        Number of features that the recurrent network gets.
    """

    backbone: str = "resnet50_caffe"
    first_trained: str = "stem"
    channels: int = 512


@register_model(
    "sam-resnet",
    family="deep",
    year=2018,
    paper="Cornia et al., Predicting human eye fixations via an LSTM-based saliency attentive model, IEEE TIP 27(10)",
    trainable=True,
    weights="recipe",
)
class SAMResNet(SAM):
    """On ResNet-50, whose last two stages keep the size of the maps."""

    Config = SAMResNetConfig
    tiny = SAMResNetConfig(backbone="resnet50_tiny", height=32, width=48, channels=8, steps=2, priors=2)
    config: SAMResNetConfig
    HIGHEST = "layer4_2"
    WITHOUT_STRIDE = ("layer3", "layer4")
    DILATIONS: ClassVar = {"layer3": 2, "layer4": 4}

    def reduction(self, n_features: int) -> tuple[nn.Module, int]:
        """A convolution."""
        convolution = nn.Conv2d(n_features, self.config.channels, 3, padding=1)
        return nn.Sequential(convolution, nn.ReLU()), self.config.channels


@dataclass(frozen=True)
class SAMResNetLiteConfig(SAMResNetConfig):
    """What the small form is made of: see `SAMResNetConfig`."""

    backbone: str = "efficientnet_lite0"
    first_trained: str = "block15"
    height: int = 336
    width: int = 448
    channels: int = 48


@register_model(
    "sam-lite",
    family="deep",
    year=2018,
    paper="a small form of Cornia et al., Predicting human eye fixations via a saliency attentive model, 2018",
    trainable=True,
    weights="package",
)
class SAMLite(SAMResNet):
    """On EfficientNet-lite0 with a tenth of the channels, in a larger frame with values twice as far apart."""

    Config = SAMResNetLiteConfig
    tiny = SAMResNetLiteConfig(
        backbone="efficientnet_lite_tiny", first_trained="block6", height=32, width=48, channels=8, steps=2, priors=2
    )
    saved_in_16_bits = True
    STRIDE = 16
