"""Speed and memory of `foveal serve`: from drop to heatmap, and 32 clients at once.

python benchmarks/serve.py [--seconds 60] [--clients 32]
"""

import argparse
import asyncio
import base64
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO

import httpx
from PIL import Image
from skimage import data

SIZE = 1024, 768
RUNS = 15
NUMBERS = itertools.count()
MEGABYTE = 2**20
DROPPED = """
async ({ name, content }) => {
  const overlay = () => document.querySelector(".overlay")?.dataset.of;
  const before = overlay();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const begun = performance.now();
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
  while (overlay() === before) await new Promise((resolve) => requestAnimationFrame(resolve));
  return (performance.now() - begun) / 1000;
}
"""


@cache
def photograph() -> bytes:
    """As a camera writes it."""
    content = BytesIO()
    Image.fromarray(data.coffee()).resize(SIZE, Image.Resampling.LANCZOS).save(content, "JPEG", quality=90)
    return content.getvalue()


def picture() -> bytes:
    """The photograph, every time as another file, so that it is predicted anew."""
    return photograph() + next(NUMBERS).to_bytes(8, "big")


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """The address and the process number of a server."""
    command = [sys.executable, "-m", "foveal.cli.app", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait(30)


def resident(pid: int) -> float:
    """Memory of a process in MB."""
    with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / MEGABYTE


async def heatmap(client: httpx.AsyncClient, content: bytes) -> list[int]:
    """What the page asks for when a picture is dropped: numbers and an overlay, at once."""
    asked = (
        client.post("/api/attention", files={"picture": content}),
        client.post("/api/overlay", files={"picture": content}, data={"legend": "false"}),
    )
    return [answer.status_code for answer in await asyncio.gather(*asked)]


async def one_visitor(address: str) -> list[float]:
    """Seconds of each run, after a first."""
    seconds = []
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        for _ in range(RUNS + 1):
            content, begun = picture(), time.perf_counter()
            assert await heatmap(client, content) == [200, 200]
            seconds.append(time.perf_counter() - begun)
    return seconds[1:]


def in_a_browser(address: str) -> list[float]:
    """Seconds from the drop of a file to the heatmap on the screen."""
    from foveal.interop.browser import open_browser

    seconds = []
    with open_browser() as browser:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector(".example")
        for number in range(RUNS + 1):
            content = base64.b64encode(picture()).decode()
            seconds.append(page.evaluate(DROPPED, {"name": f"{number}.jpg", "content": content}))
    return seconds[1:]


async def many_visitors(address: str, pid: int, clients: int, seconds: float) -> None:
    """Each asks again as soon as it is answered; prints statuses, latency and memory."""
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    memory = [resident(pid)]
    until = time.perf_counter() + seconds

    async def visitor() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=120) as client:
            while time.perf_counter() < until:
                begun = time.perf_counter()
                answered = await heatmap(client, picture())
                statuses.update(answered)
                latencies.append(time.perf_counter() - begun)
                memory.append(resident(pid))
                if 503 in answered:
                    await asyncio.sleep(2)

    await asyncio.gather(*(visitor() for _ in range(clients)))
    p95 = statistics.quantiles(latencies, n=20)[-1]
    print(
        f"{clients} clients, {seconds:g} s: answers by status {dict(statuses)}, {statuses[200] / seconds:.1f} a second"
    )
    print(f"  latency: median {statistics.median(latencies):.2f} s, p95 {p95:.2f} s")
    print(f"  memory of the server: {memory[0]:.0f} MB before, {max(memory):.0f} at most, {memory[-1]:.0f} in the end")


def told(what: str, seconds: list[float]) -> None:
    """Print median and worst."""
    print(f"{what}: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s of {len(seconds)}")


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with served() as (address, pid):
        told("numbers and overlay of 1024 x 768 px", asyncio.run(one_visitor(address)))
        told("from drop to heatmap in Chromium", in_a_browser(address))
        asyncio.run(many_visitors(address, pid, options.clients, options.seconds))


if __name__ == "__main__":
    main()
