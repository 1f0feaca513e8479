"""Small networks that stand in for VGG-16 and ResNet-50: which of their layers are read in the place of which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foveal.errors import FovealError


@dataclass(frozen=True)
class StandIn:
    """How a small network is read in the place of a large one.

    Attributes
    ----------
    layers
        Its layers by the names of those for which they stand. From pool3 on, all have one size.
    without_stride, dilations
        What keeps its upper layers that size (see `Backbone`).
    """

    layers: Mapping[str, str]
    without_stride: tuple[str, ...]
    dilations: Mapping[str, int]


def _stand_in(
    relu3: str, relu4: str, pool3: str, pool4: str, highest: str, strided: str, dilated: list[str]
) -> StandIn:
    layers = {"relu3_3": relu3, "relu4_3": relu4, "pool3": pool3, "pool4": pool4, "relu5_3": highest, "pool5": highest}
    layers |= {"layer3_5": pool4, "layer4_2": highest}  # of ResNet-50
    return StandIn(layers, (strided,), dict.fromkeys(dilated, 2))


STAND_INS = {
    # Values of block2 lie 4 px apart, of block4 8, of all above 16.
    "efficientnet_lite0": _stand_in(
        "block2", "block4", "block7", "block10", "block15", "block11", [f"block{number}" for number in range(12, 16)]
    ),
    "efficientnet_lite_tiny": _stand_in("block1", "block2", "block3", "block4", "block6", "block5", ["block6"]),
}


def layers_of(backbone: str, layers: Sequence[str]) -> tuple[str, ...]:
    """Layers of a network; of a small one, those that stand for these.

    Raises
    ------
    FovealError
        If none stands for one of them.
    """
    if backbone not in STAND_INS:
        return tuple(layers)
    known = STAND_INS[backbone].layers
    if missing := [layer for layer in layers if layer not in known]:
        raise FovealError(f"{backbone}: no layer stands for {missing[0]}")
    return tuple(known[layer] for layer in layers)
