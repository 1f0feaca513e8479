"""The few numbers of a data set, fitted to some of its pictures."""

import dataclasses

import numpy as np
import pytest
import torch
from toy import make_dataset

import foveal
from foveal.errors import FovealError
from foveal.gaze import Stimuli
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models import load_model, save_model
from foveal.models.base import stacked
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealConfig, FovealS
from foveal.models.deep.mlnet import MLNet
from foveal.models.parts.finalizer import normalize_log_density, resize_maps
from foveal.models.parts.prior import prior_of
from foveal.models.parts.sizes import Viewing
from foveal.models.registry import trained_on
from foveal.progress import Progress
from foveal.training.fits.fit import fit
from foveal.training.fits.numbers import (
    PULL_OF_CENTER,
    Unseen,
    calibrated_to,
    changed,
    fit_numbers,
    fitted_to,
    networks_of,
    part_of,
    unseen_of,
    with_numbers,
)
from foveal.training.fits.options import FitSettings

TO_NOBODY = Progress()
FOUR_MAPS = {"relative": (1.0, 0.5), "absolute": (1.0, 0.5)}


def small(working_area, **config):
    """A network of few layers with random weights, and maps that differ."""
    few = {"backbone": "efficientnet_lite0", "taps": ("block4", "block7"), "channels": (40, 80), "first_trained": ""}
    torch.manual_seed(0)
    model = FovealS(FovealConfig(working_area=working_area, width=16, hidden=8, **few, **FOUR_MAPS | config)).eval()
    torch.nn.init.normal_(model.readout[2].weight, std=3)
    return model


def sampled(model, n_images=40, n_fixations=400, **numbers):
    """Images whose fixations are drawn from what the model says of random maps if its numbers are these."""
    generator = torch.Generator().manual_seed(0)
    maps = 2 * torch.randn(n_images, len(model.config.map_sizes), 9, 12, generator=generator)
    log_priors = torch.randn(1, 9 * 12, generator=generator).log_softmax(1).view(1, 9, 12).repeat(n_images, 1, 1)
    some = Unseen((9, 12), list(range(n_images)), [maps], log_priors, log_priors, torch.zeros(n_images, 9, 12))
    own = model.numbers()
    changes = {name: torch.tensor(numbers[name]) - own[name] if name in numbers else 0 * own[name] for name in own}
    density = some.log_density([model], changes).flatten(1).exp()
    cells = torch.multinomial(density, n_fixations, replacement=True, generator=generator)
    counts = torch.zeros(n_images, 9 * 12).scatter_add_(1, cells, torch.ones(n_images, n_fixations))
    return dataclasses.replace(some, counts=counts.view(-1, 9, 12))


def test_it_finds_what_the_fixations_were_drawn_by():
    model, drawn_by = small(6_000), {"log_sharpness": 0.4, "prior_weight": 0.7, "size_weights": [1.0, 0.5, -1.0, -0.5]}
    changes = fit_numbers(model, [sampled(model, **drawn_by)], pull=0.01)
    found = changed(model.numbers(), changes)
    assert found["log_sharpness"].item() == pytest.approx(0.4, abs=0.1)
    assert found["prior_weight"].item() == pytest.approx(0.7, abs=0.05)
    shares = torch.tensor(drawn_by["size_weights"]).softmax(dim=0)
    torch.testing.assert_close(found["size_weights"].softmax(dim=0), shares, atol=0.03, rtol=0)
    assert found["log_sigma"].item() == pytest.approx(model.log_sigma.item(), abs=0.1)


def test_no_other_numbers_are_better():
    model = small(6_000)
    unseen = sampled(model, log_sharpness=0.3, prior_weight=0.4)
    best = fit_numbers(model, [unseen], pull=0.0)
    generator = torch.Generator().manual_seed(1)
    for _ in range(50):
        other = {name: v + 0.2 * torch.randn(v.shape, generator=generator) for name, v in best.items()}
        assert unseen.gain([model], other).mean() <= unseen.gain([model], best).mean() + 1e-5


