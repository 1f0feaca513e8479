"""Photograph the page of `foveal serve` with one of its examples, for README and docs/serve.md.

python docs/assets/make_page.py
"""

import threading
from io import BytesIO
from pathlib import Path

from PIL import Image

from foveal.interop.browser import open_browser
from foveal.web.app import create_app, listen, serve

PICTURE = Path(__file__).parent / "page.webp"
WINDOW = {"width": 1360, "height": 860}


def main() -> None:
    """Write page.webp beside this file."""
    app = create_app()
    app.state.workbench.make_ready()
    with listen("127.0.0.1", 0) as listening, open_browser() as browser:
        thread = threading.Thread(target=serve, args=(app, listening))
        thread.start()
        page = browser.new_page(viewport=WINDOW)
        page.goto(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        page.click(".example")
        page.wait_for_selector(".difference")
        page.click("[data-tab=picture]")
        page.wait_for_selector(".bar-fill")
        page.wait_for_timeout(1000)
        shot = page.screenshot()
        app.state.stop()
        thread.join()
    Image.open(BytesIO(shot)).save(PICTURE, quality=86, method=6)
    print(PICTURE)


if __name__ == "__main__":
    main()
