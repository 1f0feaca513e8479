"""Intensity contrast features: the features by their definition, and what is learned from fixations."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from toy import disc_center, make_dataset, make_photograph

from foveal.errors import FovealError
from foveal.models import load_model
from foveal.models.classical.icf import DECORRELATED, ICF, ICFConfig
from foveal.training import train
from foveal.training.fits.learning.readout import learn_readout

SMALL = ICFConfig(working_side=80, sigmas=(2.0, 4.0), cell=1)


def local_mean(map_, sigma):
    """Of what is inside, weighted by a Gaussian."""
    blurred, weight = (
        ndimage.gaussian_filter(one, sigma, mode="constant", truncate=10) for one in (map_, np.ones(map_.shape))
    )
    return blurred / weight


def test_features_are_local_means_and_deviations():
    image = make_photograph(3, (60, 80))
    found = ICF(SMALL).features(torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255)[0].numpy()
    colors = np.tensordot(DECORRELATED, image.astype(float) / 255, axes=(1, 2))
    expected = []
    for sigma in SMALL.sigmas:
        mean = [local_mean(color, sigma) for color in colors]
        square = [local_mean(color**2, sigma) for color in colors]
        expected += mean + [np.sqrt(np.maximum(s - m**2, 0)) for m, s in zip(mean, square, strict=True)]
    np.testing.assert_allclose(found, np.array(expected), atol=4e-3)


def test_it_cannot_tell_where_the_border_is():
    features = ICF().features(torch.full((1, 3, 60, 80), 0.7))[0]
    torch.testing.assert_close(features, features[:, :1, :1].expand_as(features), atol=1e-3, rtol=0)


def test_the_axes_of_colour_are_independent():
    axes = np.array(DECORRELATED)
    np.testing.assert_allclose(axes @ axes.T, np.diag(np.diag(axes @ axes.T)), atol=1e-12)


def test_it_learns_what_is_looked_at():
    """Its readout knows nothing of where the disc is that people look at, and finds it in other photographs."""
    model = ICF(SMALL)
    learn_readout(model, make_dataset(12), 0, lambda *_: None)
    y, x = np.mgrid[:60, :80]
    for seed in range(50, 55):
        saliency = model.saliency_map_of([make_photograph(seed)])[0].numpy()
        cx, cy = disc_center(seed, (60, 80))
        disc = (x - cx) ** 2 + (y - cy) ** 2 < 5**2
        assert np.median(saliency[disc]) > np.quantile(saliency, 0.9)


def test_the_same_seed_learns_the_same():
    states = []
    for seed in (0, 0, 1):
        model = ICF(SMALL)
        learn_readout(model, make_dataset(4), seed, lambda *_: None)
        states.append(torch.cat([parameter.detach().flatten() for parameter in model.readout.parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_it_is_trained_and_calibrated_by_one_command(tmp_path):
    report = train("icf", make_dataset(6), out=tmp_path)
    assert report.log_likelihood > report.center_bias_log_likelihood
    model, image = load_model(report.path), make_photograph(60)
    assert np.isfinite(model.predict(image).log_density).all()
    with pytest.raises(FovealError, match="icf: its map is fitted to fixations"):
        train("icf", make_dataset(6), out=tmp_path, folds=2)


def test_the_users_generator_is_not_reseeded(tmp_path):
    drawn = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        train("icf", make_dataset(4), out=tmp_path)
        drawn.append(torch.rand(3))
    assert not torch.equal(*drawn)
