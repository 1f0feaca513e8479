"""Pages as pictures: a page in a browser, photographed, with the boxes of its elements as regions."""

import csv
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foveal.errors import FovealError, first_line
from foveal.files import make_writable_folder, write_atomically
from foveal.paths import safe_file_name

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VIEWPORT = 1280, 800  # width and height, px
LONGEST_WAIT = 30_000  # ms, for a page to be loaded
MOST_SCREENS = 50
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
COLUMNS = ("name", "kind", "x", "y", "width", "height")


@dataclass(frozen=True)
class Screen:
    """One picture of a page.

    Attributes
    ----------
    picture, regions
        Paths of the PNG, and of the table of its elements, as `read_picture_regions` reads it.
    n_elements
        Number of its elements.
    """

    picture: Path
    regions: Path
    n_elements: int


def is_page(source: str | os.PathLike[str]) -> bool:
    """Is it an address, or a file of HTML?

    >>> [is_page(source) for source in ("https://example.org/a", "shop.html", "shop.png")]
    [True, True, False]
    """
    text = os.fspath(source)
    return text.startswith(("http://", "https://")) or Path(text).suffix.lower() in (".html", ".htm")


def capture(
    page: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    viewport: tuple[int, int] = VIEWPORT,
    full_page: bool = False,
) -> list[Screen]:
    """Photograph a page, and write down where its elements are.

    Elements are headings, buttons, links, images, blocks of text and form fields that can be seen. Each is called by
    its text.

    Parameters
    ----------
    page
        A file of HTML, or an address that begins with http.
    out
        Folder for `<name>.png` and `<name>.regions.csv`.
    viewport
        Width and height of the window, in px.
    full_page
        The whole page, screen by screen from above; their files end in numbers.

    Raises
    ------
    FovealError
        If Playwright or a browser is not installed, or the page cannot be loaded.
    """
    address = _address(page)
    folder = make_writable_folder(out)
    name = safe_file_name(Path(os.fspath(page).rstrip("/")).stem or "page")
    with _browser() as browser, _opened(browser, address, viewport) as opened:
        height = int(opened.evaluate("document.documentElement.scrollHeight"))
        n_screens = min(MOST_SCREENS, max(1, -(-height // viewport[1]))) if full_page else 1
        return [
            _screen(opened, number * viewport[1], folder / (f"{name}.{number + 1}" if full_page else name))
            for number in range(n_screens)
        ]


def _screen(page: "Page", scrolled: int, begun: Path) -> Screen:
    page.evaluate("top => window.scrollTo({top, behavior: 'instant'})", scrolled)
    script = resources.files("foveal.interop").joinpath("elements.js").read_text(encoding="utf-8")
    elements: list[dict[str, Any]] = page.evaluate(script)
    picture, regions = begun.with_name(f"{begun.name}.png"), begun.with_name(f"{begun.name}.regions.csv")
    with write_atomically(picture) as temporary:
        temporary.write_bytes(page.screenshot(animations="disabled"))
    with write_atomically(regions) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([element[column] for column in COLUMNS] for element in elements)
    return Screen(picture, regions, len(elements))


def _address(page: str | os.PathLike[str]) -> str:
    if os.fspath(page).startswith(("http://", "https://")):
        return os.fspath(page)
    path = Path(page)
    if not path.is_file():
        raise FovealError(f"{path}: no such file")
    return path.resolve().as_uri()


@contextmanager
def _opened(browser: "Browser", address: str, viewport: tuple[int, int]) -> Iterator["Page"]:
    from playwright.sync_api import Error

    page = browser.new_page(viewport={"width": viewport[0], "height": viewport[1]})
    try:
        page.goto(address, timeout=LONGEST_WAIT, wait_until="load")
        page.evaluate("document.fonts.ready")
    except Error as error:
        raise FovealError(f"{address}: the page cannot be loaded ({first_line(error)})") from None
    try:
        yield page
    finally:
        page.close()


@contextmanager
def _browser() -> Iterator["Browser"]:
    """The system's browser if there is one, else Playwright's own."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise FovealError("pages need Playwright: pip install 'foveal[capture]'") from None

    installed = next(filter(None, map(shutil.which, BROWSERS)), None)
    # As root, Chromium does not start in its sandbox.
    arguments: Sequence[str] = [*QUIET, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=list(arguments))
        except Error as error:
            raise FovealError(f"no browser starts: playwright install chromium ({first_line(error)})") from None
        try:
            yield browser
        finally:
            browser.close()
