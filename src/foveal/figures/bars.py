"""A bar for each model with its interval, as an SVG that stands in a page."""

from collections.abc import Sequence
from io import StringIO

import matplotlib

COLOR = "#3b5f8a"


def bars_svg(names: Sequence[str], values: Sequence[float], intervals: Sequence[tuple[float, float]]) -> str:
    """Horizontal bars from zero, one below the other, with the intervals as lines: the source of an SVG element.

    The texts stay texts, so that they can be searched and take the font of the page.
    """
    from matplotlib.figure import Figure  # no display is needed

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "foveal", "font.size": 9}):
        figure = Figure(figsize=(4.2, 0.45 + 0.27 * len(names)), layout="constrained")
        ax = figure.subplots()
        places = range(len(names))
        low = [max(0.0, value - ends[0]) for value, ends in zip(values, intervals, strict=True)]
        high = [max(0.0, ends[1] - value) for value, ends in zip(values, intervals, strict=True)]
        ax.barh(places, values, color=COLOR, height=0.7, xerr=[low, high], ecolor="#1a1a1a", capsize=2)
        ax.set_yticks(places, names, parse_math=False)
        ax.invert_yaxis()
        ax.axvline(0, color="#1a1a1a", linewidth=0.8)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(left=False)
        svg = StringIO()
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    source = svg.getvalue()
    return source[source.index("<svg") :]
