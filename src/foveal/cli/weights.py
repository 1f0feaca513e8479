"""`foveal weights`: pretrained backbones, what there is and how it gets here."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import progress_bars, show, tell

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Weights of backbones: list them, install one.")


@app.command("list")
def list_weights() -> None:
    """List every backbone: where its weights come from, their licence, installed or not."""
    from foveal.models.backbones.catalogue import CATALOGUE, installed_path, packaged_path, weights_folder

    rows = []
    for name, weights in CATALOGUE.items():
        packages = [source.package for source in weights.sources if source.package]
        urls = ["yes" for source in weights.sources if source.url]
        otherwise = "in the package" if packaged_path(name).is_file() else "no"
        installed = "yes" if installed_path(name).is_file() else otherwise
        rows.append((name, installed, urls[0] if urls else "no", packages[0] if packages else "no", weights.licence))
    show(("backbone", "installed", "from the network", "from packages", "licence"), rows)
    tell(f"folder: {weights_folder()}")


@app.command("install")
def install(
    name: Annotated[str, typer.Argument(help="A backbone that `foveal weights list` lists.")],
    file: Annotated[Path | None, typer.Option("--from", help="A file that holds them already.")] = None,
    from_packages: Annotated[bool, typer.Option("--from-packages", help="Get them from a package.")] = False,
) -> None:
    """Get a backbone's weights, check their hash, and put them where models look."""
    from foveal.models.backbones.installation import install_weights

    with progress_bars() as report:
        path = install_weights(name, file=file, from_packages=from_packages, progress=report)
    tell(f"{name}: {path}")
