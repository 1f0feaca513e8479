"""Pages as pictures: a page in a browser, photographed, with the boxes of its elements as regions."""

import csv
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foveal.errors import FovealError, FovealNote, first_line
from foveal.files import make_writable_folder, write_atomically
from foveal.paths import safe_file_name

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

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
    return _is_address(text) or Path(text).suffix.lower() in (".html", ".htm")


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def capture(
    page: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    viewport: tuple[int, int] = VIEWPORT,
    full_page: bool = False,
) -> list[Screen]:
    """Photograph a page, and write down where its elements are.

    Elements are headings, buttons, links, images, blocks of text and form fields of which something can be seen: what
    lies under something else, or is cut off, is left out. Each is called by its text.

    Parameters
    ----------
    page
        A file of HTML, or an address that begins with http.
    out
        Folder for `<name>.png` and `<name>.regions.csv`.
    viewport
        Width and height of the window, in px.
    full_page
        The whole page, screen by screen from above; their files end in numbers. An element that was seen from top to
        bottom on one screen is not listed with a later one.

    Raises
    ------
    FovealError
        If Playwright or a browser is not installed, or the page cannot be loaded.
    """
    address = _address(page)
    folder = make_writable_folder(out)
    name = safe_file_name(_name_of(page))
    with open_browser() as browser:
        window = browser.new_page(viewport={"width": viewport[0], "height": viewport[1]})
        window.set_default_timeout(LONGEST_WAIT)
        with _in_one_line(address):
            _open(window, address)
            n_screens = _n_screens(window, viewport[1]) if full_page else 1
            begun = [folder / (f"{name}.{number + 1}" if full_page else name) for number in range(n_screens)]
            return [_screen(window, number * viewport[1], path) for number, path in enumerate(begun)]


def _name_of(page: str | os.PathLike[str]) -> str:
    """What the files of a page are called: the stem of a file, or all of an address.

    >>> _name_of("shops/a.html"), _name_of("https://example.org/tea/")
    ('a', 'example.org/tea')
    """
    text = os.fspath(page)
    return text.split("://", 1)[1].rstrip("/") if _is_address(text) else Path(text).stem


def _n_screens(window: "Page", height: int) -> int:
    whole = int(_said(window, "() => document.documentElement.scrollHeight"))
    n_screens = max(1, -(-whole // height))
    if n_screens > MOST_SCREENS:
        warnings.warn(f"the page has {n_screens} screens; the first {MOST_SCREENS} are taken", FovealNote, stacklevel=3)
    return min(MOST_SCREENS, n_screens)


def _screen(window: "Page", scrolled: int, begun: Path) -> Screen:
    _said(window, f"() => window.scrollTo({{top: {scrolled}, behavior: 'instant'}}) ?? true")
    script = resources.files("foveal.interop").joinpath("elements.js").read_text(encoding="utf-8")
    elements: list[dict[str, Any]] = _said(window, script)
    picture, regions = begun.with_name(f"{begun.name}.png"), begun.with_name(f"{begun.name}.regions.csv")
    with write_atomically(picture) as temporary:
        temporary.write_bytes(window.screenshot(animations="disabled"))
    with write_atomically(regions) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([element[column] for column in COLUMNS] for element in elements)
    return Screen(picture, regions, len(elements))


def _said(window: "Page", script: str) -> Any:
    """What a function of the page returns; unlike `evaluate`, not waited for forever if the page never rests."""
    return window.wait_for_function(f"() => ({{ said: ({script})() }})").json_value()["said"]


def _address(page: str | os.PathLike[str]) -> str:
    if _is_address(os.fspath(page)):
        return os.fspath(page)
    path = Path(page)
    if not path.is_file():
        raise FovealError(f"{path}: no such file")
    return path.resolve().as_uri()


def _open(window: "Page", address: str) -> None:
    answer = window.goto(address, wait_until="load")
    if answer is not None and not answer.ok:
        raise FovealError(f"{address}: the page cannot be loaded ({answer.status} {answer.status_text})".rstrip())
    window.wait_for_function("() => document.fonts.status === 'loaded'")


@contextmanager
def _in_one_line(address: str) -> Iterator[None]:
    from playwright.sync_api import Error

    try:
        yield
    except Error as error:
        raise FovealError(f"{address}: the page cannot be captured ({first_line(error)})") from None


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """The system's browser if there is one, else Playwright's own."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise FovealError("pages need Playwright: pip install 'foveal[capture]'") from None

    installed = [path for path in map(shutil.which, BROWSERS) if path]
    # As root, Chromium does not start in its sandbox.
    arguments = [*QUIET, *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    try:
        started = sync_playwright().start()
    except Error as error:
        raise FovealError(f"Playwright does not start ({first_line(error)})") from None
    try:
        browser = _launched(started, [*installed, None], arguments)
        try:
            yield browser
        finally:
            browser.close()
    finally:
        started.stop()


def _launched(playwright: "Playwright", paths: Sequence[str | None], arguments: list[str]) -> "Browser":
    """The first browser of these that starts; None is Playwright's own."""
    from playwright.sync_api import Error

    lines = []
    for path in paths:
        try:
            return playwright.chromium.launch(executable_path=path, args=arguments)
        except Error as error:
            lines.append(first_line(error))
    raise FovealError(f"no browser starts: install Chromium, or `playwright install chromium` ({lines[0]})")
