"""`foveal evaluate`, `foveal benchmark` and `foveal export`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveal.cli.console import can_write, progress_bars, show, tell
from foveal.cli.options import (
    DataRoot,
    DatasetName,
    Device,
    Limit,
    Metrics,
    Split,
    Strict,
    listed,
    metrics_of,
    range_of,
    tell_problems,
)
from foveal.errors import FovealError

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    dataset: DatasetName,
    model: Annotated[str, typer.Option(help="Names of models or .safetensors files, separated by commas.")] = "",
    predictions: Annotated[
        list[Path] | None, typer.Option(help="A folder of maps, or an HDF5 file, to score; can be repeated.")
    ] = None,
    resize: Annotated[bool, typer.Option("--resize", help="Bring predicted maps to the size of their images.")] = False,
    data_root: DataRoot = None,
    metrics: Metrics = "all",
    limit: Limit = None,
    split: Split = None,
    window: Annotated[str | None, typer.Option(help="Only fixations that began in this time, ms: 0-1000.")] = None,
    order: Annotated[str | None, typer.Option(help="Only each observer's fixation 1, or 1-3, on an image.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Score saliency maps as computed, not calibrated.")] = False,
    against: Annotated[str | None, typer.Option(help="Also show how the others differ from this model.")] = None,
    device: Device = "cpu",
    strict: Strict = False,
    json: Annotated[Path | None, typer.Option(help="Write the table to this file.")] = None,
    per_image: Annotated[Path | None, typer.Option(help="Write values by image to this .csv or .parquet.")] = None,
) -> None:
    """Score models against real fixations: means over images and 95 % bootstrap intervals."""
    from foveal.benchmarking import Predictions, write_json, write_per_image
    from foveal.benchmarking import evaluate as run
    from foveal.benchmarking.results import check_per_image_format
    from foveal.files import make_writable_folder

    # What can go wrong with the files is said before the work, not after it.
    for path in (json, per_image):
        if path is not None:
            make_writable_folder(path.parent)
    if per_image is not None:
        check_per_image_format(per_image)
    given: list[str | Predictions] = [*listed(model)]
    given += [Predictions(path, resize=resize) for path in predictions or []]
    if not given:
        raise typer.BadParameter("needed, or --predictions", param_hint="--model")
    if against is not None and against not in [getattr(one, "name", one) for one in given]:
        raise typer.BadParameter(f"{against!r} is not among the models", param_hint="--against")
    in_window = numbers = None
    if window is not None:
        start, stop = range_of(window, r"\d+(?:\.\d+)?", "START-STOP in ms, such as 0-1000", "--window")
        in_window = float(start), float(stop)
    if order is not None:
        first, last = range_of(order, r"[1-9]\d*", "a number such as 1, or FIRST-LAST such as 1-3", "--order")
        numbers = int(first), int(last)
    with progress_bars() as report:
        results = run(
            given,
            dataset,
            metrics_of(metrics),
            data_root=data_root,
            split=split,
            limit=limit,
            window=in_window,
            order=numbers,
            raw=raw,
            device=device,
            progress=report,
        )
    try:
        if json is not None:
            write_json(results, json)
        if per_image is not None:
            write_per_image(results.per_image, per_image)
    finally:  # what was computed is seen also where it cannot be kept
        _show(results, metrics_of(metrics), str(results["dataset"].iloc[0]))
    if against is not None:
        title = f"difference from {against}, on the same images"
        _show(results.against(against), metrics_of(metrics), title, of_differences=True)
    tell_problems(results.problems, strict=strict)


def benchmark(
    out: Annotated[Path, typer.Option(help="Folder for report.html, results.csv and results.json.")],
    models: Annotated[str, typer.Option(help="Names of models or .safetensors files; all, by default.")] = "all",
    datasets: Annotated[str, typer.Option(help="Names of data sets or folders; by default, all found here.")] = "all",
    data_root: DataRoot = None,
    metrics: Metrics = "all",
    limit: Limit = None,
    split: Split = None,
    device: Device = "cpu",
    strict: Strict = False,
) -> None:
    """Score models on data sets and write a report; started again, it goes on where it was."""
    from foveal.benchmarking import benchmark as run
    from foveal.datasets import is_found, list_datasets
    from foveal.models import ready_models

    if datasets == "all":
        chosen = [name for name in list_datasets() if is_found(name, data_root)]
        if not chosen:
            raise FovealError("no data set is found here (set --data-root or FOVEAL_DATA, or give --datasets)")
    else:
        chosen = listed(datasets)
    with progress_bars() as report:
        done = run(
            ready_models() if models == "all" else listed(models),
            chosen,
            out,
            metrics_of(metrics),
            data_root=data_root,
            split=split,
            limit=limit,
            device=device,
            progress=report,
        )
    for dataset, table in done.results.groupby("dataset", sort=False):
        _show(table, metrics_of(metrics), str(dataset))
    tell(f"report: {done.out / 'report.html'}")
    tell_problems(done.results.problems, strict=strict)


def export(
    model: Annotated[str, typer.Option(help="Name of a model or a .safetensors file.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    dataset: Annotated[
        str | None, typer.Option(help="tuebingen: a name that `foveal datasets` lists, or a folder.")
    ] = None,
    format: Annotated[  # noqa: A002
        str, typer.Option(help="tuebingen: HDF5 of log densities for a data set. onnx: the model itself.")
    ] = "tuebingen",
    size: Annotated[str, typer.Option(help="onnx: WIDTHxHEIGHT of the images.")] = "640x480",
    ppd: Annotated[float | None, typer.Option(help="onnx: pixels per degree of visual angle, if known.")] = None,
    data_root: DataRoot = None,
    device: Device = "cpu",
    strict: Strict = False,
) -> None:
    """Write a model's predictions for a data set in a benchmark's format, or the model for other programs."""
    if format == "onnx":
        _export_onnx(model, out, size, ppd)
        return
    if ppd is not None:
        raise typer.BadParameter("only for --format onnx; a data set says its own", param_hint="--ppd")
    if dataset is None:
        raise typer.BadParameter(f"needed for --format {format}; onnx needs none", param_hint="--dataset")
    from foveal.benchmarking import export as run

    with progress_bars() as report:
        done = run(model, dataset, out, format=format, data_root=data_root, device=device, progress=report)
    tell(f"{done.path}: log densities of {done.n_images} images")
    tell_problems(done.problems, strict=strict)


def _export_onnx(model: str, out: Path, size: str, ppd: float | None) -> None:
    from foveal.interop.onnx import export_onnx
    from foveal.models import load_model

    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", size)
    if match is None:
        raise typer.BadParameter(f"WIDTHxHEIGHT, such as 640x480, not {size!r}", param_hint="--size")
    width, height = (int(side) for side in match.groups())
    loaded = load_model(model)
    loaded.make_ready()
    done = export_onnx(loaded, out, (height, width), ppd)
    tell(f"{done.path}: {loaded.name} for images of {width} x {height} px")
    tell(f"its log densities differ from PyTorch's by at most {done.largest_difference:.1g}")


def _show(results: "pd.DataFrame", metrics: list[str] | str, title: str, *, of_differences: bool = False) -> None:
    """A table of results, one section a model, with what is needed to read its numbers."""
    from foveal.benchmarking.results import digits_of, in_digits, in_order, short_names
    from foveal.metrics import get_metrics

    high, low = ("↑", "↓") if can_write("↑↓") else ("(high)", "(low)")
    shown = short_names(list(dict.fromkeys(results["model"])))
    known = get_metrics([name for name in in_order(metrics) if name in set(results["metric"])])
    digits = {metric.name: digits_of(results[results["metric"] == metric.name]) for metric in known}
    n_images = set(results["n_images"])
    per_image = getattr(results, "per_image", None)  # of scores; differences are of the images that two models share
    images = {frozenset(table) for _, table in per_image.groupby("model")["image"]} if per_image is not None else set()
    same = len(n_images) == 1 and len(images) <= 1
    sections = []
    for model in shown:
        rows = []
        of_model = {row["metric"]: row for row in results[results["model"] == model].to_dict(orient="records")}
        for metric in known:
            if metric.name not in of_model:
                continue
            row = of_model[metric.name]
            value, lowest, highest = (
                in_digits(row[key], digits[metric.name]) for key in ("value", "ci_low", "ci_high")
            )
            chance = "" if metric.chance is None or of_differences else f"{metric.chance:g}"
            cells = [shown[model], f"{metric.name} {high if metric.higher_is_better else low}", value]
            cells += [f"{lowest} … {highest}" if row["ci_low"] < row["ci_high"] else "", metric.unit, chance]
            rows.append(cells if same else [*cells, str(row["n_images"])])
        sections.append(rows)
    columns = ["model", "metric", "value", "95 % interval", "unit", "chance"]
    show(
        columns if same else [*columns, "images"],
        *sections,
        title=f"{title}, {n_images.pop()} images" if same else title,
    )
