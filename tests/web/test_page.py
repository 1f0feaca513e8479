"""The page in a real browser: what a visitor does, with the mouse and with the keyboard alone."""

import io
import json
import shutil
import threading
import time

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from toy import make_dataset, make_photograph
from visitors import MODEL, encoded

import foveal
from foveal.analysis.attention_files import write_attention
from foveal.interop import browser
from foveal.web import app as server
from foveal.web.app import create_app, listen

playwright = pytest.importorskip("playwright.sync_api", reason="the extra `capture` is not installed")
pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, browser.BROWSERS)), reason="no browser on this machine (chromium or google-chrome)"
)

SIZE = 240, 320


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a benchmark of two models."""
    folder = tmp_path_factory.mktemp("reports") / "bench"
    foveal.benchmark(["centerbias", "uniform"], [make_dataset(n_images=4)], out=folder)
    return folder


@pytest.fixture(scope="module")
def address(report):
    app = create_app(model=MODEL, reports=[report])
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.serve, args=(app, listening), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        app.state.stop()
        thread.join(10)


@pytest.fixture(scope="module")
def chromium():
    with browser.open_browser() as opened:
        yield opened


@pytest.fixture
def page(address, chromium):
    """A new visitor, who has stored nothing yet. Errors in the page's own scripts fail the test."""
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        visited = context.new_page()
        errors = []
        visited.on("pageerror", lambda error: errors.append(error))
        visited.goto(address)
        visited.wait_for_selector(".example")
        yield visited
        assert not errors


@pytest.fixture(scope="module")
def photograph_of():
    return {name: make_photograph(seed, SIZE) for seed, name in enumerate(("a.png", "b.png"))}


@pytest.fixture
def add(page, photograph_of):
    """Pick pictures, and wait until they are predicted and drawn."""

    def pick(*names: str) -> None:
        before = page.locator(".pick").count()
        files = [{"name": name, "mimeType": "image/png", "buffer": encoded(photograph_of[name])} for name in names]
        page.set_input_files("#files", files)
        wait_until(page, f"document.querySelectorAll('.pick').length === {before + len(names)}")
        wait_until(page, "document.querySelector('.overlay')?.dataset.of")
        page.wait_for_selector(".in-words")

    return pick


def wait_until(page, expression: str, seconds: float = 30.0) -> None:
    """Until a JavaScript expression is true; asked from outside, as the page's policy lets nothing be evaluated."""
    until = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < until, expression
        page.wait_for_timeout(20)


def draw_box(page, left: float, top: float, right: float, bottom: float) -> None:
    """A box, in px of the picture."""
    page.click("[data-tool=box]")
    canvas = page.locator(".canvas").bounding_box()
    x, y = (canvas[side] / of for side, of in (("width", SIZE[1]), ("height", SIZE[0])))
    page.mouse.move(canvas["x"] + left * x, canvas["y"] + top * y)
    page.mouse.down()
    page.mouse.move(canvas["x"] + (left + right) / 2 * x, canvas["y"] + (top + bottom) / 2 * y)
    page.mouse.move(canvas["x"] + right * x, canvas["y"] + bottom * y)
    page.mouse.up()


def kept_regions(page) -> list[dict]:
    """What the browser has stored of the pictures, when it has come to rest."""
    page.wait_for_timeout(600)
    return page.evaluate(
        """() => new Promise((resolve) => {
          const request = indexedDB.open("foveal", 1);
          request.onsuccess = () => {
            const all = request.result.transaction("pictures").objectStore("pictures").getAll();
            all.onsuccess = () => { request.result.close(); resolve(all.result.flatMap((one) => one.regions)); };
          };
        })"""
    )


def share_of(photograph: np.ndarray, box: list[float]) -> float:
    prediction = foveal.load_model(MODEL).predict(photograph)
    return foveal.attention(prediction, [foveal.PictureRegion.box("region", *box)]).regions[0].share


def download(page, label: str) -> tuple[str, bytes]:
    with page.expect_download() as begun:
        page.get_by_role("button", name=f"Download {label}").click()
    with open(begun.value.path(), "rb") as file:  # noqa: PTH123
        return begun.value.suggested_filename, file.read()


