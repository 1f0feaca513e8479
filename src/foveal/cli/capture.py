"""`foveal capture`."""

from pathlib import Path
from typing import Annotated

import typer

from foveal.cli.console import tell
from foveal.cli.options import listed, pair_of

Viewport = Annotated[str, typer.Option(help="WIDTHxHEIGHT of the window in px.")]


def capture(
    page: Annotated[str, typer.Argument(help="A file of HTML, or an address.", metavar="PAGE.html|ADDRESS")],
    viewport: Annotated[
        str, typer.Option(help="WIDTHxHEIGHT of the window in px; several, separated by commas, have their own files.")
    ] = "1280x800",
    full_page: Annotated[
        bool, typer.Option("--full-page", help="The whole page, screen by screen from above.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for the pictures and the tables of elements.")] = Path("out"),
) -> None:
    """Photograph a page, and write down where its headings, buttons, links, images, texts and fields are.

    Writes OUT/<name>.png and OUT/<name>.regions.csv; with several sizes below OUT/WIDTHxHEIGHT.
    """
    from foveal.interop.browser import capture as run

    sizes = listed(viewport)
    for size in sizes:
        folder = out / size if len(sizes) > 1 else out
        for screen in run(page, folder, viewport=viewport_of(size), full_page=full_page):
            tell(f"{screen.picture} ({screen.n_elements} elements)", str(screen.regions))


def viewport_of(text: str) -> tuple[int, int]:
    """Width and height of "1280x800".

    Raises
    ------
    typer.BadParameter
        If it is none.
    """
    return pair_of(text, r"[1-9]\d{1,3}", "WIDTHxHEIGHT, such as 1280x800", "--viewport")
