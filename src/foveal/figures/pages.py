"""Pages of A4 for reports: words, lines and pictures at places in points, as vectors."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from foveal.figures.labels import shortened
from foveal.figures.letters import drawable, in_lines, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 595.0, 842.0  # points; A4
MARGIN, FOOT = 48.0, 56.0  # at the sides and above; below
INK, GRAY, PALE = "#1c1c20", "#6b6b76", "#dedee3"
SMALLEST = 7.0  # points, of letters at the foot
ROOM_FOR_NUMBERS = 50.0  # points
LEADING = 1.45  # from line to line, in sizes of the letters


class Pages:
    """Pages that are filled from above; use it within `same_every_time`.

    Attributes
    ----------
    top
        Where the next thing on the last page goes: points below the upper edge.
    """

    def __init__(self) -> None:
        self._pages: list[Axes] = []
        self.new_page()

    def new_page(self) -> None:
        """Begin another page."""
        from matplotlib.figure import Figure  # no display is needed

        page = Figure(figsize=(WIDTH / 72, HEIGHT / 72), facecolor="white").add_axes((0, 0, 1, 1))
        page.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
        page.set_axis_off()
        self._pages.append(page)
        self.top = MARGIN

    @property
    def room(self) -> float:
        """Points that are left on the last page."""
        return HEIGHT - FOOT - self.top

    def write(
        self,
        text: str,
        x: float,
        y: float,
        size: float = 9.0,
        *,
        color: str = INK,
        weight: str = "normal",
        align: Literal["left", "center", "right"] = "left",
    ) -> None:
        """Write one line on the last page, its base line at y."""
        self._pages[-1].text(
            x,
            y,
            drawable(text, weight),
            fontsize=size,
            color=color,
            weight=weight,
            ha=align,
            va="baseline",
            parse_math=False,
        )

    def paragraph(self, text: str, x: float, width: float, size: float = 9.0, *, color: str = INK) -> None:
        """Write a text in lines of this width from `top` on, which moves below it."""
        for line in in_lines(text, width, size):
            self.top += LEADING * size
            self.write(line, x, self.top, size, color=color)

    def rule(self, left: float, right: float, y: float, *, color: str = PALE, width: float = 0.6) -> None:
        """Draw a horizontal line, of a width in points, on the last page."""
        self._pages[-1].plot([left, right], [y, y], color=color, linewidth=width, solid_capstyle="butt")

    def axes(self, left: float, top: float, width: float, height: float) -> "Axes":
        """Give axes on the last page, with sides in points."""
        box = left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT
        return self._pages[-1].figure.add_axes(box)

    def pdf(self, title: str, foot: str) -> bytes:
        """All pages as a file's content, with a line and their numbers at the foot."""
        from matplotlib.backends.backend_pdf import PdfPages

        line = shortened(drawable(foot), WIDTH - 2 * MARGIN - ROOM_FOR_NUMBERS, lambda text: width_of(text, SMALLEST))
        file = BytesIO()
        metadata = {"CreationDate": None, "Title": title.encode(errors="replace").decode()}
        with PdfPages(file, metadata=metadata) as pdf:
            for number, page in enumerate(self._pages, 1):
                place: dict[str, Any] = {"fontsize": SMALLEST, "color": GRAY, "va": "baseline", "parse_math": False}
                page.text(MARGIN, HEIGHT - FOOT / 2, line, **place)
                page.text(WIDTH - MARGIN, HEIGHT - FOOT / 2, f"{number} / {len(self._pages)}", ha="right", **place)
                pdf.savefig(page.figure, facecolor="white")
        return file.getvalue()


def paragraph_height(texts: Sequence[str], width: float, size: float) -> float:
    """How many points high texts of this size in points are, in lines of this width."""
    return LEADING * size * sum(len(in_lines(text, width, size)) for text in texts)
