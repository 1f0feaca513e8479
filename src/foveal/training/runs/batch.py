"""What a network is shown in a step: some images, and where people looked in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from foveal.models.deep.network import Seen
from foveal.models.parts.sizes import Viewing
from foveal.training.losses import Observed


@dataclass(frozen=True)
class Batch:
    """Some images of one size of one data set: what a network sees of them, their prior, and where people looked.

    `taught` are densities that a teacher has of them, if there is one.
    """

    dataset: int
    seen: Seen
    size: tuple[int, int]
    viewing: Viewing
    log_prior: Float[Tensor, "image row column"]
    observed: Observed
    taught: Float[Tensor, "image row column"] | None = None

    @classmethod
    def joined(cls, batches: Sequence["Batch"]) -> "Batch":
        """One of several whose images have one size, data set and are seen alike."""
        first, *others = batches
        if not others:
            return first
        taught = [batch.taught for batch in batches if batch.taught is not None]
        assert len(taught) in (0, len(batches))
        return replace(
            first,
            seen={name: torch.cat([batch.seen[name] for batch in batches]) for name in first.seen},
            log_prior=torch.cat([batch.log_prior for batch in batches]),
            observed=Observed(
                torch.cat([batch.observed.counts for batch in batches]),
                torch.cat([batch.observed.density for batch in batches]),
            ),
            taught=torch.cat(taught) if taught else None,
        )

    def to(self, device: torch.device) -> "Batch":
        """The batch on another device."""
        return replace(
            self,
            seen={name: _fast(maps.to(device)) for name, maps in self.seen.items()},
            log_prior=self.log_prior.to(device),
            observed=Observed(self.observed.counts.to(device), self.observed.density.to(device)),
            taught=None if self.taught is None else self.taught.to(device),
        )


def _fast(maps: Tensor) -> Tensor:
    """As a network itself has maps when it predicts: its convolutions are faster so."""
    return maps.contiguous(memory_format=torch.channels_last) if maps.ndim == 4 else maps
