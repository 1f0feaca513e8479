"""MIT1003 as its authors released it, in small: raw gaze of two observers on one photograph of 1024 x 768."""

from pathlib import Path

import numpy as np
import scipy.io
from toy import write_image


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    write_image(folder / "ALLSTIMULI/i05june05_a.jpeg", np.zeros((768, 1024, 3), np.uint8))
    for observer, x in (("ajs", 300.0), ("hp", 700.0)):
        path = (1 - np.cos(np.linspace(0, np.pi, 10)[1:-1])) / 2
        line = np.concatenate([np.full(60, 512.0), 512 + path * (x - 512), np.full(80, x)])
        gaze = np.stack([line, line], axis=1)
        (folder / "DATA" / observer).mkdir(parents=True)
        mat = folder / "DATA" / observer / "i05june05_a.mat"
        scipy.io.savemat(mat, {"i05june05_a": {"DATA": {"eyeData": gaze}, "imgName": "x"}})
    return 2  # each observer's first is on the cross before the photograph