def test_a_region_is_drawn_and_its_share_is_read(page, add, photograph_of):
    add("a.png")
    draw_box(page, 40, 50, 200, 150)
    page.wait_for_selector(".region-list .share:not(:empty)")
    [region] = kept_regions(page)
    assert region["box"] == pytest.approx([40, 50, 160, 100], abs=2)
    expected = share_of(photograph_of["a.png"], region["box"])
    assert page.inner_text(".region-list .share") == f"{100 * expected:.0f} %"
    assert page.input_value(".region-list .name") == "Region 1"
    assert page.locator(".region").get_attribute("aria-label").startswith(f"Region {100 * expected:.0f} % Region 1")


def test_a_region_is_moved_renamed_and_deleted(page, add, photograph_of):
    add("a.png")
    draw_box(page, 10, 10, 60, 60)
    page.fill(".name", "Logo")
    page.press(".name", "Enter")
    canvas = page.locator(".canvas").bounding_box()
    unit = canvas["width"] / SIZE[1]
    page.mouse.move(canvas["x"] + 40 * unit, canvas["y"] + 40 * unit)
    page.mouse.down()
    page.mouse.move(canvas["x"] + 140 * unit, canvas["y"] + 90 * unit, steps=4)
    page.mouse.up()
    [region] = kept_regions(page)
    assert region["name"] == "Logo"
    assert region["box"] == pytest.approx([110, 60, 50, 50], abs=2)
    text = share_text(share_of(photograph_of["a.png"], region["box"]))
    wait_until(page, f"document.querySelector('.share').textContent === '{text}'")
    page.get_by_role("button", name="Delete the region").click()
    page.wait_for_selector(".region", state="detached")
    assert kept_regions(page) == []


