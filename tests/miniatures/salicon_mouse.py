"""SALICON's JSON in small: [row, column] from one, two workers, one of whom saw both photographs."""

import json
from pathlib import Path

from miniatures.salicon_2017 import STEMS, write_photographs


def annotations(part: str, paths: list[tuple[str, list[list[int]]]]) -> dict[str, object]:
    """What the JSON of one part says: of one photograph, each worker's samples."""
    return {
        "info": {},
        "licenses": [],
        "type": "fixations",
        "images": [{"id": 7, "file_name": f"{STEMS[part]}.jpg", "height": 60, "width": 80}],
        "annotations": [
            {"image_id": 7, "id": number, "worker_id": worker, "fixations": rows}
            for number, (worker, rows) in enumerate(paths)
        ],
    }


def write(folder: Path) -> int:
    """Write the published layout; the number of samples that are to be read from it."""
    write_photographs(folder)
    (folder / "annotations").mkdir()
    train = annotations("train", [("a", [[1, 1], [60, 80]]), ("b", [[30, 40]])])
    (folder / "annotations/fixations_train2014r1.json").write_text(json.dumps(train))
    (folder / "annotations/fixations_val2014r1.json").write_text(json.dumps(annotations("val", [("b", [[20, 10]])])))
    return 4
