"""`foveal train`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveal.cli.console import progress_bars, say, tell
from foveal.cli.options import DataRoot, Split, Strict, listed, numbers_listed, tell_problems

if TYPE_CHECKING:
    from foveal.training import DeepTraining, ScanpathTraining, TrainingReport


def train(
    model: Annotated[
        str,
        typer.Argument(help="A trainable model (see `foveal models`), or a recipe (.toml)."),
    ],
    dataset: Annotated[str | None, typer.Option(help="A name that `foveal datasets` lists, or a folder.")] = None,
    data_root: DataRoot = None,
    out: Annotated[Path, typer.Option(help="Folder for MODEL.safetensors.")] = Path("out"),
    split: Split = None,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Measure on held-out images, in so many parts. Default: 5; deepgaze1, recipes (which have 10): none."
        ),
    ] = None,
    leave_out: Annotated[
        str | None,
        typer.Option(help="deepgaze1: what folds leave out, images (default) or subjects (each subject in turn)."),
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="deepgaze1: the network (see `foveal weights list`).")] = None,
    layers: Annotated[str, typer.Option(help="deepgaze1: names of its layers, separated by commas.")] = "",
    penalty: Annotated[
        float | None, typer.Option(help="deepgaze1: lambda, what sparsity of the weights is worth (default: 0.001).")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="deepgaze1: lbfgs (default), sfo or adam.")] = None,
    sizes: Annotated[
        str, typer.Option(help="foveal-s, foveal-l: see pictures at these shares of the usual side as well (0.7,1.4).")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    seed: Annotated[
        int | None, typer.Option(help="Of what is learned from first values or samples by chance (default: 0).")
    ] = None,
    workers: Annotated[int, typer.Option(help="Recipes: other processes that read ahead.")] = 0,
    strict: Strict = False,
) -> None:
    """Fit a model, or the calibration of a saliency map, to fixations; or train a deep model by a recipe.

    With --dataset, foveal-s and foveal-l are calibrated, in minutes; without, trained from the beginning by their own
    recipes, in hours. Models of scanpaths (foveal-path, saccade-statistics, inhibition-of-return) are fitted in
    minutes, without --dataset to OSIE and EyeCrowd.
    """
    from foveal.training import ScanpathTraining, TrainingReport, is_recipe
    from foveal.training import train as run

    is_main_process = os.environ.get("RANK", "0") == "0"  # as torch's and accelerate's launchers say
    in_hours = is_recipe(model, dataset)
    try:
        with progress_bars(as_lines=in_hours and is_main_process) as report:
            result = run(
                model,
                dataset,
                out=out,
                data_root=data_root,
                split=split,
                folds=folds,
                left_out=leave_out,
                backbone=backbone,
                layers=listed(layers) or None,
                penalty=penalty,
                optimizer=optimizer,
                sizes=numbers_listed(sizes, "--sizes") if sizes else None,
                resume=resume,
                seed=seed,
                workers=workers,
                progress=report,
            )
    except KeyboardInterrupt:
        if in_hours and is_main_process:
            say(f"stopped; the same command with --resume goes on after the last whole epoch in {out}")
        raise
    if isinstance(result, TrainingReport):
        tell(f"{result.model} fitted to {result.n_images} images of {result.dataset} (licence: {result.licence})")
        for line in result.words:
            tell(f"  {line}")
        _tell_likelihoods(result, "subjects (same images)" if leave_out == "subjects" else "images")
    elif isinstance(result, ScanpathTraining):
        _tell_gains(result)
    else:
        if folds is not None:
            tell(f"densities of held-out images: {out / 'held_out'} (foveal evaluate --predictions FILE --resize)")
        _tell_epochs(result)
    tell(f"weights: {result.path}")
    tell_problems(result.problems, strict=strict)


def _tell_likelihoods(result: "TrainingReport", left_out: str) -> None:
    """What the model is worth, beside what it was before and beside the center bias."""
    tell("log-likelihood above uniform, bit per fixation, mean over images and 95 % interval:")
    lines = {
        "center_bias_log_likelihood": "center bias, each image left out in turn",
        "published_log_likelihood": "the model as it was before",
        "log_likelihood": "the saved model, on the images that it was fitted to",
        "held_out_log_likelihood": f"fitted to others, on held-out {left_out}",
        "gain": "what fitting gains on held-out images",
    }
    for name, line in lines.items():
        value = getattr(result, name)
        if value is not None:
            low, high = result.intervals[name]
            tell(f"  {line:53} {value:8.4f}  ({low:.4f} … {high:.4f})")
    if result.held_out_log_likelihood is None:
        tell("  (on new images it will be lower; --folds 10 measures how much, of models that have folds)")
    elif result.held_out_log_likelihood < result.center_bias_log_likelihood:
        tell("  (worse than the center bias: it needs more images, or of deepgaze1 a larger --penalty)")
    if result.gain is not None and result.intervals["gain"][1] < 0:
        tell("  (worse on other images than before: use the model as it was, or fit to more images)")
    elif result.gain is not None and result.intervals["gain"][0] <= 0:
        tell("  (no gain that can be told from chance: the model as it was before may serve as well)")


def _tell_gains(result: "ScanpathTraining") -> None:
    """What a model of scanpaths is worth on held-out images."""
    tell(f"{result.model} fitted to {result.n_fixations} fixations on {result.n_images} images")
    tell("information gain above the static density, bit per fixation, mean over held-out images and 95 % interval:")
    for dataset, (value, low, high) in result.gains.items():
        tell(f"  {dataset:20} {value:8.4f}  ({low:.4f} … {high:.4f})")


def _tell_epochs(result: "DeepTraining") -> None:
    """The losses of every epoch, and what the network was worth after it on the images that are held out."""
    columns = [name for name in result.log[-1] if name not in ("epoch", "phase", "seconds")]
    widths = {name: max(9, len(name)) for name in columns}
    tell("epoch" + "".join(f"  {name:>{width}}" for name, width in widths.items()))
    for row in result.log:
        tell(f"{row['epoch']:5}" + "".join(f"  {row[name]:{width}.4f}" for name, width in widths.items()))
    if "AUC" in columns:
        scores = [name for name in ("IG", "NSS", "CC", "AUC") if name in columns]
        tell(f"{', '.join(scores)}: on held-out images{', IG in bit per fixation' * ('IG' in columns)}")
