"""DUT-OMRON in small: rows [x, y, subject], the first of which is the size of the photograph."""

from pathlib import Path

import numpy as np
import scipy.io
from toy import make_photograph, write_image


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    rows = {"im005": [[80, 60, 0], [0, 0, 2], [79, 59, 1], [4, 5, 2]], "sun_a": [[80, 60, 0]]}
    (folder / "DUT-OMRON-eye-fixations/mat").mkdir(parents=True)
    for seed, (stem, s) in enumerate(rows.items()):
        write_image(folder / f"DUT-OMRON-image/{stem}.jpg", make_photograph(seed))
        scipy.io.savemat(folder / f"DUT-OMRON-eye-fixations/mat/{stem}.mat", {"s": np.array(s, np.int16)})
    return 3
