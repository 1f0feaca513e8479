"""Networks that read a pretrained network, the encoder, or several, whose lower layers may stay as they are."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.models.backbones.backbone import Backbone
from foveal.models.deep.network import BACKBONE, IMAGE, READOUT, Network, Seen
from foveal.models.deep.stand_ins import STAND_INS, layers_of
from foveal.models.feature_source import FeatureSource
from foveal.models.parts.frame import Frame
from foveal.models.parts.geometry import Axis, Grid, resample
from foveal.models.parts.sizes import USUAL, Viewing
from foveal.models.parts.working_size import resized, scaled_size, size_of_area


@dataclass(frozen=True)
class SeenByEncoder:
    """An encoder's frozen layers as a source of features.

    Attributes
    ----------
    encoder
        The encoder.
    viewings
        How it sees images of a (height, width).
    """

    encoder: "Encoder"
    viewings: Mapping[tuple[int, int], Viewing]

    @property
    def device(self) -> torch.device:
        """Where the encoder computes."""
        return self.encoder.encoder.mean.device

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the features."""
        encoder = self.encoder
        seen = [
            (size, encoder.seen_size(size, viewing), encoder.surround(size, viewing))
            for size, viewing in sorted(self.viewings.items())
        ]
        return encoder.features_depend_on | {"seen_sizes": seen}

    def features(self, images: Float[Tensor, "image 3 height width"]) -> Seen:
        """What the network sees of images."""
        return self.encoder.see(images, self.viewings[images.shape[2], images.shape[3]])

    def grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where it lies in images of this (height, width)."""
        return self.encoder.grids(size, self.encoder.frozen_layers, self.viewings[size])


class Encoder(nn.Module, ABC):
    """A pretrained network of which some layers are read, of which the lower ones may stay as they are.

    Attributes
    ----------
    encoder
        The pretrained network; it ends at the highest layer that is read.
    read
        The layers that are read.
    first_trained
        This layer of the encoder and all above it are trained; "" none, the lowest layer all.
    """

    encoder: Backbone
    read: tuple[str, ...]
    first_trained: str

    def read_from(self, encoder: Backbone, layers: tuple[str, ...], first_trained: str) -> None:
        """Have an encoder that ends at the last of these layers.

        Raises
        ------
        FovealError
            If it does not have one of them, or not `first_trained`.
        """
        encoder.check_layers([*layers, *([first_trained] if first_trained else [])])
        self.encoder, self.read, self.first_trained = encoder, layers, first_trained

    def read_layers(
        self,
        backbone: str,
        layers: tuple[str, ...],
        first_trained: str,
        *,
        without_stride: Sequence[str] = (),
        dilations: Mapping[str, int] | None = None,
    ) -> None:
        """Have a large network as the encoder, or a small one whose layers stand for these of it (`STAND_INS`).

        `without_stride` and `dilations` are the large one's, as `Backbone` takes them; the small one has its own.

        Raises
        ------
        FovealError
            If a network does not have one of the layers.
        """
        layers = layers_of(backbone, layers)
        if stand_in := STAND_INS.get(backbone):
            without_stride, dilations = stand_in.without_stride, stand_in.dilations
        encoder = Backbone(
            backbone, pretrained=False, until=layers[-1], without_stride=without_stride, dilations=dilations
        )
        self.read_from(encoder, layers, first_trained)

    @abstractmethod
    def seen_size(self, size: tuple[int, int], viewing: Viewing = USUAL) -> tuple[int, int]:
        """Height and width at which the encoder sees an image of a (height, width)."""

    def fitted(
        self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image 3 h w"]:
        """Images as the encoder sees them, of the `seen_size`."""
        return resized(images, self.seen_size((images.shape[2], images.shape[3]), viewing), "bilinear")

    def pixels(self, size: tuple[int, int], viewing: Viewing = USUAL) -> Grid:
        """Where the px that the encoder sees lie in an image of this (height, width)."""
        return Grid.over(size, self.seen_size(size, viewing))

    def surround(self, size: tuple[int, int], viewing: Viewing = USUAL) -> float | None:
        """What gray the encoder sees around an image of this (height, width); None if there is nothing around it."""
        return None

    @cached_property
    def _last_frozen(self) -> str:
        """The layer above which the encoder is trained; IMAGE if it is trained whole."""
        layers = (IMAGE, *self.encoder.layers)
        if not self.first_trained:
            return layers[-1]
        within = [f"{layer}.".startswith(f"{self.first_trained}.") for layer in layers]  # it, and what it is made of
        return layers[within.index(True) - 1]

    @property
    def is_trained_whole(self) -> bool:
        """Does no layer stay as it is?"""
        return self._last_frozen == IMAGE

    @cached_property
    def frozen_layers(self) -> tuple[str, ...]:
        """What never changes: layers that are read below those that are trained, and the last frozen layer."""
        layers = (IMAGE, *self.encoder.layers)
        wanted = (*self.read, self._last_frozen) if self.first_trained else self.read
        return tuple(name for name in layers[: layers.index(self._last_frozen) + 1] if name in wanted)

    @property
    def features_depend_on(self) -> dict[str, Any]:
        """What is chosen about the frozen layers."""
        chosen = {"backbone": self.encoder.name, **self.encoder.made_finer_by}
        # A network that was trained before has other features than the installed one of the same name.
        return chosen if self.encoder.has_pretrained_weights else {**chosen, "weights": self.encoder.digest()}

    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """The `frozen_layers`."""
        fitted = self.fitted(images, viewing).contiguous(memory_format=torch.channels_last)
        layers = [layer for layer in self.frozen_layers if layer in self.encoder.layers]
        seen = self.encoder(fitted, layers) if layers else {}
        return {IMAGE: fitted} | seen if IMAGE in self.frozen_layers else seen

    def grids(self, size: tuple[int, int], layers: Sequence[str], viewing: Viewing = USUAL) -> dict[str, Grid]:
        """Where some layers of the encoder, or IMAGE, lie in images of this (height, width)."""
        pixels = self.pixels(size, viewing)
        found = {IMAGE: pixels}
        if of_encoder := [layer for layer in layers if layer != IMAGE]:
            found |= {
                layer: Grid(_through(grid.rows, pixels.rows), _through(grid.columns, pixels.columns))
                for layer, grid in self.encoder.grids(self.seen_size(size, viewing), of_encoder).items()
            }
        return {layer: found[layer] for layer in layers}

    def features_read(self, seen: Seen) -> list[Float[Tensor, "image feature _ _"]]:
        """The features of the layers that are read, of what `see` says."""
        missing = [layer for layer in self.read if layer not in seen]
        after = None if self._last_frozen == IMAGE else self._last_frozen
        found = seen | self.encoder(seen[self._last_frozen], missing, after=after) if missing else seen
        return [found[layer] for layer in self.read]

    def unfreeze(self, *, batch_norms: bool) -> list[nn.Parameter]:
        """What is trained of it, from now on with gradients."""
        return self.encoder.unfreeze(self.first_trained, depthwise=True, biases=True, train_norms=batch_norms)


class EncoderNetwork(Encoder, Network):
    """A network that reads some layers of one encoder, and is an encoder itself."""

    def on_cells(
        self,
        values: Float[Tensor, "image *map h w"],
        size: tuple[int, int],
        viewing: Viewing = USUAL,
        layer: str | None = None,
    ) -> Float[Tensor, "image *map row column"]:
        """Values that cover what a layer of the encoder covers, the lowest that is read, brought to the cells."""
        layer = layer or self.read[0]
        grid = self.grids(size, [layer], viewing)[layer]
        return resample(values, grid.divided((values.shape[-2], values.shape[-1])), self.cells(size))

    @property
    def keeps_features(self) -> bool:
        """Features of the layers that stay as they are, if there are any."""
        return not self.is_trained_whole

    def sources(self, viewings: Mapping[tuple[int, int], Viewing]) -> list[tuple[FeatureSource, Callable[[str], str]]]:
        """The encoder, whose layers keep their names."""
        return [(SeenByEncoder(self, viewings), str)]

    def parameter_groups(self, *, batch_norms: bool = False) -> dict[str, list[nn.Parameter]]:
        """All that is new, and what is trained of the encoder."""
        return new_and_trained(self, [self], batch_norms=batch_norms)

    def load_pretrained(self) -> None:
        """Take the encoder's weights."""
        self.encoder.load_pretrained()


