"""What networks are shown of data sets: features that are kept, or photographs that are read when they are needed."""

from collections.abc import Sequence

from foveal.errors import FovealError
from foveal.features.cache import FeatureCache, FeatureGroup, tell_of_room
from foveal.features.views import View
from foveal.gaze import Dataset
from foveal.models.deep.network import Network, ReadsFrozen
from foveal.models.parts.sizes import Viewing
from foveal.progress import Progress
from foveal.training.runs.photographs import Photographs

Viewings = dict[tuple[int, int], Viewing]  # by height and width of what is seen
Shown = dict[tuple[int, View], Sequence[FeatureGroup | Photographs]]  # by number of the data set and view


def viewings_of(data: Dataset, view: View) -> Viewings:
    """How the images of a data set are seen in a view, by size.

    Raises
    ------
    FovealError
        If images of one size have several scales.
    """
    found: Viewings = {}
    for size, images in data.stimuli.by_size().items():
        scales = {data.stimuli[image].known_pixels_per_degree if view.scale_is_known else None for image in images}
        seen = view.crop.size(size)
        viewing = Viewing(scales.pop(), view.zoom)
        if scales or found.setdefault(seen, viewing) != viewing:
            height, width = size
            raise FovealError(f"{data.name}: images of {width} x {height} px have several pixels per degree")
    return found


def shown_of(
    model: Network,
    datasets: Sequence[Dataset],
    views: Sequence[View],
    colors: float,
    progress: Progress,
    *,
    with_pictures: bool = False,
) -> Shown:
    """What a network is shown of each data set in each view, image size by image size.

    Raises
    ------
    FovealError
        If features are to be kept, and the disk has no room for them or an image cannot be read.
    """
    if isinstance(model, ReadsFrozen):
        return _features(model, datasets, views, progress)
    return _photographs(model, datasets, views, colors, with_pictures)


def _photographs(
    model: Network, datasets: Sequence[Dataset], views: Sequence[View], colors: float, with_pictures: bool
) -> Shown:
    """What is read of the images of each data set in each view, when it is needed."""
    return {
        (number, view): [
            Photographs(model, data, number, view, viewings[seen], seen, images, colors, with_pictures)
            for size, images in data.stimuli.by_size().items()
            if (seen := view.crop.size(size))
        ]
        for number, data in enumerate(datasets)
        for view in views
        if (viewings := viewings_of(data, view))
    }


def _features(model: ReadsFrozen, datasets: Sequence[Dataset], views: Sequence[View], progress: Progress) -> Shown:
    """What is kept of the images of each data set in each view, of all sources of the model's features."""
    caches = {
        (number, view): [
            (FeatureCache(source, data, mirrored=view.mirrored, crop=view.crop), name)
            for source, name in model.sources(viewings_of(data, view))
        ]
        for number, data in enumerate(datasets)
        for view in views
    }
    tell_of_room([cache for of_sources in caches.values() for cache, _ in of_sources])
    features: Shown = {}
    for part, (which, of_sources) in enumerate(caches.items(), start=1):
        report = progress.within(f"part {part}/{len(caches)}")
        (first, _), *others = of_sources
        together = first.groups(report, tell=False)
        for cache, name in others:
            more = cache.groups(report, tell=False)
            together = [one.with_layers_of(other, name) for one, other in zip(together, more, strict=True)]
        features[which] = together
    return features