def share_text(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"


def test_a_polygon(page, add):
    add("a.png")
    page.click("[data-tool=polygon]")
    canvas = page.locator(".canvas").bounding_box()
    unit = canvas["width"] / SIZE[1]
    corners = [(50, 50), (200, 60), (120, 180)]
    for x, y in corners:
        page.mouse.click(canvas["x"] + x * unit, canvas["y"] + y * unit)
    page.mouse.click(canvas["x"] + 50 * unit, canvas["y"] + 50 * unit)  # the first corner again
    page.wait_for_selector(".region-list .share:not(:empty)")
    [region] = kept_regions(page)
    assert np.array(region["polygon"]) == pytest.approx(np.array(corners), abs=2)


def test_the_number_of_fixations(page, add, photograph_of):
    add("a.png")
    draw_box(page, 40, 50, 200, 150)
    page.wait_for_selector(".region-list .share:not(:empty)")
    [region] = kept_regions(page)
    prediction = foveal.load_model(MODEL).predict(photograph_of["a.png"])
    named = [foveal.PictureRegion.box("region", *region["box"])]
    [numbers] = foveal.analysis.attention.attention(prediction, named, range(1, 11)).regions
    for n in (1, 7, 10):
        page.locator("#n").fill(str(n))
        wait_until(page, f"document.querySelector('output').textContent.startsWith('{n} fixation')")
        assert page.inner_text(".seen").startswith(f"Seen by {100 * numbers.seen[n].probability:.0f} % of people")


def test_nothing_of_another_picture_or_model_is_shown_while_one_waits(page, add):
    add("a.png", "b.png")
    draw_box(page, 40, 50, 200, 150)
    page.wait_for_selector(".region-list .share:not(:empty)")
    waiting = []
    page.route("**/api/*", lambda route: waiting.append(route))
    page.select_option("#model", "spectral-residual")
    wait_until(page, "document.querySelector('.overlay').hidden")
    wait_until(page, "document.querySelector('.share').textContent === ''")
    assert "Predicting" in page.inner_text(".panel")
    for route in waiting:
        route.fulfill(status=422, json={"detail": "it failed"})
    wait_until(page, "document.querySelector('.panel .hint').textContent === 'it failed'")
    assert page.locator(".overlay").is_hidden()


def test_what_failed_is_not_asked_again_and_again(page, add):
    add("a.png")
    asked = []

    def fail(route):
        asked.append(route.request.url)
        route.fulfill(status=422, json={"detail": "it failed"})

    page.route("**/api/attention", fail)
    page.select_option("#model", "spectral-residual")
    wait_until(page, "document.querySelector('.panel .hint').textContent === 'it failed'")
    page.wait_for_timeout(500)
    assert len(asked) == 1


def test_a_region_at_the_border_stays_in_the_picture(page, add):
    add("a.png")
    draw_box(page, 250, 180, 319, 239)
    page.wait_for_selector(".region-list .share:not(:empty)")
    canvas = page.locator(".canvas").bounding_box()
    unit = canvas["width"] / SIZE[1]
    page.mouse.move(canvas["x"] + 250 * unit, canvas["y"] + 180 * unit)
    page.mouse.down()
    page.mouse.move(canvas["x"] + 400 * unit, canvas["y"] + 300 * unit, steps=3)
    page.mouse.up()
    [region] = kept_regions(page)
    x, y, width, height = region["box"]
    assert x + width <= SIZE[1]
    assert y + height <= SIZE[0]
    assert page.locator(".message").count() == 0


def test_what_is_forgotten_stays_forgotten(page, add):
    add("a.png")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Add region").click()
    page.get_by_role("button", name="Forget all pictures").click()  # before the region is stored
    page.wait_for_selector(".drop-zone")
    assert kept_regions(page) == []
    page.reload()
    page.wait_for_selector(".drop-zone")


def test_a_simulated_viewer_is_called_so(page, add):
    add("a.png")
    page.locator("#n").fill("4")
    page.get_by_role("button", name="Simulate").click()
    wait_until(page, "document.querySelectorAll('.fixation').length === 4")
    assert "not of a person" in page.inner_text(".simulation")
    first = page.locator(".path").get_attribute("points")
    page.get_by_role("button", name="Another viewer").click()
    wait_until(
        page, f"document.querySelector('.path') && document.querySelector('.path').getAttribute('points') !== '{first}'"
    )


def test_every_download_opens_again(page, add, photograph_of, tmp_path):
    add("a.png")
    prediction = foveal.load_model(MODEL).predict(photograph_of["a.png"])
    name, content = download(page, "PNG:")
    assert name == "a.overlay.png"
    assert content == prediction.save(tmp_path, ["overlay"])["overlay"].read_bytes()  # as `foveal predict` writes it
    draw_box(page, 40, 50, 200, 150)
    page.wait_for_selector(".region-list .share:not(:empty)")
    [region] = kept_regions(page)
    named = [foveal.PictureRegion.box("Region 1", *region["box"])]
    written = write_attention(prediction, named, foveal.attention(prediction, named), tmp_path)
    assert download(page, "PNG:")[1] == written[-1].read_bytes()  # as `foveal attention` writes it
    name, content = download(page, "PNG 2×")
    assert name == "a.overlay@2x.png"
    assert Image.open(io.BytesIO(content)).width == 2 * SIZE[1]
    name, content = download(page, "SVG")
    assert name == "a.overlay.svg"
    assert content.startswith(b"<?xml")
    assert content.count(b"<path") > 3  # the region's line and its rim, and its label
    name, content = download(page, "PDF report")
    assert name == "a.attention.pdf"
    assert content.startswith(b"%PDF")
    name, content = download(page, "CSV")
    table = pd.read_csv(io.BytesIO(content))
    assert (name, table["name"].tolist()) == ("a.attention.csv", ["Region 1"])
    name, content = download(page, "JSON")
    told = json.loads(content)
    assert (name, told["schema"]) == ("a.attention.json", "foveal.attention/1")
    assert told["regions"][0]["share"] == pytest.approx(table["share"][0], rel=1e-4)


def test_a_against_b(page, add):
    add("a.png", "b.png")
    page.click("[data-tab=compare]")
    page.wait_for_selector(".difference")
    assert page.locator(".side").count() == 2
    assert "Regions with the same names" in page.inner_text(".compare-results")
    page.click("[data-tab=picture]")
    for number in (1, 2):
        page.locator(".pick").nth(number - 1).click()
        page.wait_for_selector(".in-words")
        page.get_by_role("button", name="Add region").click()
        page.wait_for_selector(".region-list .share:not(:empty)")
    page.click("[data-tab=compare]")
    page.wait_for_selector(".compare-results tbody tr")
    row = page.locator(".compare-results tbody tr").inner_text()
    assert row.startswith("Region 1")
    page.get_by_role("button", name="Two models").click()
    wait_until(page, f"document.querySelector('.side-A')?.innerText.includes('{MODEL}')")
    assert page.locator(".difference").is_visible()


def test_many_pictures_as_a_table_that_sorts(page, add):
    add("a.png", "b.png")
    page.click("[data-tab=table]")
    wait_until(page, "[...document.querySelectorAll('tbody tr')].every((row) => !row.textContent.includes('…'))")
    shares = []
    for _ in range(2):
        page.get_by_role("button", name="Half of the attention on").click()
        texts = page.locator("tbody tr td:nth-child(5)").all_inner_texts()
        shares.append([float(text.split()[0]) for text in texts])
    assert shares[0] == sorted(shares[0], reverse=True)
    assert shares[1] == shares[0][::-1]
    with page.expect_download() as begun:
        page.get_by_role("button", name="CSV").click()
    assert len(pd.read_csv(begun.value.path())) == 2


def test_all_of_it_survives_a_reload(page, add):
    add("a.png")
    draw_box(page, 40, 50, 200, 150)
    page.click("[data-style=fog]")
    page.locator("#n").fill("5")
    kept_regions(page)
    page.reload()
    page.wait_for_selector(".region-list .share:not(:empty)")
    wait_until(page, "document.querySelector('.overlay').dataset.of.endsWith('|fog')")
    assert page.locator(".region").count() == 1
    assert page.input_value("#n") == "5"


def test_a_broken_file_is_one_line(page, add):
    add("a.png")
    page.set_input_files(
        "#files", [{"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff nothing"}]
    )
    page.wait_for_selector(".message")
    assert page.inner_text(".message").strip() == "broken.jpg: not an image that can be read"
    assert page.locator(".pick").count() == 1
    assert page.locator(".in-words").is_visible()


def test_a_kind_of_picture_that_the_browser_does_not_show(page, photograph_of):
    tiff = encoded(photograph_of["a.png"], "TIFF")
    page.set_input_files("#files", [{"name": "scan.tif", "mimeType": "image/tiff", "buffer": tiff}])
    page.wait_for_selector(".in-words")
    wait_until(page, "document.querySelector('.photo').naturalWidth === 320")


def test_a_picture_that_is_dropped_and_one_that_is_pasted(page, photograph_of):
    content = list(encoded(photograph_of["a.png"]))
    for kind, event in (("drop", "DragEvent"), ("paste", "ClipboardEvent")):
        page.evaluate(
            """([content, kind, event]) => {
              const transfer = new DataTransfer();
              transfer.items.add(new File([new Uint8Array(content)], `${kind}.png`, { type: "image/png" }));
              const options = { dataTransfer: transfer, clipboardData: transfer, bubbles: true };
              document.body.dispatchEvent(new window[event](kind, options));
            }""",
            [content, kind, event],
        )
        wait_until(page, f"[...document.querySelectorAll('.pick')].some((one) => one.title === '{kind}.png')")


def test_a_report_is_opened_and_its_tables_sort(page):
    page.click("#reports summary")
    with page.context.expect_page() as opened:
        page.click("#reports a")
    shown = opened.value
    table = shown.locator("table.sortable").first
    head = table.locator("thead th").nth(1)
    before = head.get_attribute("aria-sort")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") not in (None, before)
    broken = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
    assert shown.evaluate(broken) == 0


def test_the_keyboard_alone(page, photograph_of):
    """From the welcome to a region that is placed, sized, read and deleted, without a mouse."""

    name = "(document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || '').trim()"

    def tab_to(begin: str, most: int = 40) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate(name).startswith(begin):
                return
        raise AssertionError(f"no way to {begin}")

    tab_to("A lake in the evening")
    page.keyboard.press("Enter")
    page.wait_for_selector(".in-words")
    tab_to("Add region")
    page.keyboard.press("Enter")
    page.wait_for_selector(".region-list .share:not(:empty)")
    wait_until(page, "document.activeElement.className === 'name'")
    page.keyboard.type("Balloon")
    page.keyboard.press("Enter")
    [before] = kept_regions(page)
    assert before["name"] == "Balloon"
    page.locator("body").evaluate("() => document.activeElement.blur()")
    tab_to("Region ")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Alt+ArrowRight")
    [after] = kept_regions(page)
    assert np.subtract(after["box"], before["box"]).tolist() == pytest.approx([-1, -10, 1, 0])
    page.keyboard.press("Delete")
    page.wait_for_selector(".region", state="detached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, add, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    def findings() -> list[str]:
        found = Axe().run(page).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]

    assert findings() == []  # the welcome
    add("a.png", "b.png")
    page.get_by_role("button", name="Add region").click()
    page.wait_for_selector(".region-list .share:not(:empty)")
    page.get_by_role("button", name="Simulate").click()
    page.get_by_text("How far can I trust this?").click()
    assert findings() == []
    page.click("[data-tab=compare]")
    page.wait_for_selector(".difference")
    assert findings() == []
    page.click("[data-tab=table]")
    assert findings() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_runs_out_of_the_window(page, add, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    for tab in (None, "picture", "compare", "table"):
        if tab == "picture":
            add("a.png", "b.png")
        if tab:
            page.click(f"[data-tab={tab}]")
            page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
