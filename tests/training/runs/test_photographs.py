"""Photographs as they are shown to a network that is trained from pixels, and trainings that go on from others."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from toy import make_dataset, write_palette_without_colors

from foveal.errors import FovealError
from foveal.features.views import Crop, View
from foveal.gaze import Dataset, Stimuli
from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.mlnet import MLNet
from foveal.models.deep.network import IMAGE
from foveal.models.parts.sizes import Viewing
from foveal.models.registry import trained_on
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.recipe import Mixture
from foveal.training.runs.examples import Examples
from foveal.training.runs.one_run import train_deep
from foveal.training.runs.photographs import Photographs
from foveal.training.runs.prepare import check, prepare
from foveal.training.runs.reading import Steps, read

RECIPE = Recipe(("toy",), model="mlnet", config=asdict(MLNet.tiny), phases=(Phase(1, 1e-3, 1e-4),), batch_size=4)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MLNet(MLNet.tiny).eval()


def as_seen(network, pixels, zoom=1.0):
    return network.see(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255, Viewing(zoom=zoom))[IMAGE]


def test_views_of_pixels(network):
    """Plain, mirrored, larger, a corner: what the network sees of the image that is changed so by hand."""
    data = make_dataset(3)
    image = data.stimuli[2].image  # of which the corner at the bottom left is shown
    by_hand = {
        View(): as_seen(network, image),
        View(mirrored=True): as_seen(network, image[:, ::-1]),
        View(zoom=1.5): as_seen(network, image, 1.5),
        View(crop=Crop(0.5)): as_seen(network, image[30:, :40]),
    }
    for view, expected in by_hand.items():
        viewing, size = Viewing(zoom=view.zoom), view.crop.size((60, 80))
        shown = Photographs(network, data, 0, view, viewing, size, [0, 1, 2], 0.0).read([2])[IMAGE]
        torch.testing.assert_close(shown, expected, rtol=0, atol=1e-6)


def test_colors_change_by_chance_and_always_in_the_same_way(network):
    data = make_dataset(4)
    shown = Photographs(network, data, 0, View(), Viewing(), (60, 80), [0, 1, 2, 3], 0.5)
    plain, first, again, other = (shown.read([0, 2], seed)[IMAGE] for seed in (None, 7, 7, 8))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert (first - other).abs().max() > 0.02
    assert (first - plain).abs().max() > 0.02
    assert (first.min(), first.max()) >= (0, 0)
    assert first.max() <= 1
    alone = shown.read([2], 7)[IMAGE]  # whatever is read with it
    torch.testing.assert_close(first[1:], alone, rtol=0, atol=0)


def test_what_others_read_ahead_is_the_same(network):
    datasets = [make_dataset(5), make_dataset(4, size=(80, 60), name="other")]
    none = [np.zeros(0, np.int64)] * 2
    examples = Examples(network, datasets, none, RECIPE.views, Progress(), 0.3)
    steps = list(examples.steps(4, torch.Generator().manual_seed(0)))
    read_here, read_ahead = (list(read(Steps(steps, None, 3, 0, 1), workers)) for workers in (0, 2))
    assert len(read_here) == len(read_ahead) == 3
    for here, ahead in zip(read_here, read_ahead, strict=True):
        for (batch, weight), (other, other_weight) in zip(here, ahead, strict=True):
            assert weight == other_weight
            torch.testing.assert_close(batch.seen[IMAGE], other.seen[IMAGE], rtol=0, atol=0)
            torch.testing.assert_close(batch.observed.counts, other.observed.counts)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_photograph_that_vanishes_is_one_line(network, tmp_path, workers):
    whole = make_dataset(4)
    sources = [stimulus.image for stimulus in whole.stimuli]
    write_palette_without_colors(tmp_path / "gone.png", (60, 80))
    data = Dataset("toy", Stimuli([*sources[:3], tmp_path / "gone.png"]), whole.fixations)
    examples = Examples(network, [data], [np.zeros(0, np.int64)], [View()], Progress())
    steps = list(examples.steps(4, torch.Generator().manual_seed(0)))
    with pytest.raises(FovealError, match=r"gone\.png: the image cannot be read") as error:
        list(read(Steps(steps, None, 0, 0, 1), workers))
    assert len(str(error.value).splitlines()) == 1


def train(recipe, out, data=None):
    return train_deep(recipe, [data or make_dataset(6)], out, resume=False, progress=Progress())


def examples_of(start):
    """Groups of a foveal-s that begins with the features of a file, or with the plain ones."""
    recipe = Recipe(("toy",), config=asdict(FovealS.tiny), mirrored=False, start_from=start and str(start))
    run = prepare(recipe, [make_dataset(6)], recipe.views, Accelerator(cpu=True), Progress())
    return run.examples.groups[0]


@pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")
@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("network", [MLNet, FovealS])
def test_a_training_that_starts_from_a_file(tmp_path, network):
    """With a rate of nearly nothing the weights are those of the file, which names what both were trained on."""
    recipe = replace(RECIPE, model=network.card.name, config=asdict(network.tiny))
    first = train(replace(recipe, phases=(Phase(1, 1e-2, 1e-2),)), tmp_path / "first").path
    nearly_nothing = (Phase(1, 1e-12, 1e-12),)
    again = replace(recipe, start_from=str(first), phases=nearly_nothing, weight_decay=0.0)
    second = train(again, tmp_path / "second", make_dataset(6, name="other")).path
    before, after = (load_model(path) for path in (first, second))
    for (key, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(new, old, rtol=2e-3, atol=1e-5, msg=key)
    assert trained_on(second) == ["toy", "other"]
    if network is FovealS:  # a cache that holds features of the plain backbone has none of the file's
        features = [group.shown.feature("block5", 3) for group in examples_of(first) + examples_of(None)]
        assert np.abs(features[0] - features[1]).max() > 1e-3
    other_size = {key: value * 2 if key in ("hidden", "width") else value for key, value in recipe.config.items()}
    with pytest.raises(FovealError, match=r"start_from: .*first.*: its weights do not fit config"):
        train(replace(again, config=other_size), tmp_path / "third")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"dropout": 1.5}, "dropout"),
        ({"hidden": 0}, r"hidden: 0 \(needs a value such as 64\)"),
        ({"prior_rows": -2}, "prior_rows: -2"),
        ({"backbone": "lenet"}, "no backbone 'lenet'"),
        ({"hiden": 3}, r"unknown: hiden \(did you mean hidden"),
    ],
)
def test_a_configuration_that_cannot_be(tmp_path, config, message):
    with pytest.raises(FovealError, match=f"config of mlnet: .*{message}"):
        train(replace(RECIPE, config=RECIPE.config | config), tmp_path)


def test_norms_that_are_not_there(tmp_path):
    with pytest.raises(FovealError, match="batch_norms: mlnet has none"):
        train(replace(RECIPE, batch_norms="trained"), tmp_path)


def test_a_map_does_not_teach():
    maps = replace(RECIPE, datasets=("toy",))
    two = Mixture({"one": maps, "two": replace(maps, seed=1)})
    student = Recipe(("toy",), config=asdict(FovealS.tiny), teacher=two)
    with pytest.raises(FovealError, match="teacher: mlnet says maps"):
        check(student)


def test_rates_of_groups_that_are_not_there(tmp_path):
    recipe = replace(RECIPE, phases=(Phase(1, 1e-3, learning_rates={"reedout": 1.0}),))
    with pytest.raises(FovealError, match=r"phase 1: learning_rates: unknown: reedout \(did you mean readout"):
        train(recipe, tmp_path)
