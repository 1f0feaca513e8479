"""The card of a model."""

import json

import pytest

from foveal.benchmarking.card import model_card_text
from foveal.errors import FovealError
from foveal.models import load_model, save_model


def test_what_was_trained_and_measured(tmp_path):
    provenance = {
        "recipe": {"datasets": ["a", "b"], "seed": 0, "held_out": 0, "config": None},
        "datasets": [{"name": "a", "licence": "MIT", "images": 7}, {"name": "b", "licence": "CC0", "images": 9}],
        "last_epoch": {"IG": 1.23456},
    }
    save_model(load_model("bms"), tmp_path / "bms.safetensors", provenance)
    row = {"model": "bms", "dataset": "a", "metric": "IG", "value": 1.5, "ci_low": 1.4, "ci_high": 1.6, "n_images": 7}
    (tmp_path / "a.json").write_text(json.dumps([row]))
    text = model_card_text(str(tmp_path / "bms.safetensors"), [tmp_path / "a.json"])
    for line in (
        "| a | MIT | 7 |",
        "| b | CC0 | 9 |",
        "- recipe: seed: 0",
        "- recipe: fold that was held out (image i belongs to fold i modulo 10): 0",
        "- kept weights: information gain on the held-out images, bit per fixation: 1.235",
        "| bms | a | 7 | IG | 1.5000 | 1.4000 … 1.6000 |",
    ):
        assert line in text.splitlines()
    assert "config" not in text


def test_models_of_the_package():
    assert "| osie | MIT | 700 |" in model_card_text("bms")
    assert "## Training" not in model_card_text("uniform")


def test_a_network_and_its_small_form():
    text = model_card_text("salgan")
    assert "It comes without weights: `foveal train salgan --out run` makes them, in hours" in text
    assert "salgan-lite, a small form of it, is ready" in text
    text = model_card_text("salgan-lite")
    assert "without weights" not in text
    assert "It is a small form of salgan: what follows is said of that" in text
    assert "small form" not in model_card_text("itti1998")


def test_a_model_that_another_reads_has_a_card_of_its_own():
    text = model_card_text("cerf")
    assert "| eyecrowd | MIT | 500 |" in text
    assert "More: `foveal models faces`." in text.splitlines()
    assert "- command: foveal train cerf --dataset osie" in text.splitlines()
    assert "recipe" not in text  # foveal-s's
    assert "- recipe: seed: 0" in model_card_text("foveal-l").splitlines()  # its members have no other card


def test_commands(tmp_path):
    assert "    foveal train foveal-s --out foveal-s" in model_card_text("foveal-s").splitlines()
    assert "foveal predict" not in model_card_text("gold")  # reads fixations
    path = tmp_path / "bms.safetensors"
    save_model(load_model("bms"), path)
    assert "foveal train" not in model_card_text(str(path))
    (tmp_path / "recipe.toml").touch()  # beside weights that a run wrote
    lines = model_card_text(str(path)).splitlines()
    assert {
        f"    foveal train {tmp_path}/recipe.toml --out anew",
        f"    foveal predict photo.jpg --model {path}",
    } <= set(lines)


def test_results_that_are_none(tmp_path):
    (tmp_path / "a.json").write_text("[{}]")
    with pytest.raises(FovealError, match="no table of results"):
        model_card_text("bms", [tmp_path / "a.json"])
    with pytest.raises(FovealError, match="no table of results"):
        model_card_text("bms", [tmp_path / "missing.json"])


def test_tables_that_hold_no_numbers(tmp_path):
    """What is no number is written as null; a table of another kind is refused, in any encoding."""
    row = {"model": "é", "dataset": "a", "metric": "IG", "value": None, "ci_low": None, "ci_high": 1, "n_images": 7}
    table = tmp_path / "a.json"
    table.write_text(json.dumps([row], ensure_ascii=False), encoding="utf-8")
    assert "| é | a | 7 | IG | nan | nan … 1.0000 |" in model_card_text("uniform", [table]).splitlines()
    for content in (b"\xff\xfe", b"[" * 100_000, b"[1]", b"7", json.dumps([row | {"value": "high"}]).encode()):
        table.write_bytes(content)
        with pytest.raises(FovealError, match=r"a.json: no table of results"):
            model_card_text("uniform", [table])


def test_a_card_of_weights_that_say_nothing_of_their_members(tmp_path):
    save_model(load_model("bms"), tmp_path / "m.safetensors", {"members": None})
    assert model_card_text(str(tmp_path / "m.safetensors")).startswith("# bms")
