"""The HTTP interface: a picture in, numbers and drawings out. Every request carries its picture; none is stored."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from io import BytesIO
from pathlib import PureWindowsPath
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from matplotlib.colors import to_hex
from pydantic import Json
from pydantic.json_schema import SkipJsonSchema

from foveal.analysis.attention import FIXATIONS, Attention, attention, compared
from foveal.analysis.attention_files import attention_picture
from foveal.analysis.attention_report import attention_report
from foveal.analysis.simulation import simulated_fixations
from foveal.datasets.picture_regions import PictureRegion
from foveal.figures.colors import HEAT
from foveal.figures.difference import difference_map
from foveal.figures.styles import STYLES
from foveal.images import encode_png
from foveal.models.catalogue import model_cards, ready_models
from foveal.models.prediction import Prediction
from foveal.web.answers import (
    AttentionAnswer,
    ComparedRegion,
    ComparisonAnswer,
    Model,
    Region,
    SimulatedFixation,
    Style,
)
from foveal.web.limits import Limits
from foveal.web.problems import RESPONSES, Refused
from foveal.web.work import Predicted, Workbench

LONGEST_NAME = 100
MOST_FIXATIONS = 50
PLAIN = "picture"  # the picture alone, of a kind that a browser does not show
ALL_FIXATIONS = range(1, 11)  # by how many a region is seen: the page has a slider

api = APIRouter(prefix="/api", responses=RESPONSES)

Picture = Annotated[UploadFile, File(description="The picture: the content of a file, of any kind that Foveal reads.")]
ModelName = Annotated[str, Form(max_length=200, description="A name that /api/models lists; none: the server's own.")]
Scale = Annotated[
    float | SkipJsonSchema[None], Form(gt=0, le=10_000, description="Pixels per degree of visual angle, if known.")
]
Regions = Annotated[Json[list[Region]], Form(description="JSON: a list of regions.")]
PictureFormat = Literal["png", "png2x", "svg", "pdf"]

TABLE_TYPES = {"csv": "text/csv", "json": "application/json"}
MEDIA_TYPES = {"png": "image/png", "png2x": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


def _files(*media_types: str) -> dict[str, Any]:
    """How an operation is declared that answers with a file of one of these types."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}
    return {"response_class": Response, "responses": {200: {"description": "The file.", "content": content}}}


def _workbench(request: Request) -> Workbench:
    bench: Workbench = request.app.state.workbench
    return bench


Bench = Annotated[Workbench, Depends(_workbench)]


@dataclass(frozen=True)
class Asked:
    """A picture that came with a request, and by which model it is to be predicted."""

    content: bytes
    name: str
    model: str
    pixels_per_degree: float | None

    @classmethod
    async def of(cls, picture: UploadFile, model: str, pixels_per_degree: float | None) -> "Asked":
        """From the parts of a form."""
        return cls(await picture.read(), _stem(picture.filename or ""), model, pixels_per_degree)

    def predicted(self, bench: Workbench) -> Prediction:
        """The prediction, under the picture's own name."""
        return replace(self._predicted(bench).prediction, name=self.name)

    def attention(
        self, bench: Workbench, regions: Sequence[Region], fixations: Sequence[int] = FIXATIONS
    ) -> tuple[Prediction, list[PictureRegion], Attention]:
        """The prediction, the regions, and what they get."""
        predicted, named = self._predicted(bench), _named(regions, bench.limits)
        prediction = replace(predicted.prediction, name=self.name)
        _check_pixels(named, prediction.log_density.shape, bench.limits)
        return prediction, named, attention(prediction, named, fixations, whole=predicted.whole)

    def _predicted(self, bench: Workbench) -> Predicted:
        return bench.predict(self.content, self.model, self.pixels_per_degree)


async def _asked(picture: Picture, model: ModelName = "", pixels_per_degree: Scale = None) -> Asked:
    return await Asked.of(picture, model, pixels_per_degree)


OnePicture = Annotated[Asked, Depends(_asked)]


@api.get("/models")
def models(bench: Bench) -> list[Model]:
    """The models that predict at once."""
    ready = set(ready_models())
    cards = [card for card in model_cards() if card.name in ready and not card.needs_fixations]
    own = [] if bench.own_name in ready else [bench.own_card()]  # one from a file
    return [Model.of(card, bench.own_name) for card in (*own, *cards)]


@api.get("/styles")
def styles() -> list[Style]:
    """The ways to draw where people look."""
    colors = [to_hex(HEAT(place)) for place in np.linspace(1, 0, 5)]
    return [
        Style(name=name, legend=style.legend, colors=colors if style.has_color_bar else [])
        for name, style in STYLES.items()
    ]


@api.post("/attention")
async def attention_of_regions(bench: Bench, asked: OnePicture, regions: Regions = []) -> AttentionAnswer:  # noqa: B006
    """What share of people's attention the regions of the picture get, and where the attention of the picture is."""
    return await bench.do(lambda: AttentionAnswer.of(asked.attention(bench, regions, ALL_FIXATIONS)[2]))


@api.post("/overlay", **_files(*MEDIA_TYPES.values()))
async def overlay(
    bench: Bench,
    asked: OnePicture,
    style: Annotated[
        str,
        Form(
            max_length=100, description="heatmap, contours, fog, hotspots (a + joins them); picture: nothing is drawn."
        ),
    ] = "heatmap",
    file_format: Annotated[PictureFormat, Form(alias="format", description="png2x: twice the resolution.")] = "png",
    legend: Annotated[bool, Form(description="Say below the picture what its colors and lines mean.")] = True,
    regions: Regions = [],  # noqa: B006
) -> Response:
    """The picture with where people look, drawn as `foveal predict` draws it; with regions as `foveal attention`."""

    def draw() -> bytes:
        if style == PLAIN:
            return encode_png(asked.predicted(bench).image)
        if not regions:
            return asked.predicted(bench).picture(file_format, style=style, color_bar=legend)
        found = asked.attention(bench, regions)
        return attention_picture(*found, style=style, file_format=file_format, color_bar=legend)

    return Response(await bench.do(draw), media_type=MEDIA_TYPES[file_format])


