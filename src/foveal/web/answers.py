"""What is asked and answered, as the OpenAPI document says it."""

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from foveal.analysis.attention import Attention, Compared
from foveal.datasets.picture_regions import PictureRegion
from foveal.models.catalogue import ModelCard

FARTHEST = 1_000_000  # px from the picture's corner

Pixels = Annotated[FiniteFloat, Field(ge=-FARTHEST, le=FARTHEST)]
Share = Annotated[float, Field(ge=0, le=1)]


class Region(BaseModel):
    """A part of the picture: a box, or one or more polygons. All is in px from the upper left corner of the picture."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    box: tuple[Pixels, Pixels, Pixels, Pixels] | None = Field(None, description="x, y, width, height")
    polygons: list[list[tuple[Pixels, Pixels]]] | None = Field(None, description="corners x, y of each piece")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Region":
        if (self.box is None) == (self.polygons is None):
            raise ValueError("either box or polygons is needed")
        return self

    def to_picture_region(self) -> PictureRegion:
        """As the library knows it, where the center of the first pixel is at (0, 0)."""
        if self.box is not None:
            return PictureRegion.box(self.name, *self.box)
        pieces = (np.array(piece, dtype=np.float64).reshape(-1, 2) - 0.5 for piece in self.polygons or ())
        return PictureRegion(self.name, tuple(pieces))


class Seen(BaseModel):
    """How many people look at a region within so many fixations."""

    probability: Share
    low: Share = Field(description="four of five regions with this share and area lie between low and high")
    high: Share


class RegionAttention(BaseModel):
    """What one region gets."""

    name: str
    share: Share = Field(description="probability that a fixation lands in it")
    area: Share = Field(description="its share of the picture's pixels")
    per_area: float = Field(description="share over area; 1 is as any place")
    rank: int = Field(description="1 for the region with the largest share")
    peak: tuple[int, int] = Field(description="column and row of its most probable pixel")
    seen: dict[int, Seen] = Field(description="by the number of fixations")


class PictureAttention(BaseModel):
    """Where the attention of the picture is."""

    half_in: Share = Field(description="half of the attention is in this share of the picture")
    focus: float = Field(description="bits by which the density is sharper than one that is the same everywhere")
    more_focused_than: Share | None = Field(description="share of photographs with a lower focus; null if not measured")
    center_pull: float = Field(description="0: as near to the middle as random points; 1: all in the middle")
    hotspots: int
    peak: tuple[int, int]
    in_words: str


class AttentionAnswer(BaseModel):
    """Regions of a picture, and the picture: what `foveal attention` writes as JSON."""

    schema_: Literal["foveal.attention/1"] = Field(alias="schema")
    picture: str
    width: int
    height: int
    model: str
    whole: PictureAttention
    regions: list[RegionAttention]

    @classmethod
    def of(cls, found: Attention) -> "AttentionAnswer":
        """From what the library found."""
        told = found.to_dict()
        return cls.model_validate(told | {"whole": told["whole"] | {"in_words": found.whole.in_words}})


class ComparedRegion(BaseModel):
    """One region in A and in B."""

    name: str
    a: Share
    b: Share
    difference: float = Field(description="a - b")
    winner: Literal["A", "B", "neither"]

    @classmethod
    def of(cls, row: Compared) -> "ComparedRegion":
        """From what the library found."""
        return cls.model_validate(row, from_attributes=True)


class ComparisonAnswer(BaseModel):
    """A against B."""

    a: AttentionAnswer
    b: AttentionAnswer
    compared: list[ComparedRegion]


class Model(BaseModel):
    """A model that predicts."""

    name: str
    family: str
    year: int
    paper: str
    licence: str
    is_default: bool

    @classmethod
    def of(cls, card: ModelCard, default: str) -> "Model":
        """From its card."""
        return cls(
            name=card.name,
            family=card.family,
            year=card.year,
            paper=card.paper,
            licence=card.licence,
            is_default=card.name == default,
        )


class Style(BaseModel):
    """A way to draw where people look."""

    name: str
    legend: str = Field(description="what it shows")
    colors: list[str] = Field(description="from the peak outward; none if it has no color bar")


class SimulatedFixation(BaseModel):
    """One fixation of a simulated viewer, in px from the center of the first pixel."""

    x: int
    y: int
