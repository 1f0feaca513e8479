"""The steps of an epoch as they are read: by this process when they are needed, or ahead by others."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import DataLoader, Dataset

from foveal.errors import FovealError
from foveal.training.runs.batch import Batch
from foveal.training.runs.examples import ExampleGroup, joinable, share_of

Rows = list[tuple[ExampleGroup, list[int]]]  # of groups: the images of a step
Parts = list[tuple[Batch, float]]  # of a step, each computed at once, and what the losses of its images count


class Steps(Dataset[Parts | FovealError]):
    """All steps of an epoch, as a `DataLoader` takes them.

    Parameters
    ----------
    steps
        Their images.
    layers
        Of features that are kept, those that are read; all by default.
    seed
        Of what is changed by chance in photographs.
    process, n_processes
        Which of several processes this is, each of which reads its own share.
    """

    def __init__(
        self, steps: Sequence[Rows], layers: Sequence[str] | None, seed: int, process: int, n_processes: int
    ) -> None:
        self.steps, self.layers, self.seed = steps, layers, seed
        self.process, self.n_processes = process, n_processes

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, number: int) -> Parts | FovealError:
        """One step; what is wrong is returned, because what another process raises comes with all its history."""
        step = self.steps[number]
        n_images = sum(len(rows) for _, rows in step)
        parts: Parts = []
        try:
            for together in joinable(step):
                own = share_of(together, self.process, self.n_processes)
                # Processes' gradients are averaged, so that each counts its images as if there were no others. One
                # without a part in a batch goes along with an image that does not count: all wait for each other.
                weight = self.n_processes / n_images if own else 0.0
                shown = own or [(together[0][0], together[0][1][:1])]
                parts.append((Batch.joined([group.batch(r, self.layers, self.seed) for group, r in shown]), weight))
        except FovealError as error:
            return error
        return parts


def read(steps: Steps, workers: int) -> Iterator[Parts]:
    """The steps one after the other, read ahead by so many other processes.

    Raises
    ------
    FovealError
        If a photograph cannot be read.
    """
    # With a generator of its own, it draws nothing from torch's, by which the network drops features.
    loader = DataLoader(steps, batch_size=None, num_workers=workers, collate_fn=_as_it_is, generator=torch.Generator())
    for step in loader:
        if isinstance(step, FovealError):
            raise step
        yield step


def _as_it_is(step: Parts | FovealError) -> Parts | FovealError:
    return step
