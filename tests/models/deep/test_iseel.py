"""iSEEL: what each learner says, whose learners are asked, and what is made of their sum."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy import disc_center, make_dataset, make_photograph

from foveal.errors import FovealError
from foveal.gaze.maps import gaussian_blur
from foveal.models import load_model, save_model
from foveal.models.base import stacked
from foveal.models.deep.iseel import ISEEL, ISEELConfig
from foveal.models.parts.extreme_learning import hidden_layers
from foveal.models.parts.finalizer import resize_maps
from foveal.models.parts.geometry import Grid, resample
from foveal.models.parts.gist import gist
from foveal.training.fits.learning import learn
from foveal.training.fits.learning.ensemble import PENALTY, looked_at


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ISEEL(ISEEL.tiny).eval()


@pytest.fixture(scope="module")
def learned():
    dataset = make_dataset(10)
    model = ISEEL(ISEEL.tiny).eval()
    learn(model, dataset, 0, lambda *_: None)
    return model, dataset


def test_cells_are_described_at_every_scale_where_they_are(model):
    image = torch.rand(1, 3, 48, 64)
    features, _ = model.see(image)
    cells = Grid.over((48, 64), (9, 12))
    at_scales = []
    for size in ((48, 64), (36, 48)):
        seen = torch.nn.functional.interpolate(image, size, mode="bilinear", antialias=True)
        maps = model.backbone(seen, ["pool5"])["pool5"]
        grid = model.backbone.grids(size, ["pool5"])["pool5"].scaled(48 / size[0], 64 / size[1])
        at_scales.append(resample(maps, grid, cells)[0])
    expected = torch.cat(at_scales).permute(1, 2, 0)
    assert features.shape == (1, 9, 12, 64)
    torch.testing.assert_close(features[0], expected / expected.norm(dim=2, keepdim=True), rtol=1e-4, atol=1e-5)


def test_a_scene_is_its_gist_and_what_is_in_it(model):
    image = torch.rand(1, 3, 36, 48)  # of the last scale
    _, scenes = model.see(image)
    means = model.backbone(image, ["pool5"])["pool5"].mean(dim=(2, 3))[0]
    expected = torch.cat([gist(image)[0] / gist(image)[0].norm(), means / means.norm()])
    torch.testing.assert_close(scenes[0], expected)


def test_learners_of_the_most_similar_scenes_are_asked(model):
    """Seven tenths of eight are six."""
    scene = model.scenes.mean(dim=0, keepdim=True)
    distances = [float(((scene[0] - other) ** 2).sum()) for other in model.scenes]
    farthest = sorted(range(8), key=distances.__getitem__)[6:]
    assert (~model.asked(scene)[0]).nonzero().flatten().tolist() == sorted(farthest)
    assert ISEEL.Config().nearest * ISEEL.Config().learners == pytest.approx(490)


def test_the_map_is_the_sharpened_sum_of_those_who_are_asked(model):
    """Cell by cell and learner by learner."""
    image = torch.rand(1, 3, 48, 64)
    model.log_center = torch.rand(64, 64)
    features, scenes = model.see(image)
    weights, biases = hidden_layers(range(8), 64, 10, torch.device("cpu"))
    votes = torch.zeros(9, 12)
    for row in range(9):
        for column in range(12):
            for learner in model.asked(scenes)[0].nonzero().flatten().tolist():
                units = torch.sigmoid(weights[learner] @ features[0, row, column] + biases[learner])
                votes[row, column] += torch.tanh(units @ model.output_weights[learner])
    shares = votes.clamp(min=0) / votes.clamp(min=0).sum()
    sharpened = shares.double() ** 6 * resize_maps(model.log_center[None], (9, 12))[0].exp()
    expected = gaussian_blur(resize_maps(sharpened[None], (48, 64)), 13 / 800 * 64)[0]
    found = model.saliency_map(image)[0]
    assert found.max() > 0
    torch.testing.assert_close(found / found.max(), (expected / expected.max()).float(), rtol=1e-3, atol=1e-4)


def test_what_nobody_votes_for_is_a_map_of_zeros(model):
    model.output_weights = -model.output_weights.abs()
    assert not model.saliency_map(torch.rand(1, 3, 48, 64)).any()


@pytest.mark.parametrize("size", [(7, 300), (300, 7), (1, 1), (80, 60)])
def test_images_of_any_shape(model, size):
    assert model.saliency_map(torch.rand(1, 3, *size)).isfinite().all()


def test_every_learner_learns_its_photograph(learned):
    """What its weights leave unsaid is, to each hidden unit, as much as the weight costs."""
    model, dataset = learned
    features, scenes = model.see(stacked([dataset.stimuli[3].image]))
    torch.testing.assert_close(scenes[0], model.scenes[3])
    hidden = model.hidden(features[0], range(10))[:, 3].double()
    target, weights = looked_at(dataset, 3, (9, 12)).flatten().double(), model.output_weights[3].double()
    np.testing.assert_allclose(hidden.T @ (target - hidden @ weights), PENALTY * weights, atol=1e-3)
    assert target.max() == 1


def test_it_has_a_learner_for_each_photograph_and_writes_little(learned, tmp_path):
    """The hidden layers and VGG-16 are not in the file; the number of learners is."""
    model, _ = learned
    assert model.config == replace(ISEEL.tiny, learners=10)
    save_model(model, tmp_path / "iseel.safetensors")
    loaded = load_model(tmp_path / "iseel.safetensors")
    image = torch.rand(1, 3, 48, 64)
    assert torch.equal(loaded.saliency_map(image), model.saliency_map(image))
    numbers = 10 * (512 + 32 + 10) + 64 * 64
    assert (tmp_path / "iseel.safetensors").stat().st_size < 4 * numbers + 20_000


def test_it_finds_what_is_looked_at_in_photographs_that_it_has_not_seen():
    """Of features that are fine enough for the disc; better than the center prior alone."""
    config = replace(ISEEL.tiny, sides=(320,), cells=16)
    model = ISEEL(config).eval()
    learn(model, make_dataset(20), 0, lambda *_: None)
    scores = []
    for seed in range(50, 60):
        saliency = model.saliency_map_of([make_photograph(seed)])[0]
        center = resize_maps(model.log_center[None], (60, 80))[0]
        cx, cy = (round(place) for place in disc_center(seed, (60, 80)))
        scores.append([float((of < of[cy, cx]).float().mean()) for of in (saliency, center)])
    ours, of_center = np.mean(scores, axis=0)
    assert ours > of_center + 0.02


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"sides": ()}, r"sides: \[\] \(needs a list of whole numbers from 32 on"),
        ({"sides": (512, 16)}, r"sides: \[512, 16\]"),
        ({"nearest": 1.5}, r"nearest: 1.5 \(needs a number above 0, up to 1"),
    ],
)
def test_a_configuration_that_is_not_right(values, line):
    with pytest.raises(FovealError, match=line):
        ISEELConfig(**values).completed()
