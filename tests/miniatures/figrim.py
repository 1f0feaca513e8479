"""FIGRIM in small: a target and a filler; of two observers, one did not see the filler."""

from pathlib import Path

import numpy as np
import scipy.io
from toy import make_photograph, write_image

Seen = dict[str, list[list[float]]]


def write_part(mat: Path, images: dict[str, list[Seen | None]]) -> None:
    """What each observer did at each image: fixations of the three times that it can be shown; None: not seen."""
    structs = np.zeros((1, len(images)), dtype=[("filename", "O"), ("category", "O"), ("userdata", "O")])
    for struct, (name, observers) in zip(structs[0], images.items(), strict=True):
        userdata = np.zeros((1, len(observers)), dtype=[("trial", "O"), ("SDT", "O"), ("fixations", "O")])
        for number, (data, seen) in enumerate(zip(userdata[0], observers, strict=True)):
            data["trial"] = np.array([[number + 1.0]]) if seen is not None else np.zeros((0, 0))
            data["SDT"] = np.array([[4.0, 1.0, 1.0]])
            times = {time: np.array((seen or {}).get(time, [])).reshape(-1, 2) for time in ("enc", "rec", "rec2")}
            data["fixations"] = times
        struct["filename"], struct["category"], struct["userdata"] = name, "attic", userdata
    scipy.io.savemat(mat, {"allImages": structs})


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    write_image(folder / "Targets/attic/zt.jpg", make_photograph(0))
    write_image(folder / "Fillers/bridge/af.jpg", make_photograph(1))
    seen: list[Seen | None] = [{"enc": [[1, 2], [3, 4]], "rec": [[5, 5]]}, {"enc": [[6, 7]], "rec2": [[8, 8]]}]
    write_part(folder / "allImages_release.mat", {"zt.jpg": seen})
    write_part(folder / "allImages_fillers.mat", {"af.jpg": [None, {"enc": [[9, 10], [80, 0]]}]})
    return 4  # one is outside
