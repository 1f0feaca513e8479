"""The layout that OSIE's authors publish, and that EyeCrowd and the converted MIT1003 have too."""

import numpy as np
import scipy.io
from toy import make_photograph, write_image

# File name to scanpaths (x, y, duration), counted from one; (500, 20) is outside.
SCANPATHS = {
    "1001.jpg": [([40.5, 10.0, 500.0], [30.2, 1.0, 20.0], [200.0, 150.0, 90.0]), ([41.0], [31.0], [300.0])],
    "1002.jpg": [([40.0, 80.4], [30.0, 60.0], [210.0, 100.0]), ([39.0, 2.0], [29.0, 3.0], [220.0, 80.0])],
}


def struct_array(images):
    """`images`: file name to list of scanpaths (x, y, duration), as OSIE's fixations.mat holds them."""
    structs = np.empty(len(images), dtype=object)
    for i, (name, scanpaths) in enumerate(images.items()):
        subjects = np.empty(len(scanpaths), dtype=object)
        for j, (x, y, duration) in enumerate(scanpaths):
            subjects[j] = {"fix_x": np.array(x), "fix_y": np.array(y), "fix_duration": np.array(duration)}
        structs[i] = {"img": name, "subjects": subjects}
    return structs


def write_structs(mat, stimuli, images):
    mat.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(mat, {"fixations": struct_array(images)})
    for seed, name in enumerate(images):
        write_image(stimuli / name, make_photograph(seed))
