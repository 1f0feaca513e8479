"""Temperature and weight of the center bias on a data set that had no part in the training."""

import dataclasses

import numpy as np
import pytest
import torch
from toy import make_dataset

import foveal
from foveal.errors import FovealError
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models import load_model, save_model
from foveal.models.baselines import CenterBias
from foveal.models.deep.foveal_l import FovealL
from foveal.models.deep.foveal_s import FovealConfig, FovealS
from foveal.models.deep.mlnet import MLNet
from foveal.models.parts.finalizer import resize_maps
from foveal.models.registry import trained_on
from foveal.progress import Progress
from foveal.training.fits.fit import fit
from foveal.training.fits.options import FitSettings
from foveal.training.fits.transfer import Unseen, calibrated_to, fit_transfer, unseen_of, with_transfer


def small(working_area):
    """A network of few layers with random weights."""
    few = {"backbone": "efficientnet_lite0", "taps": ("block4", "block7"), "channels": (40, 80), "first_trained": ""}
    return FovealS(FovealConfig(working_area=working_area, width=16, hidden=8, **few)).eval()


def sampled(sharpness, prior_weight, n_images=40):
    """Images whose fixations are drawn from a known mixture of saliency and prior."""
    generator = torch.Generator().manual_seed(0)
    saliency = (2 * torch.randn(n_images, 9, 12, generator=generator)).flatten(1).log_softmax(1).view(-1, 9, 12)
    log_priors = torch.randn(1, 9 * 12, generator=generator).log_softmax(1).view(1, 9, 12).repeat(n_images, 1, 1)
    some = Unseen(list(range(n_images)), saliency[None], log_priors, torch.zeros_like(saliency))
    density = some.log_density(sharpness, prior_weight).flatten(1).exp()
    cells = torch.multinomial(density, 400, replacement=True, generator=generator)
    counts = torch.zeros(n_images, 9 * 12).scatter_add_(1, cells, torch.ones(n_images, 400))
    return dataclasses.replace(some, counts=counts.view(-1, 9, 12))


def test_it_finds_what_the_fixations_were_drawn_by():
    found = fit_transfer([sampled(0.5, 0.8)])
    assert found.temperature == pytest.approx(2.0, rel=0.05)
    assert found.prior_weight == pytest.approx(0.8, abs=0.05)


def test_the_saliency_is_never_turned_upside_down():
    """Of fixations where it is low, it is made to count nearly nothing."""
    found = fit_transfer([sampled(-0.5, 0.8)])
    assert found.temperature > 20
    assert found.prior_weight == pytest.approx(0.8, abs=0.2)


def test_no_other_pair_is_better():
    unseen = sampled(0.7, 0.4)
    found = fit_transfer([unseen])
    best = unseen.gain(1 / found.temperature, found.prior_weight).mean()
    for sharpness in np.linspace(0.2, 2, 7):
        for weight in np.linspace(0, 1.5, 7):
            assert unseen.gain(float(sharpness), float(weight)).mean() <= best + 1e-5


def test_what_is_held_out_is_judged_by_what_fits_the_others(tmp_path):
    """Fold by fold, with the center bias of the other folds, on pixels: as the evaluation of such a model has it."""
    torch.manual_seed(0)
    model = small(6_000)
    data = make_dataset(6)
    fitted = fit(model, data, FitSettings(folder=tmp_path, folds=3, progress=Progress()))
    number, unseen = np.arange(6) % 3, unseen_of(model, data, lambda *_: None)
    for fold in range(3):
        transfer = fit_transfer([some.only(number[some.images] != fold) for some in unseen])
        of_fold = with_transfer(model, transfer, data.select(number != fold))
        expected = foveal.evaluate([of_fold], data, ["LL"]).per_image["LL"][number == fold]
        np.testing.assert_allclose(fitted.held_out[number == fold], expected, atol=1e-5)
    assert fitted.held_out.mean() < foveal.evaluate([fitted.model], data, ["LL"]).value[0]


def test_what_a_model_says_of_a_data_set_is_what_it_predicts():
    """With its own temperature and prior weight set to what is asked for, and the data set's prior."""
    torch.manual_seed(0)
    model = small(6_000)
    torch.nn.init.normal_(model.readout[2].weight, std=3)
    data = make_dataset(5)
    (some,) = unseen_of(model, data, lambda *_: None)
    assert some.images == [0, 1, 2, 3, 4]
    assert some.counts.sum() == len(data.fixations)
    gain = some.gain(1 / 1.5, 0.7)
    for image in some.images:
        pixels = torch.from_numpy(data.stimuli[image].image.copy()).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            saliency = model.saliency(pixels)[0]
        log_density = (saliency / 1.5 + 0.7 * some.log_priors[image]).flatten().log_softmax(dim=0).view_as(saliency)
        difference = (some.counts[image] * (log_density - some.log_priors[image])).sum() / some.counts[image].sum()
        assert gain[image].item() == pytest.approx(difference.item() / np.log(2), abs=1e-4)
    found = fit_transfer([some])
    assert some.gain(1 / found.temperature, found.prior_weight).mean() >= gain.mean() - 1e-5


def test_of_a_mixture_it_is_the_mean_of_the_members_densities():
    torch.manual_seed(0)
    members = [small(area) for area in (6_000, 9_000)]
    for member in members:
        torch.nn.init.normal_(member.readout[2].weight, std=3)
    data = make_dataset(5)
    (mixed,) = unseen_of(FovealL.of(members), data, lambda *_: None)
    coarse, fine = (unseen_of(member, data, lambda *_: None)[0] for member in members)
    assert mixed.counts.shape == fine.counts.shape
    resized = dataclasses.replace(fine, saliency=resize_maps(coarse.saliency[0], tuple(fine.counts.shape[1:]))[None])
    expected = (resized.log_density(0.5, 0.7).exp() + fine.log_density(0.5, 0.7).exp()) / 2
    torch.testing.assert_close(mixed.log_density(0.5, 0.7).exp(), expected)


@pytest.mark.parametrize("n_members", [1, 2])
def test_calibrated_to_a_data_set(n_members):
    """Its densities are those of the best temperature and weight, with the data set's prior; nothing else moves."""
    torch.manual_seed(0)
    members = [small(area) for area in (6_000, 9_000)]
    for member in members:
        torch.nn.init.normal_(member.readout[2].weight, std=3)
    model = members[0] if n_members == 1 else FovealL.of(members)
    data = make_dataset(5)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    calibrated = calibrated_to(model, data)
    less, more = (foveal.evaluate([one], data, ["LL"]).per_image["LL"].mean() for one in (model, calibrated))
    assert more > less + 0.1
    fit = fit_transfer(unseen_of(model, data, lambda *_: None))
    fitted = {
        "temperature": torch.tensor(fit.temperature),
        "prior_weight": torch.tensor(fit.prior_weight),
        "log_prior": CenterBias.of(CenterBiasKDE.fit(data)).log_grid.float(),
    }
    for name, tensor in calibrated.state_dict().items():
        torch.testing.assert_close(tensor, fitted.get(name.split(".")[-1], before[name]), msg=name)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


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
