"""The one door to all training: what it takes for a recipe, and what it refuses."""

import pytest
from toy import make_dataset

import foveal
from foveal.errors import FovealError
from foveal.training import Recipe, is_recipe


def test_what_a_recipe_is(tmp_path):
    assert is_recipe("foveal-s")
    assert not is_recipe("foveal-s", "osie")
    assert is_recipe("recipe.toml", "osie")  # and the data set is refused
    assert is_recipe(tmp_path / "recipe.toml")
    assert is_recipe(Recipe(("osie",)))
    assert not any(is_recipe(other) for other in ("bms", "run/foveal-s.safetensors"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "osie"}, "--dataset: not with a recipe, which says it itself"),
        ({"seed": 0}, "--seed: not with a recipe, which says it itself"),
        ({"left_out": "images"}, "--leave-out: not with a recipe, which says it itself"),
        ({"layers": ["conv5"]}, "--layers: not with a recipe, which says it itself"),
        ({"folds": 5}, "--folds: a recipe has 10 folds"),
    ],
)
def test_options_that_do_not_go_with_a_recipe(options, message, tmp_path):
    for recipe in (Recipe(("osie",)), tmp_path / "missing.toml"):
        with pytest.raises(FovealError) as raised:
            foveal.train(recipe, out=tmp_path, **options)
        assert str(raised.value) == message


def test_without_a_recipe_there_is_a_data_set(tmp_path):
    with pytest.raises(FovealError, match="--dataset: needed, unless a recipe is given"):
        foveal.train("bms", out=tmp_path)
    with pytest.raises(FovealError, match=r"missing.toml: no recipe"):
        foveal.train(tmp_path / "missing.toml", out=tmp_path)
    assert foveal.train("centerbias", make_dataset(3), out=tmp_path).path == str(tmp_path / "centerbias.safetensors")
