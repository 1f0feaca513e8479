"""`foveal datasets NAME`: where to get it, under which licence, and what is published of where people looked."""

import json

import pytest

from foveal.datasets import dataset_card, list_datasets


@pytest.mark.parametrize("name", list_datasets())
def test_a_card_is_told(foveal, name):
    code, out, _ = foveal("datasets", name, "--data-root", ".")
    card = dataset_card(name)
    assert code == 0
    said = " ".join(out.split())
    for fact in (card.title, card.url, card.licence, card.citation, card.how_to_get, card.gaze, card.facts):
        assert " ".join(fact.split()) in said
    assert json.loads(foveal("datasets", name, "--data-root", ".", "--json")[1])[0]["gaze"] == card.gaze
