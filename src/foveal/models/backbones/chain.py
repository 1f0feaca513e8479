"""Networks that are steps, one after the other."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from foveal.errors import FovealError
from foveal.models.backbones.positions import MOVING, grid_after, pair, reach_of
from foveal.models.parts.geometry import Axis, Grid


class Chain:
    """How values go through named steps. A step may branch inside, but its values lie where its main way leads.

    Attributes
    ----------
    steps
        The modules.
    layers
        Their names, from the image up.
    """

    def __init__(self, steps: nn.Sequential) -> None:
        self.steps = steps
        self.layers = tuple(name for name, _ in steps.named_children())

    def steps_until(self, layer: str) -> nn.Sequential:
        """The steps without those above a layer."""
        return self.steps[: self.layers.index(layer) + 1]

    def features(self, maps: Tensor, layers: Sequence[str], after: str | None) -> dict[str, Tensor]:
        """Features of the layers, from images or from features of the layer `after`.

        Raises
        ------
        FovealError
            If a layer is not above `after`.
        """
        first = 0 if after is None else self.layers.index(after) + 1
        if min(self.layers.index(layer) for layer in layers) < first:
            raise FovealError(f"{', '.join(layers)}: not all above {after}")
        found = {}
        for name, step in zip(self.layers[first:], self.steps[first:], strict=True):
            maps = step(maps)
            if name in layers:
                found[name] = maps
            if len(found) == len(set(layers)):
                break
        return found

    def grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where the features of every layer lie in an image of this (height, width)."""
        grid = Grid(Axis(size[0]), Axis(size[1]))
        grids = {}
        for name, step in self.steps.named_children():
            for module in _moving(step):
                grid = grid_after(module, grid)
            grids[name] = grid
        return grids

    def receptive_field(self, layer: str) -> int:
        """Side, in px, of the part of the image that one value of a layer can see."""
        field, step_px = 1, 1
        for step in self.steps[: self.layers.index(layer) + 1]:
            for module in _moving(step):
                field += reach_of(module, 0) * step_px
                step_px *= pair(module.stride)[0]
        return field

    def modules_from(self, first: str) -> Iterator[nn.Module]:
        """The modules of a layer and of all above it."""
        for step in self.steps[self.layers.index(first) :]:
            yield from step.modules()

    def why_not(self, layer: str) -> str:
        """Why there is no such layer: there is nothing of its name."""
        return f"no layer {layer!r}"


def _moving(step: nn.Module) -> list[MOVING]:
    """Modules that change positions, without the way around a ResNet's block, which lands where the block does."""
    return [module for path, module in step.named_modules() if isinstance(module, MOVING) and "downsample" not in path]
