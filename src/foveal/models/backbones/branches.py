"""Networks whose values part and meet again: the graph of their operations, and where the values of each lie.

A network of torchvision's is traced once, as `torchvision.models.feature_extraction.create_feature_extractor` does it,
and its layers have the names that this gives them: a module's name stands for what comes out of it.
"""

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from foveal.errors import FovealError
from foveal.models.backbones.positions import grid_after, pair, reach_of
from foveal.models.parts.geometry import Axis, Grid

LAYERS = "foveal.layers"  # where a node of the graph keeps its own name and those of the modules that end with it
ROWS_AND_COLUMNS = (2, 3)  # dimensions of feature maps
ANY_SIZE = (512, 512)  # of an image, px; whether positions can be known does not depend on it
POINTWISE_MODULES = (
    *(nn.Identity, nn.BatchNorm2d, nn.Dropout, nn.Sigmoid, nn.Tanh),
    *(nn.ReLU, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish, nn.Hardsigmoid),
)
IN_PLACE = {operator.iadd: operator.add, operator.imul: operator.mul}
POINTWISE_FUNCTIONS = {operator.add, operator.mul, torch.add, torch.mul, F.relu, torch.relu}


@dataclass(frozen=True)
class Place:
    """Where the values of a tensor lie in the image.

    Attributes
    ----------
    grid
        Their positions.
    field
        Side, in px, of the part of the image that one value sees, but for means over whole maps.
    dims
        Which of the tensor's dimensions are its rows and its columns.
    """

    grid: Grid
    field: int = 1
    dims: tuple[int, int] = ROWS_AND_COLUMNS


Where = Place | str | None  # a place, why there is none, or None of what is the same everywhere


def traced(network: nn.Module) -> fx.GraphModule:
    """The graph of a network of torchvision's, up to its last feature map."""
    from torchvision.models.feature_extraction import NodePathTracer

    tracer = NodePathTracer()
    graph = tracer.trace(network.eval())
    last: dict[str, fx.Node] = {}  # operation of a module
    for node, name in tracer.node_to_qualname.items():
        parts = name.split(".") if node.op != "placeholder" else []
        last |= {".".join(parts[:depth]): node for depth in range(len(parts), 0, -1)}
    for node in graph.nodes:
        node.meta[LAYERS] = tuple(sorted((name for name in last if last[name] is node), key=len, reverse=True))
        # The values that an operation would write over may be wanted, too.
        node.target = IN_PLACE.get(node.target, node.target)
        if "inplace" in node.kwargs:
            node.kwargs = node.kwargs | {"inplace": False}
    for module in network.modules():
        if isinstance(module, POINTWISE_MODULES) and hasattr(module, "inplace"):
            module.inplace = False
    whole = fx.GraphModule(network, graph)
    branches = Branches(whole)
    # What names the object is left out. But what cannot be followed stays, so that the reason is known.
    return whole if branches.unplaced else branches.steps_until(branches.layers[-1])


class Branches:
    """How values go through the graph of a network.

    Attributes
    ----------
    steps
        The graph, with the modules.
    layers
        Names of all that is a feature map whose positions are known, from the image up.
    unplaced
        Names of what has positions that are not known, and why.
    """

    def __init__(self, steps: fx.GraphModule) -> None:
        self.steps = steps
        self._parts: dict[tuple[tuple[str, ...], str | None], fx.Graph] = {}
        self._names: dict[str, tuple[str, ...]] = {node.name: node.meta.get(LAYERS, ()) for node in steps.graph.nodes}
        places = self._places(ANY_SIZE)
        nodes = {name: node for node in steps.graph.nodes for name in self._names[node.name]}
        self.unplaced = {name: str(places[node]) for name, node in nodes.items() if isinstance(places[node], str)}
        self._nodes = {name: node.name for name, node in nodes.items() if _is_map(places[node])}
        self.layers = tuple(self._nodes)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_parts": {}}  # graphs are too deep to be pickled, and are soon made again

    def steps_until(self, layer: str) -> fx.GraphModule:
        """The graph without what a layer does not need."""
        return fx.GraphModule(self.steps, self._part((layer,), None))

    def features(self, maps: Tensor, layers: Sequence[str], after: str | None) -> dict[str, Tensor]:
        """Features of the layers, from images or from features of the layer `after`.

        Raises
        ------
        FovealError
            If a layer needs more than those of `after`.
        """
        part = self._part(tuple(layers), after)
        found = fx.Interpreter(self.steps, graph=part).run(maps)
        return dict(zip(layers, found, strict=True))

    def _part(self, layers: tuple[str, ...], after: str | None) -> fx.Graph:
        """The graph of what some layers need, from the image or from the layer `after`."""
        if (layers, after) in self._parts:
            return self._parts[layers, after]
        by_name = {node.name: node for node in self.steps.graph.nodes}
        wanted = [by_name[self._nodes[layer]] for layer in layers]
        start: fx.Node | None = None if after is None else by_name[self._nodes[after]]
        needed: set[fx.Node] = set()
        ahead = list(wanted)
        while ahead:
            node = ahead.pop()
            if node not in needed:
                needed.add(node)
                ahead += [] if node is start else node.all_input_nodes
        if start is not None and (start in wanted or any(node.op == "placeholder" for node in needed)):
            raise FovealError(f"{', '.join(layers)}: not all above {after}, or not from it alone")
        graph = fx.Graph()
        copies: dict[Any, fx.Node] = {}
        for node in self.steps.graph.nodes:
            if node is start:
                copies[node] = graph.placeholder(start.name)
            elif node in needed:
                copies[node] = graph.node_copy(node, copies.__getitem__)
        graph.output(tuple(copies[node] for node in wanted))
        self._parts[layers, after] = graph
        return graph

    def grids(self, size: tuple[int, int]) -> dict[str, Grid]:
        """Where the features of every layer lie in an image of this (height, width)."""
        return {layer: place.grid for layer, place in self._places_of_layers(size).items()}

    def receptive_field(self, layer: str) -> int:
        """Side, in px, of the part of the image that one value of a layer can see, but for means over whole maps."""
        return self._places_of_layers(ANY_SIZE)[layer].field

    def modules_from(self, first: str) -> Iterator[nn.Module]:
        """The modules of a layer and of all that is computed after its first operation."""
        has_begun = False
        for node in self.steps.graph.nodes:
            has_begun = has_begun or any(f"{name}.".startswith(f"{first}.") for name in self._names[node.name])
            if has_begun and node.op == "call_module":
                yield self.steps.get_submodule(str(node.target))

    def why_not(self, layer: str) -> str:
        """Why there is no such layer."""
        if layer in self.unplaced:
            return f"where the values of {layer!r} lie is not known: {self.unplaced[layer]}"
        return f"no layer {layer!r}"

    def _places_of_layers(self, size: tuple[int, int]) -> dict[str, Place]:
        by_name = {node.name: place for node, place in self._places(size).items()}
        places = {}
        for layer, node in self._nodes.items():
            place = by_name[node]
            assert isinstance(place, Place)
            places[layer] = place
        return places

    def _places(self, size: tuple[int, int]) -> dict[fx.Node, Where]:
        """Where the values of every operation lie in an image of this (height, width)."""
        places: dict[fx.Node, Where] = {}
        for node in self.steps.graph.nodes:
            if node.op == "placeholder":
                places[node] = Place(Grid(Axis(size[0]), Axis(size[1])))
            else:
                places[node] = _place_after(node, next(iter(self._names[node.name]), ""), self.steps, places)
        return places


