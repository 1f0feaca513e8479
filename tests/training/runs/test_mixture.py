"""Several networks as one: training them by one recipe, the mean of their densities, what a file of it says."""

from dataclasses import replace

import numpy as np
import pytest
from toy import make_dataset

from foveal.errors import FovealError
from foveal.models import load_model
from foveal.models.deep.foveal_l import FovealL
from foveal.models.registry import read_provenance
from foveal.training import Recipe, train_by_recipe
from foveal.training.recipe import Mixture, read_recipe
from foveal.training.runs.held_out import read_maps, write_maps
from foveal.training.runs.tree import mixed

pytestmark = [
    pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote"),
    pytest.mark.usefixtures("two_folds_of_toy"),
]
MEMBER = """
datasets = ["toy"]
seed = {seed}
[config]
backbone = "efficientnet_lite_tiny"
taps = ["block2", "block4", "block5"]
first_trained = "block5"
working_area = {area}
width = 16
hidden = 8
[[phases]]
epochs = 1
learning_rate = 0.01
"""


@pytest.fixture
def recipe(tmp_path):
    """Of two members that differ in seed and working area."""
    for name, seed, area in (("one", 0, 6_000), ("two", 1, 9_000)):
        (tmp_path / f"{name}.toml").write_text(MEMBER.format(seed=seed, area=area))
    path = tmp_path / "both.toml"
    path.write_text('members = ["one.toml", "two.toml"]\n')
    return path


def test_one_recipe_for_all(tmp_path, recipe):
    done = train_by_recipe(recipe, out=tmp_path / "out", cross_validated=True)
    model = load_model(done.path)
    assert isinstance(model, FovealL)
    members = [load_model(tmp_path / f"out/{name}/foveal-s.safetensors") for name in ("one", "two")]
    assert [member.config.working_area for member in members] == [6_000, 9_000]
    image = make_dataset(6).stimuli[0].image
    expected = np.mean([np.exp(member.predict(image).log_density) for member in members], axis=0)
    np.testing.assert_allclose(np.exp(model.predict(image).log_density), expected, rtol=1e-3)
    assert list(read_provenance(done.path)["members"]) == ["one", "two"]
    held_out = [read_maps(tmp_path / "out" / name / "held_out/toy.hdf5") for name in (".", "one", "two")]
    assert sorted(held_out[0]) == sorted(make_dataset(6).stimuli.ids)
    for name, found in held_out[0].items():
        np.testing.assert_allclose(found, mixed([held_out[1][name], held_out[2][name]]))
        assert np.exp(found).sum() == pytest.approx(1, abs=1e-4)


def test_densities_on_grids_of_different_size_are_mixed_on_the_finest():
    coarse, fine = np.log(np.full((2, 2), 0.25, np.float32)), np.log(np.full((4, 4), 1 / 16, np.float32))
    np.testing.assert_allclose(mixed([coarse, fine]), np.log(np.full((4, 4), 1 / 16)), rtol=1e-5)
    one, other = np.log(np.array([[0.9, 0.1]], np.float32)), np.log(np.array([[0.5, 0.5]], np.float32))
    np.testing.assert_allclose(np.exp(mixed([one, other])), [[0.7, 0.3]], rtol=1e-5)


def test_reading_recipes(tmp_path, recipe):
    mixture = read_recipe(recipe)
    assert isinstance(mixture, Mixture)
    assert {name: member.seed for name, member in mixture.members.items()} == {"one": 0, "two": 1}
    assert isinstance(read_recipe(tmp_path / "one.toml"), Recipe)
    recipe.write_text('members = ["one.toml"]\n')
    with pytest.raises(FovealError, match="at least two"):
        read_recipe(recipe)
    recipe.write_text('members = ["one.toml", "three.toml"]\n')
    with pytest.raises(FovealError, match=r"three.toml: no recipe"):
        read_recipe(recipe)


def test_members_that_do_not_go_together(tmp_path, recipe):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/one.toml").write_text(MEMBER.format(seed=2, area=6_000))
    recipe.write_text('members = ["one.toml", "other/one.toml"]\n')
    with pytest.raises(FovealError, match="two members of one name"):
        read_recipe(recipe)
    (tmp_path / "three.toml").write_text("held_out = 0\n" + MEMBER.format(seed=2, area=6_000))
    recipe.write_text('members = ["one.toml", "three.toml"]\n')
    with pytest.raises(FovealError, match=r"both.toml: .*the same datasets and held_out"):
        read_recipe(recipe)
    # A teacher that is a table in the student's file, of which but the first member leaves out what the student does.
    one = Recipe(("toy",), held_out=0)
    Recipe(("toy",), held_out=0, teacher=Mixture({"one": one, "two": replace(one, seed=1)})).write(tmp_path / "s.toml")
    text = (tmp_path / "s.toml").read_text()
    assert read_recipe(tmp_path / "s.toml").examples == (("toy",), 0)
    at = text.rindex("held_out = 0")
    (tmp_path / "s.toml").write_text(text[:at] + "held_out = 1" + text[at + 12 :])
    with pytest.raises(FovealError, match=r"s.toml: .*the same datasets and held_out"):
        read_recipe(tmp_path / "s.toml")


def test_maps_whose_names_are_paths(tmp_path):
    maps = {"a/1.jpg": np.zeros((2, 3), np.float32), "b.jpg": np.ones((2, 3), np.float32)}
    write_maps(tmp_path / "maps.hdf5", maps)
    assert read_maps(tmp_path / "maps.hdf5").keys() == maps.keys()
