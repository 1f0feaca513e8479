"""Films: frames a second beside the speed of single pictures, and memory over a film of an hour.

The film of the first is 640 x 360 px at 25 frames a second; that of the second is small, so that only what grows with
the length is seen.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from timing import keep, median_seconds

import foveal

MB = 2**20


def scenes(n_frames: int, size: tuple[int, int], per_scene: int) -> Iterator[np.ndarray]:
    """Blurred noise that drifts, with a cut now and then."""
    rng = np.random.default_rng(0)
    height, width = size
    for number in range(n_frames):
        if number % per_scene == 0:
            wide = cv2.resize(rng.integers(0, 255, (9, 32, 3), dtype=np.uint8), (2 * width, height))
        shift = number % per_scene * width // per_scene
        yield np.ascontiguousarray(wide[:, shift : shift + width])


def write_film(path: Path, n_frames: int, size: tuple[int, int], rate: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        for picture in scenes(n_frames, size, 7 * rate):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def resident() -> float:
    """Memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB


def speed(model: str, folder: Path) -> dict[str, float]:
    film, size, rate, seconds = folder / "speed.mp4", (360, 640), 25, 8
    write_film(film, seconds * rate, size, rate)
    loaded = foveal.load_model(model)
    picture = next(scenes(1, size, 1))
    one = median_seconds(lambda: loaded.predict(picture), 5)
    results = {f"{model}: pictures a second": 1 / one}
    for draw in (True, False):
        start = time.perf_counter()
        foveal.predict_film(film, loaded, out=folder / "out", draw=draw)
        what = "with overlay" if draw else "tables only"
        results[f"{model}: frames of film a second, {what}"] = seconds * rate / (time.perf_counter() - start)
    return results


def memory(minutes: int, folder: Path) -> dict[str, float]:
    film, rate = folder / "long.mp4", 10
    write_film(film, 60 * minutes * rate, (72, 128), rate)
    at: dict[int, float] = {}

    def look(_: str, done: int, __: int) -> None:
        if done % (60 * rate) == 0:
            at[done // (60 * rate)] = resident()

    foveal.predict_film(film, "image-signature", out=folder / "out", rate=2.0, progress=look)
    told = {minute: at[minute] for minute in (1, 2, 5, 10, 20, 30, 40, 50, 60) if minute in at}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
    return {f"memory after {minute} min, MB": value for minute, value in told.items()} | {"peak, MB": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="foveal-s,bms")
    parser.add_argument("--minutes", type=int, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = memory(given.minutes, Path(folder))
        for model in given.models.split(","):
            results |= speed(model, Path(folder))
    keep("films", results)


if __name__ == "__main__":
    main()
