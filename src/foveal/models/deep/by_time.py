"""What a network says of each moment: its few numbers and its center bias as functions of time.

Fixations differ with time in little, as studies do (see `foveal.training.fits.numbers`): the first are near the center
and people agree on them, later ones spread. So what changes is what a data set may have of its own. It is known at some
times, linear between them, and constant before the first and after the last.
"""

import copy
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load, save
from torch import Tensor

from foveal.errors import FovealError
from foveal.files import write_atomically
from foveal.gaze.given import real_number
from foveal.models.deep.network import DensityNetwork

Net = TypeVar("Net", bound=DensityNetwork)
TIMES, LOG_PRIOR = "times", "log_prior"  # tensors of a file beside the numbers of a network


@dataclass(frozen=True, eq=False)
class ByTime:
    """How a network's numbers and its center bias differ, at some times, from those of all fixations.

    Attributes
    ----------
    times
        ms since the picture came on, ascending.
    changes
        What is added at each of the times to each number, and to the logarithm of the center bias (`LOG_PRIOR`).
    """

    times: Float[Tensor, " time"]
    changes: Mapping[str, Float[Tensor, "time ..."]]

    @classmethod
    def mean(cls, of_studies: "Sequence[ByTime]") -> "ByTime":
        """The mean over studies with the same numbers; at a time that not all of them reach, over those that do."""
        times = sorted({time for study in of_studies for time in study.times.tolist()})
        means = []
        for time in times:
            reach = [study.at(time) for study in of_studies if time <= study.times[-1]]
            means.append({name: torch.stack([change[name] for change in reach]).mean(dim=0) for name in reach[0]})
        return cls(torch.tensor(times), {name: torch.stack([mean[name] for mean in means]) for name in means[0]})

    @classmethod
    def read(cls, content: bytes) -> "ByTime":
        """Of what `save` wrote."""
        tensors = {name: tensor.float() for name, tensor in load(content).items()}
        return cls(tensors.pop(TIMES), tensors)

    def save(self, path: str | os.PathLike[str], made_by: str) -> None:
        """Write a safetensors file, whose header names the command that made it; center biases have 16 bits.

        Raises
        ------
        FovealError
            If it cannot be written.
        """
        tensors = {TIMES: self.times, **self.changes, LOG_PRIOR: self.changes[LOG_PRIOR].half()}
        with write_atomically(path) as temporary:
            temporary.write_bytes(save(tensors, {"made_by": made_by}))

    def at(self, time: float | int) -> dict[str, Tensor]:
        """The changes at one time, in ms: linear between those that are known, constant beyond."""
        place = float(np.interp(time, self.times.numpy(), np.arange(len(self.times))))
        before, after = math.floor(place), math.ceil(place)
        return {
            name: torch.lerp(values[before], values[after], place - before) for name, values in self.changes.items()
        }

    def moved(self, network: Net, time: float | int) -> Net:
        """A copy of a network for fixations that begin so many ms after the picture came on.

        Raises
        ------
        FovealError
            If the time is no number from 0 on.
        """
        time = real_number(time, "time in ms")
        if time < 0:
            raise FovealError(f"time in ms: a number from 0 on, not {time:g}")
        own, other = {**network.numbers(), LOG_PRIOR: network.log_prior}, copy.deepcopy(network)
        other.take({name: own[name] + change.to(network.device) for name, change in self.at(time).items()})
        return other


@cache
def published(name: str) -> ByTime:
    """What comes with the package for networks of this name."""
    return ByTime.read((resources.files("foveal.models") / "weights" / f"{name}.by-time.safetensors").read_bytes())
