"""`foveal layers`: which layers of a network help to predict fixations (DeepGaze I, section 2.3, Figs. 5 and 8)."""

import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from foveal.benchmark.observations import Observations
from foveal.benchmark.scoring import MapBatch, score
from foveal.benchmark.yardsticks import Yardsticks
from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.features.cache import FeatureCache, FeatureGroup
from foveal.features.cells import counts_of, log_priors_of
from foveal.features.deviations import standard_deviations
from foveal.figures.sweeps import draw_sweep
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze import Dataset
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.kept import KeptTable
from foveal.metrics import get_metrics
from foveal.models.backbones.backbone import Backbone
from foveal.models.deep.deepgaze1 import DeepGaze1, config_for
from foveal.models.feature_source import FeatureSource
from foveal.models.parts.empty import without_numbers
from foveal.models.parts.finalizer import resize_log_density
from foveal.models.parts.geometry import Grid
from foveal.models.parts.readout import LinearReadout
from foveal.progress import Progress, Report
from foveal.training.fits.fit_readout import fit_readout
from foveal.training.fits.readout_problem import SPARSITY, ReadoutProblem, sums_over_fixations

STEP = 32  # px of the image: finer features are averaged to it; the blur that follows is wider
CELL = 16  # px: side of the cells on which densities are computed here
TOLERANCE = 1e-5  # nats: a step that gains less ends a fit
SCORED_AT_ONCE = 16
ANY_SIZE = 64, 64  # px: the names of layers are the same for images of every size


@dataclass(frozen=True)
class Subset:
    """Layers that a readout may look at, and where that is drawn."""

    figure: str
    label: str
    layers: tuple[str, ...]


class Row(NamedTuple):
    """What was measured of one subset with one penalty; see `LayerSweep.table`."""

    figure: str
    label: str
    layers: str
    penalty: float
    features: int
    explained_training_subjects: float
    explained_test_subjects: float
    sAUC_fitted_images: float  # noqa: N815
    sAUC_held_out_images: float  # noqa: N815


@dataclass(frozen=True)
class LayerSweep:
    """What was found and written.

    Attributes
    ----------
    table
        One row a subset and penalty. On the images fitted to, the share of the gold standard's information that is
        explained, of the subjects fitted to and of each left out in turn; sAUC (uniform prior) on these images and on
        held-out ones.
    files
        The table and the figure.
    problems
        One line for each image that could not be read or scored.
    """

    table: pd.DataFrame
    files: list[Path]
    problems: list[str]


