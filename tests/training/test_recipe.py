"""What a recipe may say, and what it says that does not."""

import subprocess
import sys

import pytest

from foveal.errors import FovealError
from foveal.features.views import Crop, View
from foveal.training import Phase, Recipe
from foveal.training.recipe import Mixture, published_recipes, read_recipe
from foveal.training.runs.prepare import network_of


def test_recipes(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('datasets = ["osie"]\nbatch_size = 4\n[[phases]]\nepochs = 3\nlearning_rate = 0.01\n')
    recipe = Recipe.read(path)
    assert recipe == Recipe(("osie",), batch_size=4, phases=(Phase(3, 0.01),))
    recipe.write(tmp_path / "again.toml")
    assert Recipe.read(tmp_path / "again.toml") == recipe
    for text, message in [
        ("datasets = ", "no recipe"),
        ("batch_size = 4", "datasets are missing"),
        ('datasets = ["osie"]\nepochs = 3', "unknown: epochs"),
        ('datasets = ["osie"]\nlos = "nss"', r"unknown: los \(did you mean loss"),
        ('datasets = ["osie"]\nloss = "hinge"', "no loss 'hinge'"),
        ('datasets = ["osie"]\n[[phases]]\nepoch = 3', r"unknown: epoch \(did you mean epochs"),
        ('datasets = ["osie"]\n[phases]\nepochs = 3', "phases: .* .needs a list"),
        ('datasets = ["osie"]\nphases = [3]', "3 .needs a table"),
        ('datasets = ["osie"]\n[[phases]]\nepochs = 3', "phase 1: learning_rate is missing"),
        ('datasets = ["osie"]\n[[phases]]\nepochs = 3\nlearning_rate = -1.0', "learning_rate: -1.0"),
        (
            'datasets = ["osie"]\n[[phases]]\nepochs = 3\nlearning_rate = 1.0\ncrops = [0.5]',
            "phase 1: crops is .*above",
        ),
        ('datasets = "osie"', "datasets: 'osie' .needs a list"),
        ('datasets = ["osie", "osie"]', "datasets: .'osie', 'osie'. .needs .* each once"),
        ('datasets = ["osie"]\nheld_out = 12', "held_out: 12 .needs a fold, 0 to 9"),
        ('datasets = ["osie"]\nbatch_size = 0', "batch_size: 0"),
        ('datasets = ["osie"]\nzooms = 2', "zooms: 2 .needs a list"),
        ('datasets = ["osie"]\nzooms = [0.0]', "zooms: .0.0. .needs numbers from 0.1 to 4"),
        ('datasets = ["osie"]\ncrops = [1.5]', "crops: .1.5. .needs numbers from 0.1 to less than 1"),
        ('datasets = ["osie"]\noptimizer = "adam"', "optimizer: 'adam' .needs one of adamw, sgd"),
        ('datasets = ["osie"]\nschedule = "step"', "schedule: 'step' .needs one of cosine, constant"),
        ('datasets = ["osie"]\nphases = []', "phases: .. .needs at least one"),
        ('datasets = ["osie"]\nweight_decay = -1.0', "weight_decay: -1.0"),
        ('datasets = ["osie"]\naverage = 5.0', "average: 5.0"),
        ('datasets = ["osie"]\npatience = 2', "patience needs images that are held out"),
        ('datasets = ["osie"]\ntemperature = 0.0', "temperature: 0.0"),
        ('datasets = ["osie"]\nmodel = "salgan"', "model: 'salgan'"),
        ('datasets = ["osie"]\nprecision = "half"', "precision: 'half' .needs one of no, bf16, fp16"),
    ]:
        path.write_text(text)
        with pytest.raises(FovealError, match=message):
            Recipe.read(path)
    with pytest.raises(FovealError, match=r"missing.toml: no recipe"):
        Recipe.read(tmp_path / "missing.toml")
    assert Recipe(("toy",), phases=(Phase(2, 1e-2), Phase(1, 1e-3))).epochs == 3


def test_recipes_with_values_of_the_wrong_type(tmp_path):
    """In a process of its own: here, the type hints would complain first."""
    wrong = {
        "[[phases]]\nepochs = 1.5\nlearning_rate = 1.0": "phase 1: epochs: 1.5 (needs a whole number from 1 on)",
        "[[phases]]\nepochs = 1\nlearning_rate = 'x'": "phase 1: learning_rate: 'x' (needs a number above 0)",
        "config = 3": "config: 3 (needs a table)",
        "held_out = 2.5": "held_out: 2.5 (needs a fold, 0 to 9)",
        "held_out = true": "held_out: True (needs a fold, 0 to 9)",
        "mirrored = 1": "mirrored: 1 (needs true or false)",
        "crops = 0.5": "crops: 0.5 (needs a list)",
        "batch_size = '8'": "batch_size: '8' (needs a whole number from 1 on)",
        "prior_weight = '0.7'": "prior_weight: '0.7' (needs a number)",
        "model = ['foveal-s']": "model: ['foveal-s'] (needs foveal-s)",
        "config = { width = 'x' }": "config of foveal-s: width: 'x' (needs a whole number from 1 on)",
        "config = { scales = 1 }": "config of foveal-s: scales: 1 (needs a list of numbers above 0)",
    }
    paths = []
    for number, line in enumerate(wrong):
        paths.append(tmp_path / f"{number}.toml")
        paths[-1].write_text(f"datasets = ['osie']\n{line}\n")
    script = """
import sys
from foveal.errors import FovealError
from foveal.training.runs.prepare import network_of
from foveal.training.recipe import Recipe
for path in sys.argv[1:]:
    try:
        network_of(Recipe.read(path))
    except FovealError as error:
        print(error)
"""
    command = [sys.executable, "-c", script, *map(str, paths)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert [line.removeprefix(f"{path}: ") for line, path in zip(said, paths, strict=True)] == list(wrong.values())


def test_views_of_a_recipe():
    assert Recipe(("toy",), mirrored=False).views == [View()]
    assert Recipe(("toy",)).views == [View(), View(mirrored=True)]
    views = Recipe(("toy",), zooms=(1.5, 1.0), crops=(0.5,)).views
    assert views[:4] == [View(mirrored, zoom) for zoom in (1.0, 1.5) for mirrored in (False, True)]
    assert views[4:] == [View(mirrored, zoom, Crop(0.5)) for zoom in (1.0, 1.5) for mirrored in (False, True)]


def test_the_recipe_of_what_is_published_comes_with_the_package():
    assert {"foveal-s", "foveal-l"} <= set(published_recipes())
    assert read_recipe("foveal-s").datasets == ("osie", "eyecrowd", "scene")
    members = read_recipe("foveal-l").members.values()
    for member in members:
        network_of(member)  # which makes sure that the layers are there
    assert {member.datasets for member in members} == {("osie", "eyecrowd", "scene")}


@pytest.mark.parametrize("name", ["../../x", "/x", "..", ""])
def test_no_name_of_a_member_leads_out_of_the_folder(tmp_path, name):
    """A recipe that was written holds its teacher's members, by the names of their folders."""
    members = {name: Recipe(("osie",)), "b": Recipe(("osie",))}
    with pytest.raises(FovealError, match=r"name: .* \(needs 1 to 200 characters, no slashes"):
        Mixture(members)
    path = tmp_path / "recipe.toml"
    good = Recipe(("osie",), teacher=Mixture({"a": Recipe(("osie",)), "b": Recipe(("osie",))})).to_toml()
    path.write_text(good.replace("teacher.members.a", f'teacher.members."{name}"'))
    with pytest.raises(FovealError, match=r"recipe.toml: name: "):
        Recipe.read(path)
