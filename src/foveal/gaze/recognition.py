"""Photographs known by their content, so that one is recognized in another folder, under another name and size.

The hash is that of Zauner 2010 ("Implementation and benchmarking of perceptual image hash functions", section 3.2): the
lowest frequencies of a small gray copy, each above or below their median. Copies at half the size, at low JPEG quality
or in gray differ in at most 4 of the 64 bits, brighter ones in at most 8. In OSIE, EyeCrowd, Scene and MIT1003, of 3.6
million pairs of photographs one differs in fewer than 10 bits: OSIE's 1279 and 1374, which are one picture
(`benchmarks/recognition.py`).
"""

import base64
from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Bool, UInt64

from foveal.errors import FovealError
from foveal.gaze.stimuli import Stimuli
from foveal.images import ImageSource, read_image

SIDE = 32  # px of the gray copy
FREQUENCIES = 8  # along each side
SAME_WITHIN = 6  # bits
FLAT = 1.0  # gray levels: standard deviation of a copy that shows nothing to be known by
UNKNOWN = np.uint64(0)  # of a photograph that shows nothing, or cannot be read


def perceptual_hash(image: ImageSource) -> np.uint64:
    """64 bits that a photograph has in common with its copies; `UNKNOWN` of one that is all but of one color.

    Raises
    ------
    FovealError
        If it cannot be read.

    >>> waves = 127 + 120 * np.sin(np.add.outer(np.arange(60) ** 1.5, np.arange(80) ** 1.4) / 60)
    >>> smaller, whole = (perceptual_hash(waves[::step, ::step].astype(np.uint8)) for step in (2, 1))
    >>> bool(np.bitwise_count(smaller ^ whole) <= SAME_WITHIN), bool(whole == UNKNOWN)
    (True, False)
    """
    from scipy.fft import dctn  # a tenth of a second that prediction can do without

    gray = cv2.cvtColor(read_image(image), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    if small.std() < FLAT:
        return UNKNOWN
    lowest = dctn(small, norm="ortho")[:FREQUENCIES, :FREQUENCIES].ravel()
    bits = lowest > np.median(lowest[1:])  # the first is the mean, which may be of any size
    return np.uint64(int.from_bytes(np.packbits(bits).tobytes(), "big"))


def perceptual_hashes(stimuli: Stimuli, images: Iterable[int] | None = None) -> UInt64[np.ndarray, " image"]:
    """The hashes of the photographs, or of those at these positions; `UNKNOWN` of one that cannot be read."""

    def of(image: int) -> np.uint64:
        try:
            return perceptual_hash(stimuli.sources[image])
        except FovealError:
            return UNKNOWN

    return np.array([of(image) for image in (range(len(stimuli)) if images is None else images)], dtype=np.uint64)


def are_among(hashes: UInt64[np.ndarray, " image"], known: UInt64[np.ndarray, " known"]) -> Bool[np.ndarray, " image"]:
    """For each hash: is it, but for `SAME_WITHIN` bits, one of those that are known?

    >>> are_among(np.array([0b1111, 0b111100000000, 0], np.uint64), np.array([0b1, 0], np.uint64))
    array([ True,  True, False])
    """
    known = known[known != UNKNOWN]
    differing = np.bitwise_count(hashes[:, None] ^ known)
    return (differing <= SAME_WITHIN).any(axis=1) & (hashes != UNKNOWN)


def as_text(hashes: UInt64[np.ndarray, " image"]) -> str:
    """Hashes as a header of weights holds them: sorted, eight bytes each, in base64."""
    return base64.b64encode(np.sort(hashes).astype(">u8").tobytes()).decode()


def from_text(text: str) -> UInt64[np.ndarray, " image"]:
    """What `as_text` wrote.

    Raises
    ------
    ValueError
        If it is something else.
    """
    return np.frombuffer(base64.b64decode(text, validate=True), dtype=">u8").astype(np.uint64)
