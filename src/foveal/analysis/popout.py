"""`foveal popout`: do models see what pops out (He et al. 2019, section 7, Tables 4 to 6 and Fig. 8)."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import torch

from foveal.analysis.named_layers import NamedLayers
from foveal.analysis.popout_layers import load_networks, score_layers, table_of_layers
from foveal.analysis.popout_page import PICTURES, write_popout_page
from foveal.analysis.popout_scores import score_arrays
from foveal.analysis.popout_tables import asymmetries, by_feature, means_by, pops_out, that_pop_out, with_settings
from foveal.benchmarking.run import fingerprint
from foveal.datasets.search_arrays import VERSION, SearchArraySettings, standard_arrays
from foveal.errors import FovealError
from foveal.files import make_writable_folder, write_atomically
from foveal.gaze.given import texts, whole_number
from foveal.kept import KeptTable
from foveal.models import load_model, model_cards
from foveal.progress import Progress, Report


@dataclass(frozen=True)
class Popout:
    """What was found and written.

    Attributes
    ----------
    by_feature
        NMM and the share of arrays whose target is the most salient item, of every model and feature, with intervals
        over arrays (Table 4).
    asymmetries
        The same of targets that have what distractors lack, against those that lack it; empty if no swapped arrays
        were scored.
    by_layer
        Mean NMM of the ten best maps of every layer of every network (Table 5); of the highest layer of networks that
        were fine-tuned to several depths, it is Table 6.
    files
        The tables, the figures and the report.
    problems
        One line for each model, network or array that failed.
    """

    by_feature: pd.DataFrame
    asymmetries: pd.DataFrame
    by_layer: pd.DataFrame
    files: list[Path]
    problems: list[str]


def popout(
    models: Sequence[str] | None = None,
    out: str | os.PathLike[str] = "popout",
    *,
    networks: Sequence[str] = (),
    weights: Sequence[str] = (),
    layers: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: Report | None = None,
) -> Popout:
    """Score the maps of models, and of layers of networks, on search arrays.

    The arrays are those of `standard_arrays`. Which map of a model is scored, `ModelMaps` says. Writes scores.csv (an
    array a row), models.csv, curves.csv, asymmetries.csv, layers.csv, pictures and report.html into `out`. Called
    again, it goes on where it stopped. scores.csv keeps models of earlier calls, and the other files have
    those of the last.

    Parameters
    ----------
    models
        Names, or paths of files that `foveal train` wrote; all that are ready by default.
    out
        Folder for tables, pictures and the report.
    networks
        Names of installed backbones (`vgg16`), or of models that are built on one: their layers are scored.
    weights
        Files that `foveal train` wrote, of one network trained to several depths: they count as models and as networks.
    layers
        Only these layers; by default each that ends with a nonlinearity, or each block.
    limit
        Only the first so many arrays.
    seed
        Of the arrays.
    device
        Where to compute.
    progress
        Called with what is being done, how much of it is done, and of how much.

    Raises
    ------
    FovealError
        If nothing can be scored, `out` cannot be written to, or it holds results of other arrays.
    """
    files = texts(weights, "weights")
    named = _all_ready() if models is None else texts(models, "models")
    arrays = standard_arrays(seed)[: None if limit is None else whole_number(limit, "limit", least=1)]
    folder = make_writable_folder(out)
    report = Progress.of(progress)
    run = _Run(folder, arrays, seed, device, report)

    used = [name for name in dict.fromkeys([*named, *files]) if run.score(name)]
    known = list(dict.fromkeys([*texts(networks, "networks"), *files]))
    loaded, problems = load_networks(known, texts(layers, "layers"), device)
    run.problems += problems
    by_layer = run.score_layers(loaded)
    if not used and by_layer.empty:
        raise FovealError(run.problems[0] if run.problems else "no model and no network to score")
    scored = with_settings(run.scores(used), arrays)
    return _write(folder, scored, by_layer, device, arrays, list(dict.fromkeys(run.problems)))


def _all_ready() -> list[str]:
    """All models that can predict a picture as they come."""
    return [card.name for card in model_cards() if card.made_by is None and not card.needs_fixations]


@dataclass
class _Run:
    """The scores of one folder, which grow."""

    folder: Path
    arrays: list[SearchArraySettings]
    seed: int
    device: str | torch.device
    report: Progress
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kept = self._table("scores.csv", ["model", "weights", "map", "array"], texts=["model"])

    def score(self, name: str) -> bool:
        """Score a model on the arrays that it was not scored on before; False if it cannot be loaded."""
        try:
            model = load_model(name, self.device)
            model.make_ready()
        except FovealError as error:
            self.problems.append(str(error))
            return False
        weights = fingerprint(model.name, model)
        table = self._kept.table
        self._kept.forget((table["model"] == name) & (table["weights"] != weights))
        known = set(self._rows_of(name)["array"])
        left = [array for array in self.arrays if array.name not in known]
        done = len(self.arrays) - len(left)
        self.report(name, done, len(self.arrays))
        for rows, problems in score_arrays(model, left):
            self.problems += [f"{name}: {problem}" for problem in problems]
            if len(rows):
                self._kept.add(rows.assign(model=name, weights=weights))
                done += rows["array"].nunique()
            self.report(name, done, len(self.arrays))
        return True

    def score_layers(self, networks: Sequence[tuple[NamedLayers, Sequence[str]]]) -> pd.DataFrame:
        """Score the layers of networks on the arrays that pop out; the table of all of them."""
        kept = self._table("layers.parquet", ["network", "weights", "layer", "array"])
        chosen = [array for array in self.arrays if pops_out(array)]
        return table_of_layers(
            [score_layers(network, layers, chosen, kept, self.report, self.problems) for network, layers in networks]
        )

    def scores(self, names: Sequence[str]) -> pd.DataFrame:
        """The rows of these models."""
        return pd.concat([self._kept.table[:0], *(self._rows_of(name) for name in names)], ignore_index=True)

    def _rows_of(self, name: str) -> pd.DataFrame:
        return self._kept.table[self._kept.table["model"] == name]

    def _table(self, name: str, by: list[str], texts: Sequence[str] = ()) -> KeptTable:
        drawn = hashlib.sha256(repr((VERSION, standard_arrays(self.seed))).encode()).hexdigest()[:12]
        kept = KeptTable(self.folder / name, {"seed": self.seed, "arrays": drawn}, by, texts)
        if kept.differs:
            raise FovealError(f"{self.folder}: holds results of other arrays ({kept.differs[0]}); choose another --out")
        return kept


def _write(
    folder: Path,
    scored: pd.DataFrame,
    by_layer: pd.DataFrame,
    device: str | torch.device,
    arrays: list[SearchArraySettings],
    problems: list[str],
) -> Popout:
    """Tables, pictures and the report."""
    tables = dict.fromkeys(("models.csv", "curves.csv", "asymmetries.csv"), pd.DataFrame()) | {"layers.csv": by_layer}
    if len(scored):
        tables["models.csv"] = by_feature(scored)
        tables["curves.csv"] = means_by(that_pop_out(scored), ["model", "map", "share", "set_size"])
        tables["asymmetries.csv"] = asymmetries(scored)
    for earlier in (*tables, *PICTURES):  # never beside a report that does not speak of them
        (folder / earlier).unlink(missing_ok=True)
    written = [folder / name for name, table in tables.items() if len(table)]
    for path in written:
        with write_atomically(path) as temporary:
            tables[path.name].to_csv(temporary, index=False, float_format="%.6g")
    of_models, of_curves, of_asymmetries, of_layers = tables.values()
    pictures = write_popout_page(folder, of_models, of_curves, of_asymmetries, of_layers, arrays, device, problems)
    return Popout(
        tables["models.csv"],
        tables["asymmetries.csv"],
        by_layer,
        [*([folder / "scores.csv"] if len(scored) else []), *written, *pictures],
        problems,
    )
