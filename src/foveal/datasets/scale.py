"""Pixels per degree of pictures of which nobody said how large they were shown."""

from collections.abc import Sequence
from pathlib import Path

from foveal.gaze import Stimuli

# Every picture is taken to have filled a screen 30 degrees wide. Where it is known, pictures spanned 29 (MIT1003), 33
# (OSIE) and 39 degrees (EyeCrowd).
ASSUMED_DEGREES = 30


def stimuli_of_assumed_scale(sources: Sequence[Path], ids: Sequence[str] | None = None) -> Stimuli:
    """Pictures whose longer side is taken to have spanned 30 degrees, which is said to be a guess.

    Raises
    ------
    FovealError
        If ids are not unique, or the header of a picture cannot be read.
    """
    sizes = Stimuli(sources, ids).sizes
    stimuli = Stimuli(sources, ids, sizes.max(axis=1, initial=1) / ASSUMED_DEGREES, scale_is_assumed=True)
    stimuli.__dict__["sizes"] = sizes  # so that thousands of files are not opened twice
    return stimuli
