"""`foveal train`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, say
from foveal.cli.options import DataRoot, Split, listed, tell_problems


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
        int | None, typer.Option(help="Also measure on held-out images, in so many parts (by a recipe: 10).")
    ] = None,
    leave_out: Annotated[
        str, typer.Option(help="deepgaze1: what folds leave out, images or subjects (each subject in turn).")
    ] = "images",
    backbone: Annotated[str | None, typer.Option(help="deepgaze1: the network (see `foveal weights list`).")] = None,
    layers: Annotated[str, typer.Option(help="deepgaze1: names of its layers, separated by commas.")] = "",
    penalty: Annotated[float, typer.Option(help="deepgaze1: lambda, what sparsity of the weights is worth.")] = 0.001,
    optimizer: Annotated[str, typer.Option(help="deepgaze1: lbfgs, sfo or adam.")] = "lbfgs",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    seed: Annotated[int, typer.Option(help="Of what is learned from first values or samples by chance.")] = 0,
) -> None:
    """Fit a model, or the calibration of a saliency map, to fixations; or train a deep model by a recipe.

    With --dataset, foveal-s and foveal-l are calibrated, in minutes; without, trained from the beginning by their own
    recipes, in hours.
    """
    from foveal.training.recipe import published_recipes

    if model.endswith(".toml") or (dataset is None and model in published_recipes()):
        not_of_recipes = {
            "--dataset": dataset is not None,
            "--split": split is not None,
            "--leave-out": leave_out != "images",
            "--backbone": backbone is not None,
            "--layers": layers != "",
            "--penalty": penalty != 0.001,
            "--optimizer": optimizer != "lbfgs",
            "--seed": seed != 0,
        }
        for option, is_given in not_of_recipes.items():
            if is_given:
                raise typer.BadParameter("not with a recipe, which says it itself", param_hint=option)
        _train_by_recipe(model, out, data_root, folds, resume)
        return
    if dataset is None:
        raise typer.BadParameter("needed, unless a recipe is given", param_hint="--dataset")
    from foveal.training import train as run

    with progress_bars() as report:
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
            resume=resume,
            seed=seed,
            progress=report,
        )
    typer.echo(f"{result.model} fitted to {result.n_images} images of {result.dataset} (licence: {result.licence})")
    typer.echo("log-likelihood above uniform, bit per fixation:")
    typer.echo(f"  of the centre bias, each image left out in turn     {result.center_bias_log_likelihood:8.4f}")
    typer.echo(f"  of the model, on the images that it was fitted to   {result.log_likelihood:8.4f}")
    if result.held_out_log_likelihood is None:
        typer.echo("  (on new images it will be lower: of most models, --folds 10 measures how much)")
    else:
        what = "subjects (same images)" if leave_out == "subjects" else "images"
        typer.echo(f"  of the model, on held-out {what:22}    {result.held_out_log_likelihood:8.4f}")
        if result.held_out_log_likelihood < result.center_bias_log_likelihood:
            typer.echo("  (worse than the centre bias: it needs more images, or of deepgaze1 a larger --penalty)")
    typer.echo(f"weights: {result.path}")
    tell_problems(result.problems)


def _train_by_recipe(path: str, out: Path, data_root: Path | None, folds: int | None, resume: bool) -> None:
    from foveal.training import train_by_recipe
    from foveal.training.recipe import FOLDS

    if folds not in (None, FOLDS):
        raise typer.BadParameter(f"a recipe has {FOLDS} folds", param_hint="--folds")
    is_main_process = os.environ.get("RANK", "0") == "0"  # as torch's and accelerate's launchers say
    try:
        with progress_bars(as_lines=is_main_process) as report:
            result = train_by_recipe(
                path, out=out, data_root=data_root, cross_validated=folds is not None, resume=resume, progress=report
            )
    except KeyboardInterrupt:
        if is_main_process:
            say(f"stopped; the same command with --resume goes on after the last whole epoch in {out}")
        raise
    if folds is not None:
        typer.echo(f"densities of held-out images: {out / 'held_out'} (foveal evaluate --predictions FILE --resize)")
    judged = "IG" in result.log[-1]
    typer.echo(f"epoch      loss{'   IG, held-out images, bit per fixation' * judged}")
    for row in result.log:
        typer.echo(f"{row['epoch']:5}  {row['loss']:8.4f}" + (f"   {row['IG']:8.4f}" if judged else ""))
    typer.echo(f"weights: {result.path}")
    tell_problems(result.problems)
