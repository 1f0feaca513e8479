"""Make docs/results.md from the tables in docs/results/, of `foveal evaluate --json` and `foveal benchmark`.

python docs/assets/make_results.py
"""

import json
from pathlib import Path

import foveal

DOCS = Path(__file__).parents[1]
METRICS = ("LL", "IG", "explained_information", "AUC", "NSS")
SOME = f"--metrics {','.join(METRICS)}"
ALL = f"foveal evaluate --model uniform,centerbias,bms,gold --dataset {{name}} {SOME} --json docs/results/{{name}}.json"
ZERO_SHOT = (
    "python benchmarks/own_center_bias.py foveal-s mit1003 foveal-s-own-centre-bias.hdf5\n    "
    "python benchmarks/own_center_bias.py foveal-l mit1003 foveal-l-own-centre-bias.hdf5\n    "
    "foveal evaluate --model centerbias,foveal-s,foveal-l,bms,gold --predictions foveal-s-own-centre-bias.hdf5 "
    "--predictions foveal-l-own-centre-bias.hdf5 --resize --dataset mit1003 "
    f"--split {{split}} {SOME} --json docs/results/mit1003-{{split}}.json"
)
TABLES = {
    "mit1003-othersizes": (
        "foveal-s and foveal-l on photographs of another study: MIT1003's 540 of other sizes than 1024×768",
        ZERO_SHOT.format(split="othersizes"),
    ),
    "mit1003-onesize": ("The same: MIT1003's 463 of 1024×768", ZERO_SHOT.format(split="onesize")),
    "osie": ("OSIE, 700 images, 15 observers", ALL),
    "mit1003": ("MIT1003, 1003 images, 15 observers", ALL),
    "eyecrowd": ("EyeCrowd, 500 images, 16 observers", ALL),
    "scene": ("Scene, 500 images, 12 observers", ALL),
    "osie-every14": (
        "OSIE, the 50 images of published comparisons",
        f"foveal evaluate --model centerbias,bms,gold --dataset osie --split every14 {SOME} "
        "--json docs/results/{name}.json",
    ),
    "osie-every14-raw": (
        "The same, raw maps",
        "foveal evaluate --model bms --dataset osie --split every14 --raw --metrics AUC,NSS "
        "--json docs/results/{name}.json",
    ),
    "mit1003-raw": (
        "MIT1003, raw maps",
        "foveal evaluate --model bms --dataset mit1003 --raw --metrics AUC,NSS --json docs/results/{name}.json",
    ),
}
EVERY_MODEL = "foveal benchmark --out benchmark --models {models} --datasets {datasets}"
EVERY_MODEL_TEXT = """## Every model, every metric

    {command}

(the rows of its `results.json`, with intervals, are [here](results/benchmark.json): computed model by model, and
joined; sorted by IG; what each metric is: [Metrics](metrics.md)). Each metric judges the best map that a model's
density has for it, so that these are no scores of raw maps; those are on the models' pages.
"""
WHO_HAS_SEEN_IT = {
    "mit1003": """Of **MIT1003** no model has seen anything: each comes with the centre bias of the data that it was
fitted to, but `centerbias`, which is that of MIT1003's other images, and `uniform`.
""",
    "osie": """On **OSIE**, `centerbias` (that of its other images) and `uniform` are honest; all others are in-sample.
A calibration has 22 numbers and a centre bias, which hardly notice that they were fitted to these 700 photographs, and
`aim`, `sun` and `dva` have learned their filters from the pictures alone; some parameters of `aws` and `rare2012` that
their papers leave open were chosen by scores on 50 of these photographs; but `icf`, `judd`, `lds`, `deepgaze1`,
`foveal-s` and `foveal-l`, and through the features of foveal-s `faces` and `cerf`, have learned from the fixations, and
their rows say how well they fit (held-out numbers of some: their pages).
""",
}
INTRODUCTION = """# Results

Means over images, with 95 % bootstrap intervals over images. `LL` and `IG` in bit per fixation. What the numbers mean:
[Evaluate](evaluate.md). The data sets lie where `$FOVEAL_DATA` says. This page is made by
`python docs/assets/make_results.py` from the files that the commands write.

The second rows of foveal-s and foveal-l on MIT1003 have the centre bias of MIT1003's other images in place of their
own. Of OSIE, EyeCrowd and Scene, which they were trained on, see [foveal-s](models/foveal-s.md) for photographs that
were held out.

BMS's calibration was fitted to OSIE: its numbers there are in-sample (held-out likelihood: [BMS](models/bms.md)), those
on the other data sets are not, and use OSIE's centre bias. That costs them some of their `IG`: on all three, people
stayed closer to the centre than on OSIE, as the higher `LL` of their own centre bias tells.
"""


def table_of(rows: list[dict]) -> str:
    """A row a model, a column a metric."""
    cells = {(row["model"], row["metric"]): row for row in rows}
    models = list(dict.fromkeys(row["model"] for row in rows))
    metrics = [metric for metric in METRICS if any(row["metric"] == metric for row in rows)]
    lines = ["| model | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 1) + "|"]
    for model in models:
        values = []
        for metric in metrics:
            value, low, high = (round(cells[model, metric][key], 3) + 0 for key in ("value", "ci_low", "ci_high"))
            values.append(f"{value:.3f}" if low == high else f"{value:.3f} ({low:.3f} … {high:.3f})")
        lines.append(f"| {model} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def wide_table_of(rows: list[dict]) -> str:
    """A row a model, a column a metric, without intervals; the best information gain first."""
    values = {(row["model"], row["metric"]): row["value"] for row in rows}
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    models = sorted(dict.fromkeys(row["model"] for row in rows), key=lambda model: -values[model, "IG"])
    lines = ["| model | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 1) + "|"]
    lines += [
        f"| {model} | " + " | ".join(f"{round(values[model, metric], 3) + 0:.3f}" for metric in metrics) + " |"
        for model in models
    ]
    return "\n".join(lines)


def every_model() -> str:
    """The section of the benchmark, a table a data set."""
    rows = json.loads((DOCS / "results" / "benchmark.json").read_text(encoding="utf-8"))
    models, datasets = (",".join(dict.fromkeys(row[key] for row in rows)) for key in ("model", "dataset"))
    parts = [EVERY_MODEL_TEXT.format(command=EVERY_MODEL.format(models=models, datasets=datasets))]
    for name in datasets.split(","):
        here = [row for row in rows if row["dataset"] == name]
        parts += [f"### {name}\n", WHO_HAS_SEEN_IT[name]]
        # The gold standard judges every observer apart, which takes fifteen times as long.
        if missing := set(foveal.list_models()) - {row["model"] for row in here} - {"gold"}:
            parts.append(f"Not measured yet: {', '.join(sorted(missing))}.\n")
        parts.append(f"{wide_table_of(here)}\n")
    return "\n".join(parts)


def main() -> None:
    """Write docs/results.md."""
    parts = [INTRODUCTION, every_model()]
    for name, (title, command) in TABLES.items():
        rows = json.loads((DOCS / "results" / f"{name}.json").read_text(encoding="utf-8"))
        parts.append(f"## {title}\n\n    {command.format(name=name)}\n\n{table_of(rows)}\n")
    (DOCS / "results.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