def test_the_fewer_pictures_the_less_the_numbers_move():
    """Towards none, they stay as they are; towards many, they are where the pictures want them."""
    model = small(6_000)
    unseen = sampled(model, log_sharpness=0.8, n_fixations=20)
    moved = []
    for n_images in (1, 4, 40):
        changes = fit_numbers(model, [*part_of([unseen], range(n_images))], pull=1.0)
        moved.append(changes["log_sharpness"].item())
    assert 0 < moved[0] < moved[1] < moved[2] < 0.85
    stay = fit_numbers(model, [unseen], pull=1e6)
    assert max(change.abs().max().item() for change in stay.values()) < 1e-3


def test_what_is_held_out_is_judged_by_what_fits_the_others(tmp_path):
    """Fold by fold, with the center bias of the other folds, on pixels: as the evaluation of such a model has it."""
    model = small(6_000)
    data = make_dataset(6)
    fitted = fit(model, data, FitSettings(folder=tmp_path, folds=3, progress=Progress()))
    number, unseen = np.arange(6) % 3, unseen_of(model, data, TO_NOBODY)
    for fold in range(3):
        others = np.flatnonzero(number != fold)
        density = CenterBiasKDE.fit(data.select(others))
        of_others = fitted_to(part_of(unseen, others), model, data, others, density)
        of_fold = with_numbers(model, fit_numbers(model, of_others), density, len(others))
        expected = foveal.evaluate([of_fold], data, ["LL"]).per_image["LL"][number == fold]
        np.testing.assert_allclose(fitted.held_out[number == fold], expected, atol=1e-5)
    assert fitted.held_out.mean() < foveal.evaluate([fitted.model], data, ["LL"]).value[0]
    assert any(line.startswith("Large things count") for line in fitted.words)


@pytest.mark.parametrize("ppd", [12.0, 40.0])
def test_what_a_model_says_of_a_data_set_is_what_it_predicts(ppd):
    """At the data set's scale, with the model's own numbers and the data set's prior, drawn towards the model's."""
    model, data = small(6_000), make_dataset(5, pixels_per_degree=ppd)
    (some,) = unseen_of(model, data, TO_NOBODY)
    assert some.images == [0, 1, 2, 3, 4]
    assert some.counts.sum() == len(data.fixations)
    found = some.log_density([model])
    for image in some.images:
        pixels = torch.from_numpy(data.stimuli[image].image.copy()).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            saliency = model.saliency(pixels, Viewing(ppd))[0]
        expected = (saliency + some.log_priors[image]).flatten().log_softmax(dim=0).view_as(saliency)
        torch.testing.assert_close(found[image], expected, atol=1e-4, rtol=0)


def test_each_picture_is_seen_at_its_own_scale():
    model, alike = small(60_000), make_dataset(3, pixels_per_degree=2.0)
    stimuli = Stimuli([stimulus.image for stimulus in alike.stimuli], pixels_per_degree=[2.0, 4.0, 2.0])
    mixed = dataclasses.replace(alike, stimuli=stimuli)
    expected, found = (unseen_of(model, data, TO_NOBODY)[0].said[0] for data in (alike, mixed))
    for image, is_same in enumerate((True, False, True)):
        assert torch.equal(found[image], expected[image]) is is_same


def test_the_center_bias_is_drawn_towards_the_models(tmp_path):
    model, data = small(6_000), make_dataset(6)
    model.log_prior = torch.randn(64, 64).flatten().log_softmax(dim=0).view(64, 64)
    found = with_numbers(model, None, CenterBiasKDE.fit(data), 6).log_prior.exp()
    share = 6 / (6 + PULL_OF_CENTER)
    expected = share * prior_of(CenterBiasKDE.fit(data)).exp() + (1 - share) * model.log_prior.exp()
    torch.testing.assert_close(found, expected.float(), atol=1e-6, rtol=1e-3)


def test_of_a_mixture_it_is_the_mean_of_the_members_densities():
    """Each blurred on its own cells, as when it predicts."""
    members = [small(area) for area in (6_000, 20_000)]
    data = make_dataset(3, pixels_per_degree=3.0)
    (mixed,) = unseen_of(FovealL.of(members), data, TO_NOBODY)
    size = tuple(mixed.counts.shape[1:])
    assert size == (members[1].cells((60, 80)).rows.length, members[1].cells((60, 80)).columns.length)
    changes = {name: torch.full_like(value, 0.2) for name, value in members[0].numbers().items()}
    expected = 0
    for member in members:
        member.take(changed(member.numbers(), changes))
        with torch.no_grad():
            saliency = member.saliency(stacked([stimulus.image for stimulus in data.stimuli]), Viewing(3.0))
        total = resize_maps(saliency, size) + member.prior_weight * mixed.log_priors
        expected = expected + normalize_log_density(total).exp() / 2
        member.take(changed(member.numbers(), {name: -change for name, change in changes.items()}))
    torch.testing.assert_close(mixed.log_density(members, changes).exp(), expected)


