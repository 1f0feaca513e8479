"""Filters that are given by what they pass of each frequency."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F

MARGIN = 20  # px around what log-Gabor filters see


class PaddedSpectrum:
    """The Fourier transform of maps continued beyond their border, so that one border does not answer at the other.

    Attributes
    ----------
    vertical, horizontal
        Frequencies of its rows (a column vector) and columns, in cycles per px.
    """

    def __init__(self, maps: Float[Tensor, "image h w"], margin: int) -> None:
        self._size = maps.shape[1], maps.shape[2]
        self._margin = margin
        height, width = (next_fast_len(length + 2 * margin) for length in self._size)
        below, right = height - self._size[0] - margin, width - self._size[1] - margin
        padded = F.pad(maps[:, None], (margin, right, margin, below), mode="replicate")[:, 0]
        self._spectrum = torch.fft.fft2(padded)
        self.vertical = torch.fft.fftfreq(height, device=maps.device)[:, None]
        self.horizontal = torch.fft.fftfreq(width, device=maps.device)

    def amplitude(self, transfer: Float[Tensor, "row column"]) -> Float[Tensor, "image h w"]:
        """Of the maps' response to a filter that passes so much of each frequency, but not of the mean."""
        transfer = transfer.clone()
        transfer[0, 0] = 0
        response = torch.fft.ifft2(self._spectrum * transfer)
        rows, columns = (slice(self._margin, self._margin + length) for length in self._size)
        return response[:, rows, columns].abs()


def log_gabor_amplitudes(
    maps: Float[Tensor, "image h w"],
    periods: list[float],
    radial_width: float,
    orientations: int,
    angular_width: float,
) -> Iterator[Float[Tensor, "image period h w"]]:
    """For each orientation, the amplitudes of complex log-Gabor filters."""
    spectrum = PaddedSpectrum(maps, MARGIN)
    frequency = torch.hypot(spectrum.vertical, spectrum.horizontal)
    direction = torch.atan2(spectrum.vertical, spectrum.horizontal)
    radial = [torch.exp(-(frequency * period).log().square() / (2 * math.log(radial_width) ** 2)) for period in periods]
    for number in range(orientations):
        turn = direction - math.pi * number / orientations
        turn = torch.atan2(turn.sin(), turn.cos())
        angular = torch.exp(-turn.square() / (2 * math.radians(angular_width) ** 2))
        yield torch.stack([spectrum.amplitude(one * angular) for one in radial], dim=1)
