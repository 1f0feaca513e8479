"""What holds for every network that a recipe can train, at its tiny size."""

import re
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from toy import make_dataset

from foveal.models import load_model
from foveal.models.deep.network import (
    BACKBONE,
    READOUT,
    DensityNetwork,
    Network,
    list_networks,
    network_class,
)
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.runs.held_out import read_maps
from foveal.training.runs.one_run import train_deep
from foveal.training.runs.prepare import network_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote"),
    pytest.mark.usefixtures("empty_cache"),
]
TAPS = re.compile(r"taps\..*\.(mean|std)")
# Small forms have the code of their networks: one of them stands for all where a network is trained.
SMALL = [name for name in list_networks() if name.endswith("-lite")]
every_network = pytest.mark.parametrize("name", [name for name in list_networks() if name not in SMALL[1:]])
# How a run goes on depends on how a network meets it: by kept features or pixels, with one encoder or several, with one
# map, several or components, with numbers by chance or statistics of batches.
KINDS = ("foveal-s", "salnet", "mlnet", "eml-net", "deep-visual-attention", "deepgaze2e", "unisal")


def recipe_of(name, **changes):
    """Of its tiny size, with all that is trained of it."""
    cls = network_class(name)
    recipe = Recipe(
        ("toy",),
        model=name,
        config=asdict(cls.tiny),
        held_out=0,
        phases=(Phase(2, 3e-3, 3e-4),),
        batch_size=4,
        average=0.5,
    )
    return replace(recipe, **changes)


def train(recipe, out, datasets=None, **options):
    given = {"resume": False, "progress": Progress(), **options}
    return train_deep(recipe, datasets or [make_dataset(6)], out, **given)


@pytest.mark.parametrize("name", list_networks())
def test_its_tiny_size_can_be_made(name):
    cls = network_class(name)
    assert cls.tiny.completed() == cls.tiny
    assert sum(weight.numel() for weight in cls(cls.tiny).parameters()) < 250_000


@every_network
def test_it_learns_and_predicts(tmp_path, name):
    """Of two data sets with images of different size; what is written of held-out images are densities."""
    datasets = [make_dataset(12), make_dataset(6, size=(80, 60), name="other")]
    epochs = 10 if name == "salgan" else 7  # by its cross-entropy, a map of few cells learns slowly
    done = train(recipe_of(name, phases=(Phase(epochs, 1e-2, 1e-3),)), tmp_path, datasets)
    assert done.log[-1]["loss"] < done.log[0]["loss"]
    assert 0.5 < done.log[-1]["AUC"] < 1
    model = load_model(done.path)
    assert isinstance(model, Network)
    assert (model.name, model.config) == (name, network_class(name).tiny)
    prediction = model.predict(datasets[0].stimuli[0].image)
    assert np.exp(prediction.log_density.astype(np.float64)).sum() == pytest.approx(1, abs=1e-4)
    for data in datasets:
        written = read_maps(tmp_path / f"held_out/{data.name}.hdf5")
        assert list(written) == [data.stimuli.ids[image] for image in range(0, len(data), 10)]
        assert [np.exp(values).sum() for values in written.values()] == pytest.approx([1] * len(written), abs=1e-4)


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize("name", KINDS)
def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path, name):
    """In the middle of a phase and between two, one after the other; the second time, other processes read ahead."""
    from_pixels = not network_class(name)(network_class(name).tiny).keeps_features
    two = (Phase(1, 3e-3), Phase(2, 3e-3, 3e-4))
    recipe = recipe_of(name, colors=0.2 if from_pixels else 0.0, batch_size=2, phases=two)
    whole = load_model(train(recipe, tmp_path / "whole").path).state_dict()
    out = tmp_path / "stopped"
    for epoch in (2, 3):

        def stop(what, done, total, epoch=epoch):
            if what == f"epoch {epoch}/3" and done == 1:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(recipe, out, resume=epoch > 2, progress=Progress(stop))
    resumed = load_model(train(recipe, out, resume=True, workers=1).path).state_dict()
    for key, tensor in whole.items():
        torch.testing.assert_close(resumed[key], tensor, rtol=0, atol=0, msg=key)


@every_network
@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize("trained", [READOUT, BACKBONE])
def test_only_what_is_to_be_trained_changes(tmp_path, name, trained):
    recipe = recipe_of(name)
    torch.manual_seed(recipe.seed)
    before = network_of(recipe)
    groups = before.parameter_groups()
    if trained not in groups:
        pytest.skip(f"{name} has no group {trained}")
    before.load_pretrained()
    rates = {group: 3e-3 if group == trained else 0.0 for group in groups}
    after = load_model(train(replace(recipe, phases=(Phase(1, 3e-3, 0.0, rates),)), tmp_path).path)
    ids = {id(weight) for weight in groups[trained]}
    new = after.state_dict()
    takes_up = "readout." if isinstance(before, DensityNetwork) else None  # the sharpness of the data sets
    of_datasets = before.numbers() if isinstance(before, DensityNetwork) else ()
    own = [key for key, weight in before.named_parameters() if id(weight) in ids]
    follows = [key.removesuffix("weight") for key in own if f"{key.removesuffix('weight')}running_mean" in new]
    for key, old in before.state_dict().items():
        # What is set from the data at the beginning or in the end, or by normalisations that are not pretrained.
        is_set = key.startswith("calibration.") or key in ("log_prior", *of_datasets) or TAPS.fullmatch(key)
        is_followed = key.removesuffix(key.rpartition(".")[2]) in follows  # statistics of a trained normalisation
        if key not in own and not is_set and not is_followed and not (takes_up and key.startswith(takes_up)):
            assert torch.equal(old.half().float(), new[key].half().float()), key
    assert any(not torch.equal(before.state_dict()[key], new[key]) for key in own)


@every_network
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_a_gpu_says_what_a_cpu_says(name):
    torch.manual_seed(0)
    model = network_class(name)(network_class(name).tiny).eval()
    images = torch.rand(2, 3, 60, 80)
    expected = model.log_density(images)
    found = model.cuda().log_density(images.cuda()).cpu()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
