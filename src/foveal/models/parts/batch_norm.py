"""Normalisation by the batch, of layers that are not always trained."""

from torch import nn


class BatchNorm(nn.BatchNorm2d):
    """A batch normalisation that goes by the batch, and follows it, only while its own weights are trained.

    One that is frozen in a phase of a training says in it what it will say in the end.
    """

    def train(self, mode: bool = True) -> "BatchNorm":
        """Go by the batch, if the weights have gradients."""
        super().train(mode and self.weight.requires_grad)
        return self