def layers(
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    backbone: str | FeatureSource = "alexnet",
    layers: Sequence[str] | None = None,
    penalties: Sequence[float] = (SPARSITY,),
    data_root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    progress: Report | None = None,
) -> LayerSweep:
    """Fit readouts to subsets of a network's layers and measure each on left-out subjects and on held-out images.

    A readout is fitted without each subject in turn, all of these together; for sAUC their mean is taken, as the paper
    does. The subsets: all layers from a depth up (Fig. 5 a), up to a depth (b), of one depth (c), of one type (d), and
    each layer by itself (e). Explained information is that of densities on cells of 16 px. Writes `out`/layers.csv, a
    row as it is done, and `out`/layers.png; called again, it goes on where it stopped.

    Parameters
    ----------
    dataset
        A data set with subjects, its name, or the path of a folder.
    out
        Folder for the table and the figure.
    backbone
        The network (see `foveal weights list`), which sees images as DeepGaze I does, or a model that looks at features
        of a network, which are taken as it computes them.
    layers
        Only this subset.
    penalties
        Each λ to try (Fig. 8).
    data_root
        Where the data sets of the catalogue lie.
    split
        The named part of the data set that is fitted to; by default every second image. All others are held out.
    progress
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    FovealError
        If something cannot be loaded or written, `out` holds another sweep, or no λ is given that could be one.
    """
    if not penalties or not all(0 <= penalty < math.inf for penalty in penalties):
        raise FovealError("penalties: give numbers of at least 0")
    subsets = [Subset("λ", "+".join(layers), tuple(layers))] if layers else subsets_of(layers_of(backbone))
    data = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    looked_at = np.unique(data.fixations.image)
    chosen = np.intersect1d(data.split_indices(split), looked_at) if split else looked_at[::2]
    others = np.setdiff1d(looked_at, chosen)
    if not len(others):
        raise FovealError(f"{data.name}: no images are left to be held out")
    yardsticks = Yardsticks(data.select(chosen))
    if reason := yardsticks.why_not("gold"):
        raise FovealError(f"explained information needs {reason}")
    folder = make_writable_folder(out)
    report = Progress.of(progress)

    every_layer = tuple(dict.fromkeys(layer for subset in subsets for layer in subset.layers))
    source = _source_of(backbone, every_layer)
    caches = [FeatureCache(source, data.select(images), finest_step=STEP) for images in (chosen, others)]
    settings = {
        "features": [cache.key for cache in caches],
        "fixations": data.fixations.digest(),
        "pixels_per_degree": data.stimuli[0].pixels_per_degree,
        "fit": [STEP, CELL, TOLERANCE],
        "layers": list(layers or (every_layer if isinstance(backbone, FeatureSource) else ())),
    }
    kept = KeptTable(folder / "layers.csv", settings, by=Row._fields[:4])
    if kept.differs:
        raise FovealError(f"{folder}: holds another sweep (images, fixations, network, layers); choose another --out")
    rows = [Row(*values) for values in kept.table.itertuples(index=False, name=None)]
    # The same layers may stand in several figures; they are measured once.
    measured: dict[tuple[str, float], tuple[Any, ...]] = {(row.layers, row.penalty): row[4:] for row in rows}
    work = [(subset, penalty) for subset in subsets for penalty in penalties]
    sweep: _Sweep | None = None
    for number, (subset, penalty) in enumerate(work):
        report("subsets", number, len(work))
        names = " ".join(subset.layers)
        place = subset.figure, subset.label, names, penalty
        if place in {row[:4] for row in rows}:
            continue
        if (names, penalty) not in measured:
            sweep = sweep or _Sweep(data, chosen, others, yardsticks, *(cache.groups(report) for cache in caches))
            measured[names, penalty] = sweep.measure(subset.layers, penalty)
        rows.append(Row(*place, *measured[names, penalty]))
        kept.add(pd.DataFrame(rows[-1:]))
    report("subsets", len(work), len(work))
    table = pd.DataFrame(rows).sort_values(["figure", "penalty"], kind="stable", ignore_index=True)
    with write_atomically(folder / "layers.png") as temporary:
        draw_sweep(table, temporary)
    problems = [*data.problems, *(sweep.problems if sweep else [])]
    return LayerSweep(table, [folder / "layers.csv", folder / "layers.png"], problems)


def _cells(size: tuple[int, int]) -> Grid:
    return Grid.of_cells(size, CELL)


def layers_of(backbone: str | FeatureSource) -> list[str]:
    """Names of all layers that there are features of, from the image up."""
    if isinstance(backbone, FeatureSource):
        return list(backbone.grids(ANY_SIZE))
    with without_numbers():
        return list(Backbone(backbone, pretrained=False).layers)


def _source_of(backbone: str | FeatureSource, layers: Sequence[str]) -> FeatureSource:
    """What computes the features of some layers.

    Raises
    ------
    FovealError
        If there is no such backbone or layer.
    """
    if not isinstance(backbone, FeatureSource):
        return DeepGaze1(config_for(backbone, layers))
    known = layers_of(backbone)
    if unknown := [layer for layer in layers if layer not in known]:
        raise FovealError(f"no layer {unknown[0]!r} among the model's features (has {', '.join(known)})")
    return backbone


def subsets_of(names: Sequence[str]) -> list[Subset]:
    """The subsets of Fig. 5, and each layer by itself.

    A layer's name begins with its type and goes on with its depth: conv5_1 is a convolution of depth 5.
    """
    parts = {name: re.match(r"([a-z]+)(\d*)", name) for name in names}
    types = {name: match[1] if match else name for name, match in parts.items()}
    depths = {name: int(match[2]) if match and match[2] else 0 for name, match in parts.items()}
    each = sorted(set(depths.values()))

    return [
        *(Subset("a", f"≥{depth}", tuple(name for name in names if depths[name] >= depth)) for depth in each),
        *(Subset("b", f"≤{depth}", tuple(name for name in names if depths[name] <= depth)) for depth in each),
        *(Subset("c", f"{depth}", tuple(name for name in names if depths[name] == depth)) for depth in each),
        *(
            Subset("d", kind, tuple(name for name in names if types[name] == kind))
            for kind in dict.fromkeys(types.values())
        ),
        *(Subset("e", name, (name,)) for name in names),
    ]


