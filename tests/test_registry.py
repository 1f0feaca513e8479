"""Names: one thing a name, and a line that says what there is."""

import pytest

from foveal.datasets import catalogue
from foveal.errors import FovealError
from foveal.registry import Registry
from foveal.training.losses import get_loss, register_loss


def one():
    pass


def other():
    pass


def test_a_name_is_given_once():
    registry = Registry("thing")
    registry.add("a", 1, of=one)
    with pytest.raises(FovealError, match=r"^thing 'a': .*\.one is called so already; choose another name$"):
        registry.add("a", 2, of=other)
    registry.add("a", 3, of=one)  # its module was imported anew
    assert (list(registry), registry.get("a"), registry.values(), "b" in registry) == (["a"], 3, [3], False)


def test_what_is_not_known_is_said_with_what_is():
    registry = Registry("thing")
    for name in ("IG", "sAUC"):
        registry.add(name, name, of=one)
    with pytest.raises(FovealError, match=r"^no thing 'sauk' \(did you mean sAUC\? known: IG, sAUC\)$"):
        registry.get("sauk")
    with pytest.raises(FovealError, match=r"^no thing 'what' \(known: IG, sAUC\)$"):
        registry.get("what")


def test_losses_and_data_sets_keep_their_names():
    """Both once gave way to whoever came later, and said nothing."""
    with pytest.raises(FovealError, match=r"^loss 'kl': .*kullback_leibler is called so already"):
        register_loss("kl")(lambda log_density, observed: get_loss("cc")(log_density, observed))
    with pytest.raises(FovealError, match=r"^data set 'osie': .* is called so already"):
        catalogue.register_dataset(catalogue.dataset_card("osie"))(lambda folder: None)
