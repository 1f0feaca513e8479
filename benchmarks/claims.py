"""What papers of the field claim, tried out: recipes that differ in one thing, judged on photographs held out.

    python benchmarks/claims.py pdp-losses eml-losses encoders fine-tuning adversary --data-root data

All train small forms (docs/models/deep-family.md) on OSIE without every tenth photograph, which judge them: so many
epochs, one seed. "pdp-losses": PDP's network with each of its losses (Jetley, Murray & Vig 2016). "eml-losses" and
"encoders": EML-NET's sum of losses against each of them, one network against two (Jia & Bruce 2020). "fine-tuning": the
dissection paper's network with more and more of it trained (He et al. 2019). "adversary": SalGAN's game against more of
cross entropy alone (Pan et al. 2017). Rows of an experiment that was run before are replaced.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from foveal import evaluate, load_dataset
from foveal.benchmarking.predictions import Predictions
from foveal.files import write_atomically
from foveal.training import Phase, Recipe, train_by_recipe

DATASET, FOLD = "osie", 0
METRICS = ("IG", "AUC", "NSS", "CC")
RESULTS = Path(__file__).parents[1] / "docs/results/claims.json"
SMALL = {"area": 96 * 144, "first_trained": "stem"}  # a game of two networks learns from the pixels
GAME = 2  # epochs, or as many of cross entropy alone


def recipe(model: str, *phases: Phase) -> Recipe:
    """The terms that all share."""
    return Recipe((DATASET,), held_out=FOLD, model=model, phases=phases, weight_decay=1e-4)


def experiments(out: Path) -> dict[str, dict[str, Recipe]]:
    """Recipes by what is different about them; the first of an experiment is what the others are compared with."""
    pdp = recipe("pdp-lite", Phase(4, 2e-3))
    pdp_losses = ("kl", "chi-squared", "total-variation", "cosine")
    eml = recipe("eml-net-lite", Phase(4, 1e-2))
    dissection = recipe("dissection-lite", Phase(4, 1e-2), Phase(4, 2e-3, 5e-4))
    salgan = replace(recipe("salgan-lite", Phase(3, 1e-3, 3e-4)), config=SMALL)
    more = replace(
        salgan,
        start_from=str(out / "adversary/cross entropy/salgan-lite.safetensors"),
        optimizer="adagrad",
        phases=(Phase(GAME, 3e-4, 3e-4),),
    )
    return {
        "pdp-losses": {
            "pdp-bhattacharyya": pdp,
            **{f"pdp-{loss}": replace(pdp, loss=f"pdp-{loss}") for loss in pdp_losses},
            **{loss: replace(pdp, loss=loss) for loss in ("euclidean", "huber")},
        },
        "eml-losses": {"eml": eml, **{loss: replace(eml, loss=loss) for loss in ("nss", "cc", "kl")}},
        "encoders": {
            "EfficientNet-lite0": eml,
            "MobileNetV2": replace(eml, config={"backbones": ("mobilenet_v2",), "first_trained": ""}),
            "both": replace(eml, config={"backbones": ("efficientnet_lite0", "mobilenet_v2"), "first_trained": ""}),
        },
        "fine-tuning": {
            name: replace(dissection, config={"first_trained": first})
            for name, first in {"nothing": "", "block15": "block15", "block13 on": "block13"}.items()
        },
        "adversary": {
            "cross entropy": salgan,
            "more cross entropy": more,
            "the game": replace(more, step="adversarial", loss={"bce": 0.05}),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=list(experiments(Path())))
    parser.add_argument("--out", type=Path, default=Path("claims"), help="folder of the runs, which go on after a stop")
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    data = load_dataset(DATASET, arguments.data_root)
    out = arguments.out.absolute()
    for experiment in arguments.experiments:
        predictions = []
        for name, terms in experiments(out)[experiment].items():
            folder = out / experiment / name
            train_by_recipe(terms, out=folder, data_root=arguments.data_root, resume=True)
            of_run = Predictions(folder / "held_out" / f"{DATASET}.hdf5", resize=True)
            of_run.name = name
            predictions.append(of_run)
        results = evaluate(predictions, data, METRICS, split=f"fold{FOLD}")
        differences = results.against(predictions[0].name)
        rows = [row | {"experiment": experiment} for row in results.to_dict("records")]
        rows += [
            row | {"experiment": experiment, "against": predictions[0].name} for row in differences.to_dict("records")
        ]
        before = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
        kept = [row for row in before if row["experiment"] != experiment]
        with write_atomically(RESULTS) as temporary:
            temporary.write_text(json.dumps(kept + rows, indent=2) + "\n")
        print(results.to_string(), differences.to_string(), sep="\n", flush=True)


if __name__ == "__main__":
    main()