def test_networks_with_different_numbers_are_not_fitted_together():
    mixture = FovealL.of([small(6_000), small(6_000, relative=(1.0,), absolute=())])
    with pytest.raises(FovealError, match="foveal-l: its networks have different numbers"):
        unseen_of(mixture, make_dataset(3), TO_NOBODY)


@pytest.mark.parametrize("n_members", [1, 2])
def test_calibrated_to_a_data_set(n_members):
    """Its densities are better; nothing but the numbers and the center bias moves."""
    members = [small(area) for area in (6_000, 9_000)]
    model = members[0] if n_members == 1 else FovealL.of(members)
    data = make_dataset(5)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    calibrated = calibrated_to(model, data)
    less, more = (foveal.evaluate([one], data, ["LL"]).per_image["LL"].mean() for one in (model, calibrated))
    assert more > less + 0.1
    numbers = {"temperature", "prior_weight", "size_weights", "log_sigma", "log_prior"}
    for name, tensor in calibrated.state_dict().items():
        assert torch.equal(tensor, before[name]) != (name.split(".")[-1] in numbers), name
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("n_members", [1, 2])
def test_sizes_that_a_study_adds(tmp_path, n_members):
    """A network of one size is fitted at more; what it was fitted to again is the file, with all its sizes."""
    members = [small(area, relative=(1.0,), absolute=()) for area in (6_000, 9_000)]
    model = members[0] if n_members == 1 else FovealL.of(members)
    save_model(model, tmp_path / "model.safetensors")
    data = make_dataset(4)
    report = foveal.train(tmp_path / "model.safetensors", data, out=tmp_path / "out", folds=2, sizes=[0.7, 1.4])
    assert report.command.endswith("--sizes 0.7,1.4 --folds 2")
    assert any(line.startswith("Large things count") for line in report.words)
    for network in networks_of(load_model(report.path)):
        assert network.config.relative == (1.0, 0.7, 1.4)
        assert not torch.equal(network.size_weights, networks_of(model.also_at([0.7, 1.4]))[0].size_weights)
    with pytest.raises(FovealError, match=r"sizes: numbers from 0\.25 to 2\.0, not 0\.1"):
        foveal.train(tmp_path / "model.safetensors", data, out=tmp_path / "bad", sizes=[0.1])
    with pytest.raises(FovealError, match=r"sizes: foveal-[sl] has these already"):
        foveal.train(tmp_path / "model.safetensors", data, out=tmp_path / "bad", sizes=[1.0])
    with pytest.raises(FovealError, match=r"--sizes: not with bms"):
        foveal.train("bms", data, out=tmp_path / "bad", sizes=[0.7])


def test_a_network_that_says_maps_keeps_its_weights_and_is_calibrated(tmp_path):
    """Fitted to a data set, a file of it learns a calibration; without weights there is nothing to calibrate."""
    torch.manual_seed(0)
    network = MLNet(MLNet.tiny)
    save_model(network, tmp_path / "mlnet.safetensors", {"datasets": [{"name": "a", "licence": "MIT", "images": 3}]})
    report = foveal.train(tmp_path / "mlnet.safetensors", make_dataset(6), out=tmp_path / "out", folds=2)
    assert report.held_out_log_likelihood is not None
    fitted = load_model(report.path)
    moved = {key for key, old in network.state_dict().items() if not torch.equal(old, fitted.state_dict()[key])}
    assert moved
    assert all(key.startswith("calibration.") for key in moved)
    assert trained_on(report.path) == ["a", "toy"]
    with pytest.raises(FovealError, match="mlnet comes without weights: `foveal train mlnet"):
        foveal.train("mlnet", make_dataset(6), out=tmp_path / "none")
