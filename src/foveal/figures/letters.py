"""Letters of Matplotlib's font."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import matplotlib
from matplotlib.font_manager import FontProperties, findfont, get_font

MISSING = "□"


def drawable(text: str) -> str:
    r"""A text on one line, with a box for each character that the font lacks: Matplotlib would warn of it.

    >>> drawable("green\ntea 茶")
    'green tea □'
    """
    fonts = [get_font(path) for path in _font_files()]
    line = " ".join(text.split())
    return "".join(letter if any(font.get_char_index(ord(letter)) for font in fonts) else MISSING for letter in line)


def _font_files() -> Sequence[str]:
    """The files of the fonts that Matplotlib looks for a letter in: the user's settings name others."""
    settings = cast(Mapping[str, Any], matplotlib.rcParams)
    names = [name for family in FontProperties().get_family() for name in settings.get(f"font.{family}", [family])]
    found = []
    for name in names:
        with suppress(ValueError):  # not installed
            found.append(findfont(name, fallback_to_default=False))
    return found or [findfont(FontProperties())]
