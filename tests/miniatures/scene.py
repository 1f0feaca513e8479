"""Scene in small."""

from pathlib import Path

import numpy as np
import scipy.io
from toy import make_photograph, write_image


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    cells = np.empty((2, 2), dtype=object)
    cells[0, 0] = np.array([[10.5, 20.5, 0.1, 0.2], [11.5, 21.5, 0.4, 0.3]])
    cells[0, 1] = np.array([[1.0, 2.0, 0.0, 0.1]])
    cells[1, 0] = np.zeros((0, 4))
    cells[1, 1] = np.array([[59.9, 79.9, 0.0, 0.1]])
    (folder / "tidy").mkdir(parents=True)
    scipy.io.savemat(folder / "tidy/fixations.mat", {"fixations": cells})
    write_image(folder / "stimuli/001.jpg", make_photograph(0))
    write_image(folder / "stimuli/002.jpg", make_photograph(1, size=(60, 90)))
    return 4
