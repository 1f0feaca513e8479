"""What holds for every registered data set: a new one inherits all of this by its name.

A small copy of its published layout is what `tests/miniatures/NAME.py` writes.
"""

import re
import shutil
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from foveal.datasets import dataset_card, is_found, list_datasets, load_dataset
from foveal.errors import FovealError
from foveal.images import IMAGE_SUFFIXES
from foveal.paths import check_name

NAMES = list_datasets()


def write_miniature(name, folder):
    """Write the small copy; the number of fixations that it is said to hold."""
    module = f"miniatures.{name.replace('-', '_')}"
    assert find_spec(module) is not None, f"write tests/{module.replace('.', '/')}.py, with write(folder)"
    return import_module(module).write(folder)


@pytest.mark.parametrize("name", NAMES)
def test_its_card_is_complete(name):
    card = dataset_card(name)
    assert check_name(card.name) == name == name.lower()
    assert all(value or key in ("pixels_per_degree", "facts") for key, value in asdict(card).items())
    assert f"<data root>/{name}" in card.how_to_get


@pytest.mark.parametrize("name", NAMES)
def test_its_published_layout_is_read(name, tmp_path):
    n_fixations = write_miniature(name, tmp_path / name)
    data = load_dataset(name, tmp_path)
    card = dataset_card(name)
    assert is_found(name, tmp_path)
    assert (data.name, data.licence, data.citation) == (name, card.licence, card.citation)
    assert len(data.fixations) == n_fixations
    assert (n_fixations > 0) == (card.gaze != "not public")
    assert data.fixations.is_inside(data.stimuli.sizes).all()
    assert data.fixations.has_subjects == card.gaze.startswith("by observer")
    assert data.stimuli.pixels_per_degree is not None
    assert len(set(data.stimuli.ids)) == len(data) > 0
    assert data.problems == ()
    for part in data.splits.values():
        assert set(part.tolist()) <= set(range(len(data)))
    folds = [part for split, part in data.splits.items() if split.startswith("fold")]
    if folds:
        assert sorted(np.concatenate(folds).tolist()) == list(range(len(data)))
    assert data.stimuli[0].image.shape == (*data.stimuli.sizes[0], 3)


@pytest.mark.parametrize("name", NAMES)
def test_where_it_is_not_one_line_names_a_file_and_says_what_to_do(name, tmp_path):
    assert not is_found(name, tmp_path)
    expect_one_line(name, tmp_path, "no ")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_of_it_is_named(name, tmp_path):
    """One after the other: the photographs, all that is not a photograph."""
    said = {
        "photographs": r"stimul|\.(jpe?g|png)|photograph",
        "fixations": r"\.(mat|csv|json|parquet)|DATA|_logs|fixation/",
    }
    if dataset_card(name).gaze == "not public":
        del said["fixations"]
    for missing, words in said.items():
        write_miniature(name, tmp_path / name)
        for path in [path for path in (tmp_path / name).rglob("*") if path.is_file()]:
            is_photograph = path.suffix.lower() in IMAGE_SUFFIXES and path.parent.name != "fixation"
            if is_photograph == (missing == "photographs"):
                path.unlink()
        line = expect_one_line(name, tmp_path, "")
        assert re.search(words, line, re.IGNORECASE)
        shutil.rmtree(tmp_path / name)


def expect_one_line(name, root, start):
    """The line that is said."""
    with pytest.raises(FovealError) as raised:
        load_dataset(name, root)
    line = str(raised.value)
    assert str(root / name) in line
    assert "\n" not in line
    if start:
        assert line.startswith(f"{name}: {start}")
        assert line.endswith(f"(set --data-root or FOVEAL_DATA; foveal datasets {name} says how to get it)")
    return line
