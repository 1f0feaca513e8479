"""MIT300: 300 photographs of a benchmark, whose fixations its authors keep."""

from pathlib import Path

from foveal.datasets.catalogue import Contents, DatasetCard, register_dataset
from foveal.datasets.numbered import numbered_images
from foveal.gaze import Fixations, Stimuli

CARD = DatasetCard(
    name="mit300",
    title="MIT300",
    images=300,
    observers=39,
    licence="see the authors' page",
    citation="Judd, Durand & Torralba, A benchmark of computational models of saliency to predict human fixations, "
    "MIT technical report, 2012",
    url="http://saliency.mit.edu/results_mit300.html",
    pixels_per_degree=35.0,
    how_to_get="unpack BenchmarkIMAGES.zip into <data root>/mit300; needed are BenchmarkIMAGES/i1.jpg to i300.jpg",
    found_by=("BenchmarkIMAGES",),
    gaze="not public",
    facts="Nothing can be trained on it or measured here: foveal export writes predictions that the benchmark takes. "
    "Recorded with the same tracker, screen and distance as MIT1003.",
)


@register_dataset(CARD)
def read_mit300(folder: Path) -> Contents:
    """Read the photographs, in the order of their numbers; there are no fixations."""
    sources, left_out = numbered_images(folder / "BenchmarkIMAGES")
    stimuli = Stimuli(sources, pixels_per_degree=CARD.pixels_per_degree)
    return Contents(stimuli, Fixations.of([], [], []), {}, problems=tuple(left_out))