class _Sweep:
    """What all fits of a sweep share."""

    def __init__(
        self,
        whole: Dataset,
        chosen: np.ndarray,
        others: np.ndarray,
        yardsticks: Yardsticks,
        groups: list[FeatureGroup],
        held_out_groups: list[FeatureGroup],
    ) -> None:
        self.data = yardsticks.dataset
        self.groups, self.held_out_groups = groups, held_out_groups
        self.positions = {"fitted": chosen, "held out": others}  # of the groups' images in the whole data set
        self.observations = Observations(whole, Yardsticks(whole), seed=0)
        self.left_out = self.data.fixations.subjects.tolist()
        self.log_priors = log_priors_of(groups, self.data, CenterBiasKDE.fit(self.data), _cells)
        of_each = [counts_of(groups, self.data.fixations.for_subject(subject), _cells) for subject in self.left_out]
        self.counts_left_out = [torch.stack(each) for each in zip(*of_each, strict=True)]
        self.counts = [counts.sum(dim=0) - counts for counts in self.counts_left_out]
        self.problems: list[str] = []
        self.gold = float(np.nanmean(yardsticks.gold_information_gain))
        if self.gold <= 0:
            raise FovealError(f"{self.data.name}: its gold standard explains nothing that could be shared in")
        self.center_bias = float(np.nanmean(yardsticks.center_bias_log_likelihood))
        deviations = standard_deviations(groups)
        sizes = {layer: array.shape[1] for layer, array in groups[0].read(slice(0, 1)).items()}
        self.std = dict(zip(sizes, deviations.split(list(sizes.values())), strict=True))

    def measure(self, layers: tuple[str, ...], penalty: float) -> tuple[int, float, float, float, float]:
        """The last five values of a row."""
        groups = [group.only(layers) for group in self.groups]
        stack = LinearReadout({layer: len(self.std[layer]) for layer in layers}, len(self.left_out))
        stack.std = torch.cat([self.std[layer] for layer in layers])
        trained, judged = (
            ReadoutProblem(groups, self.log_priors, counts, _cells) for counts in (self.counts, self.counts_left_out)
        )
        fit_readout(stack, trained, penalty=penalty, tolerance=TOLERANCE)
        mean = stack.mean()
        return (
            len(stack.std),
            self._explained(stack, trained),
            self._explained(stack, judged),
            self._shuffled_auc(mean, groups, self.positions["fitted"]),
            self._shuffled_auc(
                mean, [group.only(layers) for group in self.held_out_groups], self.positions["held out"]
            ),
        )

    def _explained(self, stack: LinearReadout, problem: ReadoutProblem) -> float:
        """Information gain over the center bias, as a share of the gold standard's; the mean over images."""
        sums, numbers = sums_over_fixations(stack, problem)
        likelihood = float((sums.sum(dim=0) / numbers.sum(dim=0)).nanmean())
        return (likelihood - self.center_bias) / self.gold

    def _shuffled_auc(self, readout: LinearReadout, groups: list[FeatureGroup], positions: np.ndarray) -> float:
        """With a uniform prior, as this metric expects it; the mean over images."""
        metrics = get_metrics(["sAUC"])
        source = _maps_without_prior(readout, groups, positions)
        values = []
        # Raw, for the map is this metric's own already: nothing of the center bias is left to be divided out.
        for some, problems in score(source, positions.tolist(), metrics, self.observations, raw=True):
            values += [of_image["sAUC"] for of_image in some.values()]
            self.problems += problems
        return float(np.nanmean(values))


def _maps_without_prior(
    readout: LinearReadout, groups: list[FeatureGroup], positions: np.ndarray
) -> Callable[[Sequence[int]], Iterator[MapBatch]]:
    """Log densities of a readout on cached features, with a uniform prior."""

    @torch.inference_mode()
    def maps(_: Sequence[int]) -> Iterator[MapBatch]:
        for group in groups:
            for start in range(0, len(group.images), SCORED_AT_ONCE):
                rows = slice(start, start + SCORED_AT_ONCE)
                saliency = readout.saliency(group.read(rows), group.grids, _cells(group.size))
                images = positions[group.images[rows]].tolist()
                yield MapBatch(images, resize_log_density(saliency, group.size))

    return maps
