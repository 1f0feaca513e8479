"""A normalisation that is frozen says the same in a training as after it."""

import torch
from torch import nn

from foveal.models.parts.batch_norm import BatchNorm


def test_it_goes_by_the_batch_only_while_it_is_trained():
    torch.manual_seed(0)
    maps = 3 + 2 * torch.randn(4, 2, 5, 6)
    own, torchs = BatchNorm(2).train(), nn.BatchNorm2d(2).train()
    torch.testing.assert_close(own(maps), torchs(maps))
    torch.testing.assert_close(own.running_mean, torchs.running_mean)
    followed = own.running_mean.clone()
    own.requires_grad_(False)
    frozen = own.train()(maps)
    torch.testing.assert_close(frozen, torchs.eval()(maps))
    torch.testing.assert_close(own.running_mean, followed, rtol=0, atol=0)
    own.requires_grad_(True)
    assert own.train().training
    assert not own.eval().training
