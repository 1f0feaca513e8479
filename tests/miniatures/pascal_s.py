"""PASCAL-S in small: a cell array in MATLAB's version 7.3, which is HDF5 with references."""

from pathlib import Path

import h5py
import numpy as np
from toy import make_photograph, write_image


def write_cells(mat: Path, cells: list[list[list[float]]]) -> None:
    """The rows [y, x, subject] of each photograph, stored column by column."""
    mat.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(mat, "w") as file:
        references = np.empty((1, len(cells)), dtype=h5py.ref_dtype)
        for number, rows in enumerate(cells):
            name = f"#refs#/{'ba'[number % 2]}{number}"  # the order of their names is another
            if rows:
                file[name] = np.array(rows, dtype=float).T
            else:
                file[name] = np.zeros(2, np.uint64)  # MATLAB stores the size of what is empty
                file[name].attrs["MATLAB_empty"] = np.uint8(1)
            references[0, number] = file[name].ref
        file.create_dataset("fixCell", data=references, dtype=h5py.ref_dtype)
        file["fixCell"].attrs["MATLAB_class"] = np.bytes_("cell")


def write(folder: Path) -> int:
    """Write the published layout; the number of fixations that are to be read from it."""
    for number in (1, 2, 3):
        write_image(folder / f"datasets/imgs/pascal/{number}.jpg", make_photograph(number))
    cells = [[[1, 1, 2], [60, 80, 1], [30, 40, 2]], [], [[10, 20, 8], [61, 20, 8]]]
    write_cells(folder / "datasets/fixations/pascalFix.mat", cells)
    return 4  # one is outside
