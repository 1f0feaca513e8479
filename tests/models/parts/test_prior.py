"""The prior that models hold: its name in their files, and how it is brought to a grid."""

import torch
from toy import make_dataset

from foveal.gaze.center_bias import CenterBiasKDE
from foveal.models.parts.prior import PRIOR_GRID, WithPrior, prior_of


def test_fresh_it_is_uniform_and_part_of_what_is_saved():
    module = WithPrior()
    assert {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()} == {
        "log_prior": (PRIOR_GRID, PRIOR_GRID)
    }
    assert torch.equal(module.prior_on((3, 5)), torch.zeros(1, 3, 5))


def test_a_data_sets_center_bias_keeps_its_place_on_any_grid():
    module = WithPrior()
    module.log_prior = prior_of(CenterBiasKDE.fit(make_dataset(4)))
    assert abs(module.log_prior.logsumexp((0, 1))) < 1e-4
    assert torch.equal(module.prior_on((PRIOR_GRID, PRIOR_GRID))[0], module.log_prior)
    half = module.log_prior.unflatten(0, (-1, 2)).unflatten(2, (-1, 2)).mean(dim=(1, 3))
    torch.testing.assert_close(module.prior_on((PRIOR_GRID // 2, PRIOR_GRID // 2))[0], half)
