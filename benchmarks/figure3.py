r"""DeepGaze I's Fig. 3 with every model: explained information on the 463 photographs of MIT1003 of 1024×768.

    for model in centerbias itti itti1998 aim gbvs spectral-residual cerf dva sun judd ssr cas fes aws image-signature \
            quaternion-dct bms covsal rare2012 icf lds; do
        foveal train $model --dataset mit1003 --split onesize --out figure3
    done
    python benchmarks/figure3.py figure3

As in the paper, all models but the deep ones are calibrated to the fixations that they are judged on (icf, judd and
lds have learned their weights from them as well); how likely they make these is in the weights' files. DeepGaze I and
readouts of other networks are what benchmarks/deepgaze1.py found; foveal-s and foveal-l, of MIT1003 given nothing but
the center bias of its other images, what docs/results/mit1003-onesize.json says. Writes docs/assets/figure3.png.
"""

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure
from timing import keep

from foveal.models.registry import read_provenance

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "assets" / "figure3.png"
IN_THE_PAPER = {"DeepGaze I in its paper": 0.56, "eDN in the paper, best before it": 0.34}
EXPLAINED = ": explained, left-out subjects"  # as benchmarks/deepgaze1.py calls it
ZERO_SHOT = ("foveal-s", "foveal-l")
NOT_DEEP = ("BMS, calibrated", "center bias")  # among what benchmarks/deepgaze1.py measured
CALIBRATED, DEEP = "#3b5f8a", "#4f8a5b"


def calibrated(folder: Path, gold: float) -> dict[str, float]:
    """Of every model that was fitted in a folder: its likelihood above the center bias, of the gold standard's."""
    shares = {}
    for path in sorted(folder.rglob("*.safetensors")):
        fit = read_provenance(path)
        if (fit["dataset"], fit["n_images"]) != ("mit1003", 463):
            raise SystemExit(f"{path}: not fitted to the 463 images ({fit['command']})")
        shares[fit["model"]] = (fit["log_likelihood"] - fit["center_bias_log_likelihood"]) / gold
    return shares


def deep(measured: dict[str, float]) -> dict[str, float]:
    """Of readouts, judged by subjects that they were not fitted to, and of Foveal's own models."""
    readouts = {key.removesuffix(EXPLAINED): value for key, value in measured.items() if key.endswith(EXPLAINED)}
    rows = json.loads((ROOT / "docs" / "results" / "mit1003-onesize.json").read_text(encoding="utf-8"))
    explained = {row["model"]: row["value"] for row in rows if row["metric"] == "explained_information"}
    zero_shot = {f"{name}, MIT1003's center bias": explained[f"{name}-own-center-bias.hdf5"] for name in ZERO_SHOT}
    return {name: value for name, value in readouts.items() if name not in NOT_DEEP} | zero_shot


def draw(shares: dict[str, float], of_deep_models: set[str]) -> None:
    """A bar a model, the best first, and what the paper says."""
    names = sorted(shares, key=lambda name: -shares[name])
    figure = Figure(figsize=(8, 0.9 + 0.27 * len(names)), layout="constrained", dpi=130)
    ax = figure.subplots()
    colors = [DEEP if name in of_deep_models else CALIBRATED for name in names]
    bars = ax.barh(names, [100 * shares[name] for name in names], color=colors, height=0.7)
    ax.bar_label(bars, fmt="%.1f", padding=3, fontsize=8, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    for (name, value), style in zip(IN_THE_PAPER.items(), ("--", ":"), strict=True):
        ax.axvline(100 * value, color="#c1554d", linestyle=style, label=name, zorder=0)
    ax.invert_yaxis()
    ax.set_xlim(0, 105)
    ax.set_xlabel("explained information, % of the gold standard's")
    ax.legend(loc="lower right", frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where foveal train wrote the weights")
    arguments = parser.parse_args()
    measured = json.loads((ROOT / "benchmarks" / "results" / "deepgaze1.json").read_text(encoding="utf-8"))
    of_deep_models = deep(measured)
    shares = calibrated(arguments.folder, measured["gold IG"]) | of_deep_models
    keep("figure3", shares)
    draw(shares, set(of_deep_models))


if __name__ == "__main__":
    main()