class EncodersNetwork(Network):
    """A network that reads several encoders, each of its own kind or size.

    What it sees of encoder i has the encoder's names with "@i" behind them.

    Attributes
    ----------
    encoders
        Each an `Encoder`.
    """

    encoders: nn.ModuleList

    @property
    def each_encoder(self) -> list[Encoder]:
        """The encoders."""
        return cast(list[Encoder], list(self.encoders))

    @property
    def keeps_features(self) -> bool:
        """Features of the layers that stay as they are, if one of the encoders has any."""
        return not all(encoder.is_trained_whole for encoder in self.each_encoder)

    @property
    def frozen_layers(self) -> tuple[str, ...]:
        """Those of all encoders."""
        of_all = enumerate(self.each_encoder)
        return tuple(numbered(layer, number) for number, encoder in of_all for layer in encoder.frozen_layers)

    def sources(self, viewings: Mapping[tuple[int, int], Viewing]) -> list[tuple[FeatureSource, Callable[[str], str]]]:
        """The encoders."""
        return [
            (SeenByEncoder(encoder, viewings), partial(numbered, number=number))
            for number, encoder in enumerate(self.each_encoder)
        ]

    def see(self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL) -> Seen:
        """The `frozen_layers`."""
        return {
            numbered(layer, number): maps
            for number, encoder in enumerate(self.each_encoder)
            for layer, maps in encoder.see(images, viewing).items()
        }

    def features_read(self, seen: Seen) -> list[list[Float[Tensor, "image feature _ _"]]]:
        """Of each encoder, the features of the layers that are read, of what `see` says."""
        found = []
        for number, encoder in enumerate(self.each_encoder):
            of_encoder = {layer: seen.get(numbered(layer, number)) for layer in (*encoder.frozen_layers, *encoder.read)}
            found.append(encoder.features_read({name: maps for name, maps in of_encoder.items() if maps is not None}))
        return found

    def parameter_groups(self, *, batch_norms: bool = False) -> dict[str, list[nn.Parameter]]:
        """All that is new, and what is trained of the encoders."""
        return new_and_trained(self, self.each_encoder, batch_norms=batch_norms)

    def load_pretrained(self) -> None:
        """Take the encoders' weights."""
        for encoder in self.each_encoder:
            encoder.encoder.load_pretrained()


