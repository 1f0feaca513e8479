"""Pages in a real browser: what is photographed, and where the elements are said to be."""

import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from foveal.datasets.picture_regions import read_picture_regions
from foveal.errors import FovealError
from foveal.interop import browser
from foveal.interop.browser import capture

pytest.importorskip("playwright", reason="the extra `capture` is not installed")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, browser.BROWSERS)), reason="no browser on this machine (chromium or google-chrome)"
)

PAGE = """<!doctype html><meta charset="utf-8"><style>
body {margin: 0} * {box-sizing: border-box}
.at {position: absolute; border: 0; padding: 0; margin: 0; overflow: hidden}
</style>
<button class="at" style="left: 40px; top: 30px; width: 120px; height: 50px; background: #fa0a0a">Buy now</button>
<h1 class="at" style="left: 200px; top: 20px; width: 100px; height: 40px">The head</h1>
<input class="at" placeholder="Search" style="left: 10px; top: 100px; width: 90px; height: 20px">
<img class="at" alt="a logo" src="data:," style="left: -20px; top: 150px; width: 60px; height: 30px">
<a href="#x" class="at" style="left: 300px; top: 200px; width: 50px; height: 20px; display: none">hidden</a>
<a href="#x" class="at" style="left: 300px; top: 200px; width: 50px; height: 20px; opacity: 0">clear</a>
<button class="at" style="left: 300px; top: 240px; width: 60px; height: 30px">Covered</button>
<div class="at" style="left: 290px; top: 230px; width: 90px; height: 50px; background: white"></div>
<div class="at" style="left: 200px; top: 240px; width: 60px; height: 30px">
<p style="margin: 0; width: 500px; height: 10px">Cut off</p><p style="margin: 60px 0 0">Below the edge</p></div>
<li role="button" value="5" class="at" style="left: 150px; top: 200px; width: 20px; height: 20px"></li>
<a href="#x" class="at" style="left: 0; top: 440px; width: 90px; height: 30px">Seen already</a>
<h2 class="at" style="left: 0; top: 590px; width: 90px; height: 30px">Cut in two</h2>
<p class="at" style="left: 0; top: 700px; width: 100px; height: 30px">Far below</p>
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "shop.html"
    path.write_text(PAGE)
    return path


def boxes(screen):
    rows = [line.split(",") for line in screen.regions.read_text().splitlines()[1:]]
    return {name: (kind, *map(float, sides)) for name, kind, *sides in rows}


def words_within(kind, left, top, width, height):
    """A box of words: from the left side of their element on, not beyond it; letters differ from machine to machine."""

    class Within(tuple):
        __slots__ = ()
        __hash__ = tuple.__hash__

        def __eq__(self, other):
            found, x, y, across, down = other
            inside = x + across <= left + width and top <= y and y + down <= top + height and 0 < across < width
            return (found, x) == (kind, left) and inside

    return Within()


def test_elements_lie_where_the_picture_shows_them(page, tmp_path):
    [screen] = capture(page, tmp_path, viewport=(400, 300))
    assert boxes(screen) == {
        "The head": words_within("heading", 200, 20, 100, 40),
        "Buy now": ("button", 40, 30, 120, 50),
        "Search": ("field", 10, 100, 90, 20),
        "a logo": ("image", 0, 150, 40, 30),
        "5": ("button", 150, 200, 20, 20),
        "Cut off": words_within("text", 200, 240, 60, 30),
    }
    pixels = np.asarray(Image.open(screen.picture).convert("RGB"))
    assert pixels.shape == (300, 400, 3)
    button = next(region for region in read_picture_regions(screen.regions, screen.picture) if region.name == "Buy now")
    red = pixels.astype(int) @ [1, -1, 0] > 200
    rows, columns = button.pixels((300, 400))
    assert red[rows, columns].mean() > 0.85  # the rest are letters
    assert red.sum() == red[rows, columns].sum()


def test_a_page_screen_by_screen(page, tmp_path):
    screens = capture(page, tmp_path, viewport=(400, 300), full_page=True)
    assert [screen.picture.name for screen in screens] == ["shop.1.png", "shop.2.png", "shop.3.png"]
    assert boxes(screens[1]) == {
        "Seen already": words_within("link", 0, 140, 90, 30),
        "Cut in two": words_within("heading", 0, 290, 90, 10),
    }
    # The last screen ends with the page; what was seen whole above is not listed again.
    assert boxes(screens[2]) == {
        "Cut in two": words_within("heading", 0, 160, 90, 30),
        "Far below": words_within("text", 0, 270, 100, 30),
    }
    assert [screen.n_elements for screen in screens] == [6, 2, 2]


def test_a_page_that_cannot_be_loaded(tmp_path, monkeypatch):
    with pytest.raises(FovealError, match=r"none\.html: no such file"):
        capture(tmp_path / "none.html", tmp_path)
    with pytest.raises(FovealError, match=r"^http://127\.0\.0\.1:1/: the page cannot be captured \(.*\)$"):
        capture("http://127.0.0.1:1/", tmp_path)
    monkeypatch.setattr(browser, "LONGEST_WAIT", 3000)
    hanging = tmp_path / "hanging.html"
    hanging.write_text("<p>text</p><script>onload = () => setTimeout(() => { for (;;); })</script>")
    with pytest.raises(FovealError, match=r"hanging\.html: the page cannot be captured \(.*3000ms.*\)$"):
        capture(hanging, tmp_path)


def test_an_address_that_answers_with_an_error(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(FovealError, match=r"/none: the page cannot be loaded \(404 .*\)$"):
            capture(f"http://127.0.0.1:{server.server_port}/none", tmp_path)
    finally:
        server.shutdown()
        server.server_close()