def _is_map(where: Where) -> bool:
    return isinstance(where, Place) and where.dims == ROWS_AND_COLUMNS


def _place_after(node: fx.Node, name: str, network: nn.Module, places: Mapping[fx.Node, Where]) -> Where:
    """Where the values of one operation lie, from where those lie that it is made of."""
    place = _met([places[argument] for argument in node.all_input_nodes], name)
    if not isinstance(place, Place):  # what is made of the same everywhere is so, too
        return place
    unknown = f"{name} is none of the operations that can be followed"
    module = _module_of(node, network)
    if isinstance(module, POINTWISE_MODULES):
        return place
    if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) and place.dims == ROWS_AND_COLUMNS:
        field = place.field + round(reach_of(module, 0) * place.grid.rows.step)
        return Place(grid_after(module, place.grid), field)
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return None if pair(module.output_size) == (1, 1) else unknown
    if isinstance(module, nn.Linear | nn.LayerNorm):
        is_of_one = isinstance(module, nn.Linear) or len(module.normalized_shape) == 1
        return place if is_of_one and 3 not in place.dims else unknown
    if node.target is torch.cat:
        dim = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
        return place if dim not in place.dims else unknown
    if node.target in (torch.permute, "permute"):
        order = _numbers(node.args[1:])
        return replace(place, dims=(order.index(place.dims[0]), order.index(place.dims[1])))
    if node.target == "mean":
        return None if set(_numbers(node.args[1:])) == set(place.dims) else unknown
    if node.target is F.layer_norm:
        return place if len(_numbers(node.args[1:2])) == 1 and 3 not in place.dims else unknown
    is_pointwise = node.target in POINTWISE_FUNCTIONS or getattr(node.target, "__name__", "") == "stochastic_depth"
    return place if is_pointwise else unknown


def _met(places: Sequence[Where], name: str) -> Where:
    """Where the values lie of which an operation makes one: all of them there, or the same everywhere."""
    reasons = [place for place in places if isinstance(place, str)]
    if reasons:
        return reasons[0]
    known = [place for place in places if isinstance(place, Place)]
    if not known:
        return None
    if len({(place.grid, place.dims) for place in known}) > 1:
        return f"the branches that meet at {name} lie on different grids"
    return replace(known[0], field=max(place.field for place in known))


def _module_of(node: fx.Node, network: nn.Module) -> nn.Module | None:
    """The module that an operation is, or would be."""
    if node.op == "call_module":
        return network.get_submodule(str(node.target))
    if node.op == "call_function" and node.target in (F.max_pool2d, F.avg_pool2d):
        kind = nn.MaxPool2d if node.target is F.max_pool2d else nn.AvgPool2d
        arguments: Any = node.args[1:]
        options: Any = node.kwargs
        return kind(*arguments, **options)
    if node.target is F.adaptive_avg_pool2d:
        size: Any = node.args[1]
        return nn.AdaptiveAvgPool2d(size)
    return None


def _numbers(arguments: Any) -> list[int]:
    """Numbers that are given one by one, or as one sequence."""
    return list(arguments[0]) if arguments and isinstance(arguments[0], list | tuple) else list(arguments)
