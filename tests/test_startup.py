"""What a command imports: processor time is what it costs, but what it imports can be looked up."""

import json
import os
import subprocess
import sys

import pytest
from toy import make_photograph, write_image

from foveal.cli.app import app
from foveal.discovery import import_all
from foveal.models import catalogue, list_models, load_model, model_cards
from foveal.registry import Registry

HEAVY = ["torch", "pandas", "pyarrow", "scipy", "matplotlib"]


def imported_by(*commands):
    """The modules that a process imports that runs these commands, one after the other."""
    script = """
import json, sys
from foveal.cli.app import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code
print(*sys.modules, file=sys.stderr)
"""
    call = [sys.executable, "-c", script, json.dumps(commands)]
    return set(subprocess.run(call, check=True, capture_output=True, text=True).stderr.split())


def test_help_imports_nothing_heavy():
    names = [command.name for command in app.registered_commands] + [group.name for group in app.registered_groups]
    assert {"predict", "evaluate", "train", "weights"} <= set(names)
    assert imported_by(["--help"], *([name, "--help"] for name in names)).isdisjoint(HEAVY)


@pytest.mark.parametrize("command", ["models", "datasets"])
def test_a_list_imports_nothing_heavy(command, tmp_path, monkeypatch):
    monkeypatch.setenv("FOVEAL_DATA", os.fspath(tmp_path))
    assert imported_by([command], [command, "--json"]).isdisjoint(HEAVY)


def test_prediction_imports_the_one_model(tmp_path):
    write_image(tmp_path / "photo.png", make_photograph(size=(60, 80)))
    arguments = ["predict", os.fspath(tmp_path / "photo.png"), "--out", os.fspath(tmp_path / "out")]
    imported = imported_by([*arguments, "--model", "image-signature"])
    assert "foveal.models.classical.image_signature" in imported
    assert imported.isdisjoint(
        ["foveal.models.classical.bms", "foveal.models.deep.foveal_s", "foveal.models.baselines"]
    )
    assert imported.isdisjoint(["pandas", "pyarrow", "scipy", "h5py", "torchvision", "accelerate", "matplotlib.pyplot"])


def test_cards_in_the_source_are_those_of_the_classes():
    import_all("foveal.models")
    in_source = {name: card for name, (card, _) in catalogue._in_sources().items()}
    ours = {cls.card.name: cls.card for cls in catalogue._MODELS.values() if cls.__module__.startswith("foveal.")}
    assert in_source == ours
    assert set(ours) <= {card.name for card in model_cards()}
    assert all(catalogue.class_of(name).card == card for name, card in in_source.items())


REGISTRATION = """
from foveal.models import register_model
from foveal.models.baselines import Uniform
{}
@register_model({}, family="baseline", year=2000, paper="none")
class New(Uniform):
    pass
"""


@pytest.fixture
def new_file(tmp_path, monkeypatch):
    """Write a file, the only one in the package of the models."""
    import_all("foveal.models")  # what is imported already stays to be had
    monkeypatch.setattr(catalogue, "_MODELS", Registry("model"))
    monkeypatch.setattr("foveal.models.__path__", [os.fspath(tmp_path)])
    catalogue._in_sources.cache_clear()
    before = set(sys.modules)
    yield lambda name, source: (tmp_path / f"{name}.py").write_text(source)
    catalogue._in_sources.cache_clear()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_file_is_enough(new_file):
    new_file("plain", REGISTRATION.format("", '"new"'))
    assert list_models() == ["new"]
    assert "foveal.models.plain" not in sys.modules
    assert load_model("new").card.paper == "none"


def test_a_name_that_is_computed_is_found_as_well(new_file):
    new_file("computed", REGISTRATION.format("NAME = 'new'.upper()", "NAME"))
    assert list_models() == ["NEW"]
    assert load_model("NEW").card.name == "NEW"


def test_models_of_other_packages(new_file, tmp_path, monkeypatch):
    theirs = tmp_path / "theirs"
    info = theirs / "theirs-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[foveal.models]\nnew = their_models\n")
    (theirs / "their_models.py").write_text(REGISTRATION.format("", '"theirs"'))
    monkeypatch.syspath_prepend(theirs)
    assert list_models() == ["theirs"]
    assert load_model("theirs").name == "theirs"
