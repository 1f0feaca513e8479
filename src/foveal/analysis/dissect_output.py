"""Is what is salient inside a network also salient in its answer, and is it as salient as to people? (section 6)"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from foveal.analysis.dissect_tables import TOP, map_means, top_means
from foveal.analysis.dissect_values import KEPT_AFTER
from foveal.analysis.region_fixations import LookedAt
from foveal.gaze import Dataset
from foveal.gaze.found_regions import people_map
from foveal.gaze.regions import CATEGORIES
from foveal.images import RGBImage
from foveal.kept import KeptTable
from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.nss import normalized_scanpath_saliency
from foveal.models import SaliencyMapModel, SaliencyModel
from foveal.progress import Progress
from foveal.threads import computed_ahead


def output_table(
    model: SaliencyModel,
    name: str,
    data: Dataset,
    work: Sequence[LookedAt],
    path: Path,
    computed_from: Mapping[str, Any],
    progress: Progress,
) -> tuple[pd.DataFrame, list[str]]:
    """Of each region the NSS of a model's answer, and of people's own map, at the fixations inside the region.

    The answer is the saliency map of a model that computes one, else the density. People's map is that of all
    fixations, blurred by one degree of visual angle.

    Parameters
    ----------
    model, name
        The model, and what to call it.
    data, work
        The photographs, and the regions in them.
    path
        The file that keeps the table.
    computed_from
        All that the values depend on.
    progress
        Told of the photographs.

    Returns
    -------
    The columns image, region, category, output and people; and a line for each photograph that could not be read.
    """
    kept = KeptTable(path, computed_from, ["image", "region"])
    known = set(kept.table["image"])
    missing = [one for one in work if data.stimuli.ids[one.image] not in known]
    report = progress.counting(f"{name}: its answers", len(work), before=len(work) - len(missing))
    rows: list[dict[str, Any]] = []
    problems: list[str] = []

    def read(one: LookedAt) -> tuple[LookedAt, dict[int, RGBImage], list[str]]:
        return one, *data.stimuli.read([one.image])

    for done, (one, images, lines) in enumerate(computed_ahead(read, missing), start=1):
        problems += lines
        if images:
            answers = output_of(model, images[one.image], data.stimuli[one.image].pixels_per_degree)
            columns = {"output": answers, "people": torch.from_numpy(people_map(data, one.image))}
            values = {column: _inside(map_, one.fixations) for column, map_ in columns.items()}
            for i, region in enumerate(one.regions):
                place = {"image": region.image, "region": region.number, "category": region.category}
                rows.append(place | {column: float(of_all[i]) for column, of_all in values.items()})
        if rows and (done % KEPT_AFTER == 0 or done == len(missing)):
            kept.add(pd.DataFrame(rows))
            rows = []
        report(done)
    if rows:
        kept.add(pd.DataFrame(rows))
    wanted = {data.stimuli.ids[one.image] for one in work}
    return kept.table[kept.table["image"].isin(wanted)], problems


def output_of(model: SaliencyModel, image: RGBImage, pixels_per_degree: float | None) -> Float[Tensor, "height width"]:
    """The map that a model says of a photograph, on any scale: higher is more salient."""
    if isinstance(model, SaliencyMapModel):
        return model.saliency_map_of([image])[0].cpu()
    return model.log_density_of([image], pixels_per_degree)[0].double().exp().float().cpu()


def _inside(map_: Float[Tensor, "height width"], fixations: FixationBatch) -> Float[Tensor, " region"]:
    """NSS at the fixations of each region."""
    return normalized_scanpath_saliency(map_.expand(fixations.n_images, -1, -1), fixations)


def by_category(outputs: pd.DataFrame, associations: pd.DataFrame) -> pd.DataFrame:
    r"""Inner saliency, output saliency and how far this is from people's, by category.

    Inner saliency is the mean of the top ten maps. $OS_c$ is the mean over regions of the NSS of the answer (eq. 2);
    $OD_c$ the mean of the absolute difference from that of people's map (eq. 3).
    """
    differences = outputs.assign(difference=(outputs["output"] - outputs["people"]).abs())
    means = differences.groupby("category")[["output", "people", "difference"]].mean()
    means.insert(0, "inner", top_means(map_means(associations), TOP))
    means.insert(4, "regions", differences.groupby("category").size())
    order = [category for category in CATEGORIES if category in means.index]
    return means.loc[order].rename_axis("category").reset_index()


def rank_correlations(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Spearman's correlation of inner saliency with the output and with its difference from people's, and its p.

    NaN with fewer than three categories.
    """
    if len(table) < 3:
        return dict.fromkeys(("output", "difference"), (np.nan, np.nan))
    found = {column: stats.spearmanr(table["inner"], table[column]) for column in ("output", "difference")}
    return {column: (float(of_column[0]), float(of_column[1])) for column, of_column in found.items()}
