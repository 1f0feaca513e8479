"""What networks are shown of data sets: features that are kept, or photographs that are read when they are needed."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

from foveal.errors import FovealError
from foveal.features.cache import Autocast, FeatureCache, FeatureGroup, tell_of_room
from foveal.features.views import View
from foveal.gaze import Dataset
from foveal.models.deep.network import Network, ReadsFrozen
from foveal.models.parts.sizes import Viewing
from foveal.progress import Progress
from foveal.training.runs.photographs import Photographs

Viewings = dict[tuple[int, int], Viewing]  # by height and width of what is seen
Shown = dict[tuple[int, View], Sequence[FeatureGroup | Photographs]]  # by number of the data set and view


def viewings_of(model: Network, data: Dataset, view: View) -> Viewings:
    """How a network sees the images of a data set in a view, by size.

    Raises
    ------
    FovealError
        If the network sees sizes in degrees, and images of one size have several scales.
    """
    seen: Viewings = {}
    for image, size in enumerate(map(tuple, data.stimuli.sizes.tolist())):
        scale = data.stimuli[image].known_pixels_per_degree
        viewing = Viewing(scale if model.depends_on_scale and view.scale_is_known else None, view.zoom)
        if seen.setdefault(view.crop.size(size), viewing) != viewing:
            raise FovealError(
                f"{data.name}: images of one size have several pixels per degree; say "
                f'viewing_distance = "assumed", or train on one data set for each'
            )
    return seen


def shown_of(
    model: Network,
    datasets: Sequence[Dataset],
    views: Sequence[View],
    colors: float,
    progress: Progress,
    *,
    with_pictures: bool = False,
    autocast: Autocast = nullcontext,
) -> Shown:
    """What a network is shown of each data set in each view, image size by image size.

    Raises
    ------
    FovealError
        If features are to be kept, and the disk has no room for them or an image cannot be read.
    """
    if model.keeps_features:
        assert isinstance(model, ReadsFrozen)
        viewings = {(n, view): viewings_of(model, data, view) for n, data in enumerate(datasets) for view in views}
        return _features(model, datasets, viewings, progress, autocast)
    return _photographs(model, datasets, views, colors, with_pictures)


def _photographs(
    model: Network, datasets: Sequence[Dataset], views: Sequence[View], colors: float, with_pictures: bool
) -> Shown:
    """What is read of the images of each data set in each view, when it is needed."""
    shown: Shown = {}
    for number, data in enumerate(datasets):
        for view in views:
            viewings = viewings_of(model, data, view)
            shown[number, view] = [
                Photographs(model, data, number, view, viewings[seen], seen, images, colors, with_pictures)
                for seen, images in ((view.crop.size(size), images) for size, images in data.stimuli.by_size().items())
            ]
    return shown


def _features(
    model: ReadsFrozen,
    datasets: Sequence[Dataset],
    viewings: Mapping[tuple[int, View], Viewings],
    progress: Progress,
    autocast: Autocast,
) -> Shown:
    """What is kept of the images of each data set in each view, of all sources of the model's features."""
    caches = {
        (number, view): [
            (FeatureCache(source, datasets[number], mirrored=view.mirrored, crop=view.crop, autocast=autocast), name)
            for source, name in model.sources(of_view)
        ]
        for (number, view), of_view in viewings.items()
    }
    tell_of_room([cache for of_sources in caches.values() for cache, _ in of_sources])
    features: Shown = {}
    for part, (which, of_sources) in enumerate(caches.items(), start=1):
        report = progress.within(f"part {part}/{len(caches)}")
        together: list[FeatureGroup] = []
        for cache, name in of_sources:
            more = cache.groups(report, tell=False)
            together = together or [group.only(()) for group in more]
            together = [one.with_layers_of(other, name) for one, other in zip(together, more, strict=True)]
        features[which] = together
    return features
