"""Pages on the command line, in a real browser."""

import csv
import shutil

import pytest

from foveal.interop.browser import BROWSERS

PAGE = """<!doctype html><meta charset="utf-8">
<h1>The head</h1><button style="width: 90px; height: 40px; background: red">Buy now</button>"""

LONG_PAGE = (
    PAGE
    + """<style>body {margin: 0; height: 1000px} a {position: absolute; width: 80px; left: 9px}</style>
<a href="#x" style="top: 350px; height: 20px">A link</a>
<a href="#x" style="top: 930px; height: 60px; background: yellow">Contact</a>"""
)

needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)), reason="no browser on this machine (chromium or google-chrome)"
)


@needs_browser
def test_pages_and_the_attention_that_their_elements_get(foveal, tmp_path):
    pytest.importorskip("playwright", reason="the extra `capture` is not installed")
    (tmp_path / "shop.html").write_text(PAGE)
    call = ("attention", "shop.html", "--model", "image-signature", "--out", "o", "--viewport", "400x300")
    code, out, err = foveal(*call, "--fail-under", "Buy now=0.99")
    assert code == 1
    assert "shop: Buy now gets" in err
    assert "The head" in out
    assert (tmp_path / "o/shop.attention.png").is_file()
    code, out, _ = foveal("capture", "shop.html", "--viewport", "400x300,300x500", "--out", "c")
    assert code == 0
    assert out.count("(2 elements)") == 2
    assert (tmp_path / "c/300x500/shop.png").is_file()


@needs_browser
def test_the_screens_of_a_page(foveal, tmp_path):
    pytest.importorskip("playwright", reason="the extra `capture` is not installed")
    (tmp_path / "shop.html").write_text(LONG_PAGE)
    call = ("attention", "shop.html", "--full-page", "--model", "image-signature", "--out", "o")
    code, out, err = foveal(*call, "--viewport", "400x300", "--fail-under", "Buy now=0", "--fail-under", "Contact=0.99")
    assert code == 1
    assert "error: shop.4: Contact gets" in err
    assert err.count("error") == 1
    for number in range(1, 5):
        assert (tmp_path / f"o/shop.{number}.attention.json").is_file()
    assert "shop.3: Half of the attention is on" in out  # nothing but background
    assert "shop, screen by screen" in out
    with (tmp_path / "o/shop.attention.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["screen"], row["name"]) for row in rows] == [
        ("1", "The head"), ("1", "Buy now"), ("2", "A link"), ("4", "Contact")
    ]  # fmt: skip
    assert rows[3]["picture"] == "shop.4"


def test_a_call_that_is_wrong(foveal, tmp_path):
    code, _, err = foveal("capture", "shop.html", "--viewport", "400")
    assert (code, "WIDTHxHEIGHT" in err) == (2, True)
    code, _, err = foveal("capture", "none.html")
    assert (code, "none.html: no such file" in err) == (2, True)
    for arguments, line in {
        ("shop.png",): "shop.png is no page",
        ("shop.html", "--baseline", "a.json", "--against", "b.html"): "leave out --against, --baseline",
    }.items():
        code, _, err = foveal("attention", *arguments, "--full-page", "--model", "image-signature")
        assert (code, line in err) == (2, True)
