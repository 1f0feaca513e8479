"""Numbers fitted to windows of time."""

import dataclasses

import numpy as np
import pytest
import torch
from toy import make_dataset

from foveal.errors import FovealError
from foveal.gaze import Fixations
from foveal.models.deep.foveal_s import FovealS
from foveal.progress import to_nobody
from foveal.training.fits import by_time as by_time_module
from foveal.training.fits.by_time import fit_by_time, static_of
from foveal.training.fits.numbers import unseen_of, with_fixations

N_IMAGES, N_EACH = 12, 60
WINDOWS = (0, 500, 1000, 2000)


def network():
    torch.manual_seed(0)
    return FovealS(FovealS.tiny).eval()


def study(starts=WINDOWS[:2]):
    """Fixations in two windows, of which the early ones are near the center and the late ones anywhere."""
    rng, pictures = np.random.default_rng(0), make_dataset(N_IMAGES)
    columns = []
    for image in range(N_IMAGES):
        for start, spread in zip(starts, (4.0, 30.0), strict=True):
            x, y = (rng.normal((n - 1) / 2, spread, N_EACH).clip(0, n - 1) for n in (80, 60))
            columns.append((np.full(N_EACH, image), x, y, start + rng.uniform(0, 499, N_EACH)))
    image, x, y, start = (np.concatenate(column) for column in zip(*columns, strict=True))
    return dataclasses.replace(pictures, fixations=Fixations.of(image, x, y, start=start))


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch):
    monkeypatch.setattr(by_time_module, "FEWEST", 50)


def test_early_fixations_that_are_central_raise_the_weight_of_the_center_early():
    data, model = study(), network()
    unseen = unseen_of(model, data, to_nobody)
    static = static_of(model, unseen, data)
    by_time = fit_by_time(static, unseen, data, WINDOWS)
    assert by_time.times.tolist() == [250, 750]  # in the third, there is no fixation
    early, all_times, late = map(central, (by_time.moved(static, 250), static, by_time.moved(static, 750)))
    assert early > all_times + 1 > late + 2
    # Each moment is told better than by all fixations together.
    for time, (begin, end) in ((250, (0, 500)), (750, (500, 1000))):
        part = data.between(begin, end)
        values = [log_likelihood(one, unseen, part) for one in (static, by_time.moved(static, time))]
        assert values[1] > values[0] + 0.1


def central(model):
    """How much more the center has than a corner by the weighted center bias, in nats."""
    return float(model.prior_weight * (model.log_prior[31:33, 31:33].mean() - model.log_prior[0, 0]))


def log_likelihood(model, unseen, data):
    """Over cells, nats a fixation."""
    (some,) = with_fixations(unseen, model, data)
    prior = model.prior_on(tuple(some.counts.shape[1:])).detach()
    log_density = dataclasses.replace(some, log_priors=prior.expand_as(some.counts)).log_density([model])
    return float((some.counts * log_density).sum() / some.counts.sum())


def test_a_study_whose_fixations_have_no_onsets():
    data, model = make_dataset(N_IMAGES), network()
    unseen = unseen_of(model, data, to_nobody)
    with pytest.raises(FovealError, match=r"toy: when fixations began is not known"):
        fit_by_time(model, unseen, data, WINDOWS)
    few = dataclasses.replace(study(), fixations=study().fixations.where(slice(0, 40)))
    with pytest.raises(FovealError, match="toy: no window of time with 50 fixations, of 40 in all"):
        fit_by_time(model, unseen, few, WINDOWS)


def test_images_that_nobody_looked_at_in_a_window_are_left_out():
    data, model = study(), network()
    unseen = unseen_of(model, data, to_nobody)
    fixations = data.fixations.where(data.fixations.image % 2 == 0)
    (some,) = with_fixations(unseen, model, dataclasses.replace(data, fixations=fixations))
    assert some.images == list(range(0, N_IMAGES, 2))
    assert some.counts.sum() == len(fixations)
    assert torch.equal(some.said[0], unseen[0].said[0][::2])
