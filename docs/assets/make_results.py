"""Make docs/results.md from the tables in docs/results/, of `foveal evaluate --json` and `foveal benchmark`.

python docs/assets/make_results.py
"""

import json
from collections.abc import Iterable
from pathlib import Path

from scipy.stats import spearmanr

from foveal.models import ready_models

DOCS = Path(__file__).parents[1]
METRICS = ("LL", "IG", "explained_information", "AUC", "NSS")
SOME = f"--metrics {','.join(METRICS)}"
ALL = f"foveal evaluate --model uniform,centerbias,bms,gold --dataset {{name}} {SOME} --json docs/results/{{name}}.json"
ZERO_SHOT = (
    "python benchmarks/own_center_bias.py foveal-s mit1003 foveal-s-own-center-bias.hdf5\n    "
    "python benchmarks/own_center_bias.py foveal-l mit1003 foveal-l-own-center-bias.hdf5\n    "
    "foveal evaluate --model centerbias,foveal-s,foveal-l,bms,gold --predictions foveal-s-own-center-bias.hdf5 "
    "--predictions foveal-l-own-center-bias.hdf5 --resize --dataset mit1003 "
    f"--split {{split}} {SOME} --json docs/results/mit1003-{{split}}.json"
)
TABLES = {
    "mit1003-othersizes": (
        "foveal-s and foveal-l: MIT1003's 540 photographs of other sizes than 1024×768",
        ZERO_SHOT.format(split="othersizes"),
    ),
    "mit1003-onesize": (
        "foveal-s and foveal-l: MIT1003's 463 photographs of 1024×768",
        ZERO_SHOT.format(split="onesize"),
    ),
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
        "OSIE, the same 50 images, raw maps",
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

Rows are sorted by IG, without intervals. [benchmark.json](results/benchmark.json) has the same rows with intervals: the
command's `results.json`, computed model by model, and joined.

Each metric judges the best map that a model's density has for it ([Metrics](metrics.md)). These are no scores of raw
maps. Those are on the models' pages.
"""
WHO_HAS_SEEN_IT = {
    "mit1003": """No model has seen **MIT1003**. Each comes with the center bias of the data that it was fitted to. Two
rows differ: `centerbias` is that of MIT1003's other images, and `uniform` has none.
""",
    "osie": """Only `centerbias` (that of the other images) and `uniform` are out of sample on **OSIE**. The others have
seen these 700 photographs:

- All have a calibration fitted to them, of 22 numbers and a center bias. It hardly makes the numbers better.
- `aim`, `sun` and `dva` have learned their filters from the pictures alone.
- `aws` and `rare2012` have some parameters that their papers leave open. They were chosen by scores on 50 of these
  photographs.
- `icf`, `judd`, `lds`, `deepgaze1`, `foveal-s` and `foveal-l` have learned from the fixations. So have `faces` and
  `cerf`, through the features of foveal-s. Their rows say how well they fit. The pages of some have held-out numbers.
""",
}
CARD = """# Results

How well each model predicts where people look, on four data sets, with the command of each number.

Explained information is 0 for the center bias and 1 for the other observers (`gold`). This table is of 540 photographs
of MIT1003. foveal-l, foveal-s and BMS were not trained on them. Higher is better.

{table}

    foveal evaluate --model {models} --dataset mit1003 --split othersizes --metrics {metrics}

- Values are means over images, with 95 % bootstrap intervals over images. `LL` and `IG` are in bit per fixation.
  [Metrics](metrics.md) explains each.
- The data sets lie where `$FOVEAL_DATA` says.
- Do not compare the rows of models that were fitted to a data set with those of others. Most were fitted to OSIE.
- OSIE, EyeCrowd and Scene were the training data of foveal-s and foveal-l. [Their page](models/foveal-s.md) has numbers
  on photographs that were held out.
- Rows named `…-own-center-bias.hdf5` have the center bias of MIT1003's other images in place of the model's own.
- Published tables mostly score raw maps. Those numbers differ from these.

`python docs/assets/make_results.py` makes this page from the files that the commands write.
"""
CARD_MODELS = ("foveal-l", "foveal-s", "bms", "centerbias", "gold")
CARD_METRICS = ("explained_information", "AUC", "NSS")
BMS = """## BMS beside the yardsticks

BMS's calibration was fitted to OSIE, so that its numbers there are in-sample. [BMS](models/bms.md) has its held-out
likelihood. On the other data sets its numbers are out of sample, with OSIE's center bias. That costs some of its `IG`:
people stayed closer to the center there, as the higher `LL` of `centerbias` tells.
"""


DEEP_FAMILY = """## Networks of the literature, small forms

    python benchmarks/deep_family.py {models}

Each network has the wiring of the published one on EfficientNet-lite0 ([their page](models/deep-family.md)). All were
trained by their recipes on OSIE, EyeCrowd and Scene without every tenth photograph. The tables are of photographs that
none was trained on: every tenth of OSIE (70), and every seventh of MIT1003 (144), of which none was seen in training.
The intervals are 95 % bootstrap intervals over images. [deep-family.json](results/deep-family.json) has all metrics.
Milliseconds are of one 480×640 photograph on two idle cores at 2.0 GHz (`deep-visual-attention-lite`: at 2.6 GHz).

The tables are sorted by IG on MIT1003. Many networks differ by less than their intervals. If you want one model, take
foveal-s. It explains 88 % of what can be explained about MIT1003; the best of these explains 71 %.
"""
# NSS on MIT300 as its board had it in 2021, of the paper's network, by the name of ours.
PUBLISHED_NSS = {
    "unisal-lite": 2.3689,
    "msi-net-lite": 2.3053,
    "deepgaze2-lite": 2.3371,
    "eml-net-lite": 2.4876,
    "sam-lite": 2.0628,  # SAM-ResNet
    "salgan-lite": 1.8620,
    "deepgaze1": 1.7234,
    "icf": 1.6134,
    "gbvs": 1.2457,
    "bms": 1.1512,
    "aim": 0.8824,
    "itti1998": 0.4081,
}
ENOUGH = 4  # photographs of a kind of scene
SCENES = """### Scene by scene

IG on the held-out photographs of OSIE, in bit, by kind of scene. In parentheses is the number of photographs. With so
few, two kinds of scenes mostly differ by their photographs.

"""
ORDER = """### The order beside MIT300's

NSS on MIT300, as its board had it in 2021, of the papers' networks, and NSS of ours on MIT1003. Spearman's correlation
of the two orders is {correlation:.2f}. The small forms were trained with 1,530 photographs, most of the papers' with
more than ten thousand. Classical models come from the table of all 1,003 photographs above.

"""
CLAIMS = """## What papers claim, tried out

    python benchmarks/claims.py {experiments}

Each table has networks that differ in one thing. All are small forms. They were trained on OSIE without every tenth
photograph (630), for few epochs. The other 70 photographs judge them. In parentheses is the difference from the first
row, with its 95 % bootstrap interval over images. Each was trained once. The intervals do not hold what two trainings
of one kind differ by.
"""
# Title, what the paper says, and what came of it here.
EXPERIMENTS = {
    "pdp-losses": (
        "PDP's losses (Jetley, Murray & Vig 2016)",
        """The claim: distances between distributions train better than Euclidean ones, and Bhattacharyya's best. χ²
has .005 more AUC than Bhattacharyya's. KL is as good. Total variation is behind. With the Euclidean and the Huber loss,
the rectifier at the network's end died: its map is 0 everywhere. All had the same learning rate, .002. A lower one may
suit these two.""",
    ),
    "eml-losses": (
        "NSS + CC + KL against each alone (Jia & Bruce 2020)",
        """The claim: the sum is better than its parts. It holds. NSS alone and CC alone lose IG and AUC. KL alone has
the same IG and AUC, but less NSS.""",
    ),
    "encoders": (
        "One network or two (Jia & Bruce 2020)",
        """The claim: a decoder of several networks' maps is better than that of each. It holds: two have .07 bit more
than the better one alone. The networks stay as they are.""",
    ),
    "fine-tuning": (
        "Frozen or trained as well (He et al. 2019)",
        """The claim: training some layers helps, more and more layers do not. The first half holds: one block brings
.64 bit. The second does not here: two more blocks bring .12 bit on top.""",
    ),
    "adversary": (
        "Cross entropy or a game of two networks (Pan et al. 2017)",
        """The claim: after cross entropy, the game makes maps better. It does not show here: as many more epochs of
cross entropy bring more than the game. The test is small: 630 photographs of 96×144 px, three epochs before, two epochs
of each. All layers learn from the pixels, and the networks are far from what `salgan-lite` reaches.""",
    ),
}
CLAIM_METRICS = ("IG", "AUC", "NSS", "CC")
DEEP_METRICS = ("IG", "explained_information", "AUC", "sAUC", "NSS", "CC", "KL", "SIM")


def read(name: str) -> list[dict]:
    """The rows of one of the files."""
    return json.loads((DOCS / "results" / f"{name}.json").read_text(encoding="utf-8"))


def table_of(rows: list[dict], models: Iterable[str] = (), metrics: Iterable[str] = METRICS) -> str:
    """A row a model (all, if none are named), a column a metric."""
    cells = {(row["model"], row["metric"]): row for row in rows}
    models = models or list(dict.fromkeys(row["model"] for row in rows))
    metrics = [metric for metric in metrics if any(row["metric"] == metric for row in rows)]
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
    rows = read("benchmark")
    models, datasets = (",".join(dict.fromkeys(row[key] for row in rows)) for key in ("model", "dataset"))
    parts = [EVERY_MODEL_TEXT.format(command=EVERY_MODEL.format(models=models, datasets=datasets))]
    for name in datasets.split(","):
        here = [row for row in rows if row["dataset"] == name]
        parts += [f"### {name}\n", WHO_HAS_SEEN_IT[name]]
        # The gold standard judges every observer apart, which takes fifteen times as long.
        if missing := set(ready_models()) - {row["model"] for row in here} - {"gold"}:
            parts.append(f"Not measured yet: {', '.join(sorted(missing))}.\n")
        parts.append(f"{wide_table_of(here)}\n")
    return "\n".join(parts)


def deep_family() -> str:
    """The section of the small forms of published networks, best information gain on MIT1003 first."""
    everything = read("deep-family")
    rows = [row for row in everything if "category" not in row]
    gains = {row["model"]: row["value"] for row in rows if row.get("dataset") == "mit1003" and row["metric"] == "IG"}
    models = sorted(gains, key=lambda model: -gains[model])
    parts = [DEEP_FAMILY.format(models=" ".join(models))]
    for name in ("osie", "mit1003"):
        here = [row for row in rows if row.get("dataset") == name]
        parts.append(f"### {name}, not trained on\n\n{table_of(here, models, DEEP_METRICS)}\n")
    costs = {(row["model"], row["metric"]): row["value"] for row in rows if "dataset" not in row}
    lines = ["| model | weights | milliseconds |", "|---|---|---|"]
    lines += [f"| {name} | {costs[name, 'weights']:,} | {costs[name, 'milliseconds']:.0f} |" for name in models]
    return "\n".join([*parts, scenes_of(everything, models), order_of(rows), "### What they cost\n", *lines, ""])


def scenes_of(rows: list[dict], models: list[str]) -> str:
    """The information gain of each model in each kind of scene that has some photographs."""
    cells = {
        (row["model"], row["category"]): row for row in rows if row.get("n_images", 0) >= ENOUGH and "category" in row
    }
    others = [model for model in models if not any(model == of for of, _ in cells)]
    models = [model for model in models if model not in others]
    scenes = sorted({scene for _, scene in cells}, key=lambda scene: -cells[models[0], scene]["n_images"])
    heads = [f"{scene.replace('_', ' ')} ({cells[models[0], scene]['n_images']})" for scene in scenes]
    lines = [f"| model | {' | '.join(heads)} |", "|---" * (len(scenes) + 1) + "|"]
    lines += [
        f"| {model} | " + " | ".join(f"{cells[model, scene]['value']:.2f}" for scene in scenes) + " |"
        for model in models
    ]
    missing = [f"Not measured yet: {', '.join(others)}.\n"] if others else []
    return SCENES + "\n".join([*lines, "", *missing])


def order_of(rows: list[dict]) -> str:
    """Which models are better than others, on MIT300 as published and on MIT1003 here."""
    ours = {
        row["model"]: row["value"]
        for row in [*read("benchmark"), *rows]
        if row.get("dataset") == "mit1003" and row["metric"] == "NSS" and row["model"] in PUBLISHED_NSS
    }
    models = sorted(ours, key=PUBLISHED_NSS.__getitem__, reverse=True)
    correlation = spearmanr([PUBLISHED_NSS[model] for model in models], [ours[model] for model in models]).statistic
    lines = ["| model | NSS on MIT300, published network | NSS on MIT1003, ours |", "|---|---|---|"]
    lines += [f"| {model} | {PUBLISHED_NSS[model]:.3f} | {ours[model]:.3f} |" for model in models]
    return ORDER.format(correlation=correlation) + "\n".join(lines) + "\n"


def claims() -> str:
    """The section of recipes that differ in one thing: each row beside the first of its table."""
    rows = read("claims")
    tried = [experiment for experiment in EXPERIMENTS if any(row["experiment"] == experiment for row in rows)]
    parts = [CLAIMS.format(experiments=" ".join(tried))]
    for experiment in tried:
        title, sentence = EXPERIMENTS[experiment]
        here = [row for row in rows if row["experiment"] == experiment]
        values = {(row["model"], row["metric"]): row for row in here if "against" not in row}
        differences = {(row["model"], row["metric"]): row for row in here if "against" in row}
        lines = [f"| | {' | '.join(CLAIM_METRICS)} |", "|---" * (len(CLAIM_METRICS) + 1) + "|"]
        for model in dict.fromkeys(model for model, _ in values):
            cells = []
            for metric in CLAIM_METRICS:
                cell = f"{values[model, metric]['value']:.3f}"
                if difference := differences.get((model, metric)):
                    change, low, high = (difference[key] for key in ("value", "ci_low", "ci_high"))
                    cell += f" ({change:+.3f}, {low:+.3f} … {high:+.3f})"
                cells.append(cell)
            lines.append(f"| {model} | {' | '.join(cells)} |")
        parts.append(f"### {title}\n\n{sentence}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def main() -> None:
    """Write docs/results.md."""
    card = CARD.format(
        table=table_of(read("mit1003-othersizes"), CARD_MODELS, CARD_METRICS),
        models=",".join(CARD_MODELS),
        metrics=",".join(CARD_METRICS),
    )
    parts = [card, every_model(), deep_family(), claims()]
    for name, (title, command) in TABLES.items():
        if name == "osie":
            parts.append(BMS)
        parts.append(f"## {title}\n\n    {command.format(name=name)}\n\n{table_of(read(name))}\n")
    (DOCS / "results.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