@api.post("/density", **_files("application/octet-stream"))
async def density(bench: Bench, asked: OnePicture) -> Response:
    """The natural log of the density of fixations at every pixel: a NumPy file, float32, of the picture's size."""

    def write() -> bytes:
        content = BytesIO()
        np.save(content, asked.predicted(bench).log_density)
        return content.getvalue()

    return Response(await bench.do(write), media_type="application/octet-stream")


@api.post("/table", **_files(*TABLE_TYPES.values()))
async def table(
    bench: Bench,
    asked: OnePicture,
    file_format: Annotated[Literal["csv", "json"], Form(alias="format")] = "csv",
    regions: Regions = [],  # noqa: B006
) -> Response:
    """What the regions get, as the file that `foveal attention` writes."""
    content = await bench.do(lambda: asked.attention(bench, regions)[2].to_text(file_format))
    return Response(content, media_type=TABLE_TYPES[file_format])


@api.post("/report", **_files("application/pdf"))
async def report(bench: Bench, asked: OnePicture, regions: Regions = []) -> Response:  # noqa: B006
    """A report for printing: the picture with its regions, the table of what they get, and what the numbers mean."""
    content = await bench.do(lambda: attention_report(*asked.attention(bench, regions)))
    return Response(content, media_type="application/pdf")


@api.post("/fixations")
async def fixations(
    bench: Bench,
    asked: OnePicture,
    n: Annotated[int, Form(ge=1, le=MOST_FIXATIONS)] = 5,
    seed: Annotated[int, Form(ge=0, le=2**31, description="Another seed is another viewer.")] = 0,
) -> list[SimulatedFixation]:
    """The first fixations of a simulated viewer: drawn from the density, with inhibition of return."""
    found = await bench.do(lambda: simulated_fixations(asked.predicted(bench), n, seed))
    return [SimulatedFixation(x=x, y=y) for x, y in found]


async def _asked_against(
    asked: OnePicture,
    picture_b: Annotated[
        UploadFile | SkipJsonSchema[None], File(description="Picture B; none: the same picture.")
    ] = None,
    model_b: Annotated[
        str | SkipJsonSchema[None], Form(max_length=200, description="The model of B; none: that of A.")
    ] = None,
) -> tuple[Asked, Asked]:
    model = asked.model if model_b is None else model_b
    if picture_b is None:
        return asked, replace(asked, model=model)
    return asked, await Asked.of(picture_b, model, asked.pixels_per_degree)


Both = Annotated[tuple[Asked, Asked], Depends(_asked_against)]


@api.post("/compare")
async def compare(
    bench: Bench,
    both: Both,
    regions: Regions = [],  # noqa: B006
    regions_b: Annotated[Json[list[Region] | None], Form(description="Regions of B; none: those of A.")] = None,
) -> ComparisonAnswer:
    """A against B: two pictures by one model, or one picture by two; regions of the same name are compared."""

    def work() -> ComparisonAnswer:
        (_, _, a), (_, _, b) = (
            asked.attention(bench, named)
            for asked, named in zip(both, (regions, regions if regions_b is None else regions_b), strict=True)
        )
        rows = [ComparedRegion.of(row) for row in compared(a, b)]
        return ComparisonAnswer(a=AttentionAnswer.of(a), b=AttentionAnswer.of(b), compared=rows)

    return await bench.do(work)


@api.post("/difference", **_files("image/png"))
async def difference(bench: Bench, both: Both) -> Response:
    """Over picture A: orange where A gets more attention than B, blue where B does."""

    def draw() -> bytes:
        a, b = (asked.predicted(bench) for asked in both)
        names = (a.name, b.name) if a.model == b.model else (a.model, b.model)
        return encode_png(difference_map(a.image, (a.density, b.density), names))

    return Response(await bench.do(draw), media_type="image/png")


def _named(regions: Sequence[Region], limits: Limits) -> list[PictureRegion]:
    if len(regions) > limits.regions:
        line = f"{len(regions):,} regions, of at most {limits.regions:,}; `foveal attention` takes any number"
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, line)
    return [region.to_picture_region() for region in regions]


def _check_pixels(regions: Sequence[PictureRegion], size: tuple[int, int], limits: Limits) -> None:
    """Make sure that all regions together fit into memory: counted by the boxes around them, and by their outlines."""
    pixels = 0
    for region in regions:
        for polygon in region.polygons:
            inside = np.clip(polygon, -0.5, np.array(size[::-1]) - 0.5)
            crossed = np.abs(np.diff(inside[:, 1], append=inside[:1, 1])).sum()  # rows, once for each edge
            pixels += math.ceil(np.prod(np.ptp(inside, axis=0)) + crossed)
    if pixels > limits.region_pixels:
        line = (
            f"the regions hold {pixels:,} px together, of at most {limits.region_pixels:,}; give fewer or smaller ones"
        )
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, line)


def _stem(file_name: str) -> str:
    r"""What a picture is called, from the name of the visitor's file; it is never used as a path.

    >>> _stem("C:\\pictures\\shop.png"), _stem("")
    ('shop', 'picture')
    """
    stem = PureWindowsPath(file_name).stem
    return "".join(filter(str.isprintable, stem))[:LONGEST_NAME].strip() or "picture"
