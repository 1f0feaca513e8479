"""The network of the dissection paper, trained to tell kinds of scenes instead of where people look (section 8).

What training changes may come from the photographs or from the task. The same network, trained on the same photographs
for another task, tells which.

Differs from the paper in: the three fully connected layers see the mean of each feature, and are as wide as there are
features; the paper's see all places, which 700 photographs are too few for.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.features.cache import FeatureCache, FeatureGroup
from foveal.files import make_writable_folder
from foveal.gaze import Dataset
from foveal.gaze.folds import held_out_images
from foveal.kept import KeptTable
from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.nss import normalized_scanpath_saliency
from foveal.models.deep.dissection import Dissection, DissectionConfig
from foveal.models.deep.encoder import SeenByEncoder
from foveal.models.deep.network import BACKBONE
from foveal.models.parts.sizes import USUAL
from foveal.models.registry import save_model
from foveal.progress import Progress, Report

FEWEST = 20  # photographs of a scene; the paper has 50, of 10,000 photographs instead of 700
HELD_OUT = 0  # fold
BATCH = 16
RATE, BACKBONE_RATE = 1e-3, 1e-4
DROPOUT = 0.5
LAST_LAYER = DissectionConfig(first_trained="conv5_3")  # the layer of VGG-16 that is trained (section 8)


@dataclass(frozen=True, eq=False)
class SceneTask:
    """What was learned.

    Attributes
    ----------
    path
        The network, as a model `dissection` whose map is the mean of the highest features.
    scenes
        The kinds of scenes that were told apart.
    told
        One row for each held-out photograph: image, its scene, the scene that was told, and the NSS of the mean of the
        highest features, NaN if nobody looked at it.
    problems
        One line for each photograph that could not be read.
    """

    path: Path
    scenes: tuple[str, ...]
    told: pd.DataFrame
    problems: list[str]

    @property
    def accuracy(self) -> float:
        """Share of the held-out photographs whose scene is told."""
        return float((self.told["scene"] == self.told["told"]).mean())

    @property
    def balanced_accuracy(self) -> float:
        """The same, where each kind of scene counts the same; chance is one over the number of kinds."""
        return float((self.told["scene"] == self.told["told"]).groupby(self.told["scene"]).mean().mean())

    @property
    def attention(self) -> pd.DataFrame:
        """Mean NSS by whether the scene is told "right" or "wrong", standard error, number of images (Table 8)."""
        is_right = (self.told["scene"] == self.told["told"]).map({True: "right", False: "wrong"})
        found = self.told["NSS"].groupby(is_right).agg(["mean", "sem", "count"]).reindex(["right", "wrong"])
        found = found.rename_axis("prediction").reset_index()
        found["count"] = found["count"].fillna(0).astype(int)
        return found.rename(columns={"mean": "NSS", "sem": "standard_error", "count": "images"})


def learn_scenes(
    dataset: Dataset | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    config: DissectionConfig = LAST_LAYER,
    fewest: int = FEWEST,
    epochs: int = 20,
    seed: int = 0,
    data_root: str | os.PathLike[str] | None = None,
    progress: Report | None = None,
) -> SceneTask:
    """Train the network to tell the scenes of photographs; write `out`/dissection.safetensors and `out`/told.parquet.

    Fold 0 is held out. What is there already, of the same call, is not learned again.

    Parameters
    ----------
    dataset
        A data set with categories, its name, or the path of a folder.
    out
        Folder for the weights.
    config
        What the network is made of, and which of its layers are trained: by default VGG-16's last.
    fewest
        Scenes with fewer photographs are left out.
    epochs
        Number of times that each photograph is seen.
    seed
        Of the first weights, the dropout and the order of the photographs.
    data_root
        Where the data sets of the catalogue lie.
    progress
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    FovealError
        If something cannot be loaded or written, or there are fewer than two scenes with enough photographs.
    """
    whole = dataset if isinstance(dataset, Dataset) else load_dataset(dataset, data_root)
    folder = make_writable_folder(out)
    data = of_frequent_scenes(whole, fewest)
    scenes = tuple(sorted(set(data.categories)))
    path = folder / "dissection.safetensors"
    key = {"data": data.digest(), "scenes": data.categories, "config": asdict(config), "epochs": epochs, "seed": seed}
    kept = KeptTable(folder / "told.parquet", key, ["image"])
    if kept.table.empty or not path.is_file():
        kept.add(_learned(data, scenes, path, config, epochs, seed, Progress.of(progress)))
    return SceneTask(path, scenes, kept.table, list(data.problems))


def _learned(
    data: Dataset,
    scenes: tuple[str, ...],
    path: Path,
    config: DissectionConfig,
    epochs: int,
    seed: int,
    report: Progress,
) -> pd.DataFrame:
    """Learn, write the weights, and tell the held-out photographs: see `SceneTask.told`."""
    labels = torch.tensor([scenes.index(category) for category in data.categories])
    judged = held_out_images(data, HELD_OUT)
    if not len(judged):
        raise FovealError(f"{data.name}: fold {HELD_OUT} has no photograph of a frequent scene")
    fitted = torch.ones(len(data), dtype=torch.bool)
    fitted[judged] = False
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = mean_of_features(config)
        head = scene_head(model.encoder.channels(model.read[0]), len(scenes))
        source = SeenByEncoder(model, dict.fromkeys(data.stimuli.by_size(), USUAL))
        groups = FeatureCache(source, data).groups(report, tell=False)
        _train(model, head, groups, labels, fitted, epochs, report)
    model.eval()
    told = _told(model, head, groups, labels)
    save_model(
        model,
        path,
        {"dataset": data.name, "licence": data.licence, "n_images": int(fitted.sum()), "task": "scenes"},
    )
    return pd.DataFrame(
        {
            "image": [data.stimuli.ids[image] for image in judged],
            "scene": [data.categories[image] for image in judged],
            "told": [scenes[told[image]] for image in judged],
            "NSS": [_attention(model, data, image) for image in judged.tolist()],
        }
    )


def mean_of_features(config: DissectionConfig) -> Dissection:
    """The pretrained network, whose map is the mean of its highest features (section 8)."""
    model = Dissection(config)
    model.load_pretrained()
    with torch.no_grad():
        model.readout.weight.fill_(1 / model.readout.weight.shape[1])
    return model


def of_frequent_scenes(whole: Dataset, fewest: int = FEWEST) -> Dataset:
    """The readable photographs of kinds of scenes with so many photographs at least.

    Raises
    ------
    FovealError
        If nobody said what scenes they are of, or fewer than two kinds are left.
    """
    if not whole.categories:
        raise FovealError(f"{whole.name}: nobody said what kinds of scenes its photographs are of")
    data = whole.readable()
    counts = Counter(data.categories)
    if sum(count >= fewest for count in counts.values()) < 2:
        raise FovealError(f"{data.name}: fewer than two kinds of scenes with {fewest} photographs at least")
    return data.select([image for image, scene in enumerate(data.categories) if counts[scene] >= fewest])


def scene_head(n_features: int, n_scenes: int) -> nn.Sequential:
    """Three fully connected layers (Fig. 10) on the mean of each feature."""
    return nn.Sequential(
        nn.Linear(n_features, n_features),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(n_features, n_features),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        nn.Linear(n_features, n_scenes),
    )


def class_weights(labels: Int[Tensor, " image"], n_classes: int) -> Float[Tensor, " class"]:
    """What a photograph counts by its scene, so that all scenes count the same; one on average over photographs.

    >>> class_weights(torch.tensor([0, 0, 0, 1]), 2)
    tensor([0.6667, 2.0000])
    """
    counts = torch.bincount(labels, minlength=n_classes)
    return len(labels) / (n_classes * counts.float())


def _train(
    model: Dissection,
    head: nn.Sequential,
    groups: list[FeatureGroup],
    labels: Int[Tensor, " image"],
    fitted: Tensor,
    epochs: int,
    report: Progress,
) -> None:
    weights = class_weights(labels[fitted], int(labels.max()) + 1)
    trained = model.parameter_groups().get(BACKBONE, [])
    rates = [{"params": list(head.parameters()), "lr": RATE}, {"params": trained, "lr": BACKBONE_RATE}]
    optimizer = torch.optim.Adam([group for group in rates if group["params"]])
    course = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        report("epochs of scenes", epoch, epochs)
        for group, rows in _batches(groups, fitted):
            loss = F.cross_entropy(
                _logits(model, head, group, rows), labels[[group.images[row] for row in rows]], weights
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        course.step()
    report("epochs of scenes", epochs, epochs)


def _batches(groups: list[FeatureGroup], fitted: Tensor) -> Iterator[tuple[FeatureGroup, list[int]]]:
    """Rows of photographs of one size, in an order by chance."""
    batches: list[tuple[FeatureGroup, list[int]]] = []
    for group in groups:
        rows = [row for row, image in enumerate(group.images) if fitted[image]]
        shuffled = [rows[i] for i in torch.randperm(len(rows)).tolist()]
        batches += [(group, shuffled[start : start + BATCH]) for start in range(0, len(rows), BATCH)]
    yield from (batches[i] for i in torch.randperm(len(batches)).tolist())


def _logits(
    model: Dissection, head: nn.Sequential, group: FeatureGroup, rows: list[int]
) -> Float[Tensor, "image scene"]:
    (features,) = model.features_read(group.read(rows))
    logits: Tensor = head(features.mean(dim=(2, 3)))
    return logits


@torch.inference_mode()
def _told(
    model: Dissection, head: nn.Sequential, groups: list[FeatureGroup], labels: Int[Tensor, " image"]
) -> Int[Tensor, " image"]:
    """The scene that is told of every photograph."""
    head.eval()
    found = torch.empty_like(labels)
    for group in groups:
        for start in range(0, len(group.images), BATCH):
            rows = list(range(start, min(start + BATCH, len(group.images))))
            found[[group.images[row] for row in rows]] = _logits(model, head, group, rows).argmax(dim=1)
    return found


def _attention(model: Dissection, data: Dataset, image: int) -> float:
    """Do people look where the features are high? NSS of their mean; NaN if nobody looked (Table 8)."""
    fixations = data.fixations.for_image(image)
    if not len(fixations):
        return float("nan")
    map_ = model.saliency_map_of([data.stimuli[image].image])
    return float(normalized_scanpath_saliency(map_, FixationBatch.stack([fixations])))