def numbered(layer: str, number: int) -> str:
    """What a layer of one of several encoders is called among all that a network sees.

    >>> numbered("relu5_3", 1)
    'relu5_3@1'
    """
    return f"{layer}@{number}"


def new_and_trained(
    network: Network, encoders: Sequence[Encoder], *, batch_norms: bool
) -> dict[str, list[nn.Parameter]]:
    """Groups of a network's parameters: all that is new, and what is trained of its encoders."""
    of_encoders = {id(weight) for encoder in encoders for weight in encoder.encoder.parameters()}
    new = [weight for weight in network.parameters() if id(weight) not in of_encoders]
    trained = [weight for encoder in encoders for weight in encoder.unfreeze(batch_norms=batch_norms)]
    return {READOUT: new} | ({BACKBONE: trained} if trained else {})


class AreaEncoder(Encoder):
    """An encoder that sees every image in its own shape, with about as many px.

    Attributes
    ----------
    area
        Usual number of px.
    STRIDE
        Px of a side come in multiples of so many.
    """

    STRIDE: ClassVar[int]
    area: int

    def seen_size(self, size: tuple[int, int], viewing: Viewing = USUAL) -> tuple[int, int]:
        """Height and width of one area, in whole strides."""
        return size_of_area(size, round(self.area * viewing.zoom**2), self.STRIDE)


class AreaNetwork(AreaEncoder, EncoderNetwork):
    """A network of one such encoder.

    Attributes
    ----------
    CELL
        Px of the image as it is usually seen, a cell.
    """

    CELL: ClassVar[int]

    def cells(self, size: tuple[int, int]) -> Grid:
        """Cells of so many px of the image as it is seen."""
        return Grid.over(size, scaled_size(self.seen_size(size), 1 / self.CELL))


class FramedNetwork(EncoderNetwork):
    """A network whose encoder sees every image in the middle of a frame of one size.

    Attributes
    ----------
    usual_frame
        The frame, unless images are zoomed.
    STRIDE
        Px of a zoomed frame's side come in multiples of so many.
    CELL
        Px of the usual frame, a cell.
    """

    STRIDE: ClassVar[int]
    CELL: ClassVar[int]
    usual_frame: Frame

    def frame(self, viewing: Viewing = USUAL) -> Frame:
        """The frame of images that are seen so."""
        return self.usual_frame.zoomed(viewing.zoom, self.STRIDE)

    def seen_size(self, size: tuple[int, int], viewing: Viewing = USUAL) -> tuple[int, int]:
        """That of the frame, whatever the image's."""
        frame = self.frame(viewing)
        return frame.height, frame.width

    def fitted(
        self, images: Float[Tensor, "image 3 height width"], viewing: Viewing = USUAL
    ) -> Float[Tensor, "image 3 h w"]:
        """The images in the middle of the frame."""
        return self.frame(viewing).put(images)

    def pixels(self, size: tuple[int, int], viewing: Viewing = USUAL) -> Grid:
        """Where those of the frame lie in an image."""
        return self.frame(viewing).grid(size, self.seen_size(size, viewing))

    def cells(self, size: tuple[int, int]) -> Grid:
        """Cells of so many px of the frame, where the image is."""
        return Grid.over(size, scaled_size(self.frame().fitted(size), 1 / self.CELL))

    def surround(self, size: tuple[int, int], viewing: Viewing = USUAL) -> float | None:
        """The gray of the frame, around images that have another shape."""
        frame = self.frame(viewing)
        return None if frame.fitted(size) == (frame.height, frame.width) else frame.gray


def _through(values: Axis, pixels: Axis) -> Axis:
    """Where values lie in an image, that lie on pixels which lie in the image themselves."""
    return Axis(values.length, pixels.first + values.first * pixels.step, values.step * pixels.step)
