"""What a recipe may say, and what it says that does not."""

import subprocess
import sys
from dataclasses import replace

import pytest

from foveal.errors import FovealError
from foveal.features.views import Crop, View
from foveal.models.deep.network import list_networks, network_class
from foveal.training import Phase, Recipe
from foveal.training.recipe import Mixture, published_recipes, read_recipe
from foveal.training.runs.prepare import check, network_of


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
        ('datasets = ["osie"]\noptimizer = "rmsprop"', "optimizer: 'rmsprop' .needs one of adamw, sgd, nest"),
        ('datasets = ["osie"]\nstep = "both"', "step: 'both' .needs one of supervised, adversarial"),
        ('datasets = ["osie"]\ncolors = 1.5', "colors: 1.5 .needs a number from 0 to 1"),
        ('datasets = ["osie"]\nbatch_norms = "free"', "batch_norms: 'free' .needs frozen or trained"),
        ('datasets = ["osie"]\nloss = {}', "loss: {} .needs a loss, or a table of losses"),
        ('datasets = ["osie"]\nloss = {nss = 1, hinge = 1}', "no loss 'hinge'"),
        ('datasets = ["osie"]\nloss = {nss = -1}', "loss: {'nss': -1} .needs a loss, or a table of losses"),
        (
            'datasets = ["osie"]\nphases = [{epochs = 1, learning_rate = 1, learning_rates = {blur = -1}}]',
            "phase 1: learning_rates: {'blur': -1} .needs a table of numbers from 0 on",
        ),
        ('datasets = ["osie"]\ncls = 3', "unknown: cls"),
        ('datasets = ["osie"]\nteacher = 3', "teacher: 3 .needs the file of a mixture"),
        ('datasets = ["osie"]\nteacher = {members = {one = 3, two = 3}}', "recipe.toml: 3 .needs a table"),
        ('datasets = ["osie"]\nschedule = "step"', "schedule: 'step' .needs one of cosine, constant"),
        ('datasets = ["osie"]\nphases = []', "phases: .. .needs at least one"),
        ('datasets = ["osie"]\nweight_decay = -1.0', "weight_decay: -1.0"),
        ('datasets = ["osie"]\naverage = 5.0', "average: 5.0"),
        ('datasets = ["osie"]\npatience = 2', "patience needs images that are held out"),
        ('datasets = ["osie"]\ntemperature = 0.0', "temperature: 0.0"),
        ('datasets = ["osie"]\nmodel = "unknown-net"', "model: 'unknown-net'"),
        ('datasets = ["osie"]\nprecision = "half"', "precision: 'half' .needs one of no, bf16, fp16, auto"),
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
        "loss = {nss = '1'}": "loss: {'nss': '1'} (needs a loss, or a table of losses with their weights, above 0)",
        "seen_at = { relative = [0.0] }": "seen_at: {'relative': [0.0]} (needs a table of relative and absolute, "
        "each a list of numbers above 0)",
        "start_from = 1": "start_from: 1 (needs a file of weights, or the name of a model)",
        "model = ['foveal-s']": f"model: ['foveal-s'] (needs one of {', '.join(list_networks())})",
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


def test_changed_copies_are_checked_as_well():
    recipe = Recipe(("toy",), held_out=3)
    assert replace(recipe, held_out=4) == Recipe(("toy",), held_out=4)
    with pytest.raises(FovealError, match=r"^held_out: 10 .needs a fold, 0 to 9.$"):
        replace(recipe, held_out=10)
    with pytest.raises(FovealError, match=r"^epochs: 0 .needs a whole number from 1 on.$"):
        Phase(0, 1e-2)


def test_what_one_recipe_says_of_all(tmp_path):
    """A mixture and a teacher are changed with all their members."""
    both = Mixture({"one": Recipe(("osie",)), "two": Recipe(("osie",), temperature=1.5, loss="nss")})
    student = Recipe(("osie",), teacher=both, prior_weight=0.5)
    for tree in (both, student, student.without_fold(3).of_datasets(("toy",))):
        assert tree.first.examples == tree.examples
    assert student.examples == (("osie",), None)
    changed = student.without_fold(3).of_datasets(("toy",))
    of_members = {name: member.examples for name, member in changed.teacher.members.items()}
    assert of_members == {"one": (("toy",), 3), "two": (("toy",), 3)}
    assert changed.examples == (("toy",), 3)
    assert changed.prior_weight == 0.5
    unfinished = student.unfinished
    assert (unfinished.prior_weight, unfinished.teacher.members["two"].temperature) == (None, 1.0)
    assert [member.loss for member in unfinished.teacher.members.values()] == ["log-likelihood", "nss"]


def test_losses_and_learning_rates(tmp_path):
    assert Recipe(("toy",)).losses == {"log-likelihood": 1}
    assert Recipe(("toy",), loss="nss").losses == {"nss": 1}
    said_by_all_earlier_versions = Recipe(("toy",), loss="log-likelihood")
    assert Recipe(("toy",)).unfinished == said_by_all_earlier_versions.unfinished
    phases = (Phase(2, 1e-2, 1e-3, {"blur": 0.5}),)
    recipe = Recipe(("toy",), loss={"kl": 10, "nss": 1.5}, phases=phases)
    assert recipe.losses == {"kl": 10, "nss": 1.5}
    assert [phases[0].rate_of(group) for group in ("readout", "backbone", "blur")] == [1e-2, 1e-3, 0.5]
    recipe.write(tmp_path / "recipe.toml")
    assert Recipe.read(tmp_path / "recipe.toml") == recipe


def test_weights_to_start_from_lie_beside_the_recipe(tmp_path, monkeypatch):
    path = tmp_path / "fine" / "recipe.toml"
    path.parent.mkdir()
    path.write_text('datasets = ["osie"]\nstart_from = "../run/foveal-s.safetensors"')
    recipe = Recipe.read(path)
    assert recipe.start_from == str(tmp_path / "run" / "foveal-s.safetensors")
    recipe.write(tmp_path / "elsewhere.toml")
    assert Recipe.read(tmp_path / "elsewhere.toml") == recipe
    monkeypatch.chdir(tmp_path / "fine")
    assert Recipe(("osie",), start_from="../run/foveal-s.safetensors") == recipe
    assert Recipe(("osie",), start_from="foveal-s").start_from == "foveal-s"


def test_views_of_a_recipe():
    assert Recipe(("toy",), mirrored=False).views == [View()]
    assert Recipe(("toy",)).views == [View(), View(mirrored=True)]
    assert Recipe(("toy",), viewing_distance="assumed", mirrored=False).views == [View(scale_is_known=False)]
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


@pytest.mark.parametrize("name", published_recipes())
def test_every_recipe_of_the_package_can_be_read(name):
    """With a configuration that its network takes."""
    tree = read_recipe(name)
    for recipe in getattr(tree, "members", {"": tree}).values():
        network_class(recipe.model).Config.of(recipe.config or {}).completed()


def test_the_recipe_for_designs_goes_on_from_the_published_model():
    recipe = read_recipe("ueyes")
    assert (recipe.datasets, recipe.start_from, recipe.mirrored) == (("ueyes",), "foveal-s", False)
    check(recipe)  # which loads the weights of foveal-s into its network
    with pytest.raises(FovealError, match="start_from: foveal-s: its weights do not fit config"):
        check(replace(recipe, config={**recipe.config, "hidden": 31}))


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
