"""The picture of search arrays in docs/popout.md: python docs/assets/make_popout.py ARRAYS.webp."""

import sys
from pathlib import Path

import cv2
import numpy as np

from foveal.datasets.search_arrays import SearchArraySettings, make_search_array
from foveal.datasets.search_features import FEATURES
from foveal.figures.sheets import framed

WIDTH, ACROSS, GAP, HEAD = 300, 5, 8, 22  # px; arrays in a row


def main(path: str) -> None:
    """Draw one array of every feature, at half of its largest difference, with the target framed."""
    tiles = []
    for seed, (name, feature) in enumerate(FEATURES.items()):
        array = make_search_array(SearchArraySettings(name, feature.largest / 2, set_size=24, seed=seed))
        small = cv2.resize(framed(array.image, array.target), (WIDTH, WIDTH * 3 // 4), interpolation=cv2.INTER_AREA)
        head = np.full((HEAD, WIDTH, 3), 255, np.uint8)
        cv2.putText(head, name, (2, HEAD - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
        tile = np.vstack([head, small])
        tiles.append(cv2.copyMakeBorder(tile, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
    rows_of_tiles = [np.hstack(tiles[start : start + ACROSS]) for start in range(0, len(tiles), ACROSS)]
    sheet = cv2.cvtColor(np.vstack(rows_of_tiles), cv2.COLOR_RGB2BGR)
    Path(path).write_bytes(cv2.imencode(".webp", sheet, [cv2.IMWRITE_WEBP_QUALITY, 90])[1].tobytes())


if __name__ == "__main__":
    main(sys.argv[1])
