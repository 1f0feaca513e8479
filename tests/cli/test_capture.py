"""Pages on the command line, in a real browser."""

import shutil

import pytest

from foveal.interop.browser import BROWSERS

PAGE = """<!doctype html><meta charset="utf-8">
<h1>The head</h1><button style="width: 90px; height: 40px; background: red">Buy now</button>"""


@pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)), reason="no browser on this machine (chromium or google-chrome)"
)
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


def test_a_call_that_is_wrong(foveal, tmp_path):
    code, _, err = foveal("capture", "shop.html", "--viewport", "400")
    assert (code, "WIDTHxHEIGHT" in err) == (2, True)
    code, _, err = foveal("capture", "none.html")
    assert (code, "none.html: no such file" in err) == (2, True)
