"""Time and peak memory of `foveal predict` on one photograph of 12,000 x 9,000, in a process of its own."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from timing import keep


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        photograph = Path(folder) / "large.jpg"
        small = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
        cv2.imwrite(str(photograph), cv2.resize(small, (10800, 8100), interpolation=cv2.INTER_CUBIC))
        del small
        command = [sys.executable, "-m", "foveal.cli.app", "predict", str(photograph), "--out", str(Path(folder) / "o")]
        start = time.perf_counter()
        subprocess.run([*command, "--save", "overlay,density,map"], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        log_density = np.load(Path(folder) / "o/large.density.npy", mmap_mode="r")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20  # Linux counts in KiB
        keep("large_image", {"shape": str(log_density.shape), "seconds": seconds, "peak memory, GiB": peak})


if __name__ == "__main__":
    main()
