"""Letters of Matplotlib's font: which it has, and how wide a text is."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import matplotlib

MISSING = "□"


def drawable(text: str, weight: str = "normal") -> str:
    r"""A text on one line, with a box for each character that the font lacks: Matplotlib would warn of it.

    >>> drawable("green\ntea 茶")
    'green tea □'
    """
    from matplotlib.font_manager import get_font  # parts of Matplotlib are loaded by who plots

    fonts = [get_font(path) for path in _font_files(weight)]
    line = " ".join(text.split())
    return "".join(letter if any(font.get_char_index(ord(letter)) for font in fonts) else MISSING for letter in line)


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Of a text that is `drawable`, in points, with letters of this size in points.

    >>> width_of("tea", 12.0) < width_of("tea", 12.0, "bold") < width_of("teas", 12.0, "bold")
    True
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    return float(text_to_path.get_text_width_height_descent(text, FontProperties(size=size, weight=weight), False)[0])


def in_lines(text: str, width: float, size: float) -> list[str]:
    """A text in lines of this width in points, broken between words; a number and its % stay together.

    >>> in_lines("a kettle that knows", 60.0, 10.0)
    ['a kettle', 'that knows']
    """
    lines = [""]
    for word in drawable(text).replace(" %", "\N{NO-BREAK SPACE}%").split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and width_of(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _font_files(weight: str) -> Sequence[str]:
    """The files of the fonts that Matplotlib looks for a letter in: the user's settings name others."""
    from matplotlib.font_manager import FontProperties, findfont

    settings = cast(Mapping[str, Any], matplotlib.rcParams)
    names = [name for family in FontProperties().get_family() for name in settings.get(f"font.{family}", [family])]
    found = []
    for name in names:
        with suppress(ValueError):  # not installed
            found.append(findfont(FontProperties(family=name, weight=weight), fallback_to_default=False))
    return found or [findfont(FontProperties(weight=weight))]
