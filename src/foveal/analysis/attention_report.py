"""The attention of one picture as a report to be handed on: pages of A4, as PDF."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from foveal.analysis.attention import FIXATIONS, Attention, RegionAttention
from foveal.analysis.attention_files import attention_outlines, style_of
from foveal.analysis.being_seen import PEOPLE
from foveal.datasets.picture_regions import PictureRegion
from foveal.figures import plot_density
from foveal.figures.colors import HEAT
from foveal.figures.labels import shortened
from foveal.figures.letters import MISSING, drawable, width_of
from foveal.figures.pages import GRAY, INK, MARGIN, PALE, WIDTH, Pages, paragraph_height
from foveal.figures.plots import draw_color_bar, same_every_time
from foveal.figures.styles import STYLES
from foveal.files import write_atomically
from foveal.models.prediction import Prediction

MOST_REGIONS = 200  # in the table and in the picture
LONGEST_QUOTED = 40.0  # characters of a name in a sentence
FEWEST_ROWS = 4  # that are worth beginning the table below other things
ACCENT, BAR_COLOR = "#b0006f", "#e7a6c6"  # the darkest color of the heat, and a pale one

# In points.
INNER = WIDTH - 2 * MARGIN
TITLE, SMALLEST_TITLE = 20.0, 12.0
FIGURE, HEADING, LARGE, TEXT, SMALL, TINY, INTERVAL = 18.0, 12.0, 11.0, 8.5, 7.5, 6.5, 6.0
HIGHEST_PICTURE = 350.0
TABLE_HEAD, ROW = 40.0, 17.0
RANK, NAME, BAR, SHARE, PER_AREA, SEEN = 14.0, 22.0, 160.0, 240.0, 278.0, 287.0  # of columns; numbers end there
NAME_WIDTH, BAR_WIDTH, SEEN_WIDTH, PROBABILITY = 132.0, 40.0, 53.0, 28.0
INDENT = 8.0  # of the heads above the probabilities

OUTLINED = "Outlined: the regions, with their shares"
COLUMNS = (
    "Share: the probability that a fixation lands in the region.",
    "Per area: the share over the region's part of the picture; 1 is no more than any place.",
    f"Small figures, in %: of {PEOPLE} people, the share who look lies between them for four of five regions with the "
    "same share and area.",
    "People make about three fixations a second.",
)
NOTE = (
    "All numbers are a prediction of where people look in the first seconds. No viewers of this picture were measured. "
    "Foveal's networks know photographs of people, animals, things, streets and rooms, looked at freely. They have not "
    "learned pages of text or of the web, drawings, or people who search for something: there the numbers are rougher.",
    "The probability of being seen comes from people in three studies with photographs. Of boxes drawn at random, it "
    "was within 5 percentage points of what people did in 36 of 39 comparisons, and 7 points off at worst. "
    "In photographs that the default model had not seen, it was in 20 of 28, and 10 points off at worst.",
    "Regions that are chosen because people look there are seen more than is said here: by 12 points on average, and "
    "by up to 28. So draw regions before you look at where people looked.",
    "Regions smaller than 0.2 % or larger than 30 % of the picture were not measured. For the probability of being "
    "seen, they count as 0.2 % or 30 %.",
)


def write_attention_report(
    prediction: Prediction, regions: Sequence[PictureRegion], found: Attention, path: str | os.PathLike[str]
) -> Path:
    """Write `attention_report` into a file; its path.

    Raises
    ------
    FovealError
        If it cannot be written.
    """
    content = attention_report(prediction, regions, found)
    with write_atomically(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def attention_report(prediction: Prediction, regions: Sequence[PictureRegion], found: Attention) -> bytes:
    """A PDF of A4: the picture with its regions, what they get, and how far the numbers can be trusted.

    It has no date, and the same bytes every time. Of many regions, those with the largest shares are in it.

    Parameters
    ----------
    prediction
        Of the picture.
    regions, found
        Its regions, and what `attention` says of them.
    """
    by_rank = sorted(zip(regions, found.regions, strict=True), key=lambda pair: pair[1].rank)[:MOST_REGIONS]
    shown = replace(found, regions=tuple(of_region for _, of_region in by_rank))
    with same_every_time():
        pages = Pages()
        _head(pages, found)
        _numbers(pages, found)
        _picture(pages, prediction, [region for region, _ in by_rank], shown)
        if by_rank:
            _table(pages, shown, len(found.regions))
        _note(pages, NOTE if by_rank else NOTE[:1])
        return pages.pdf(found.picture, f"{found.picture}, by {found.model}")


def _head(pages: Pages, found: Attention) -> None:
    """Title, what the picture is, and what there is to say of it."""
    title = drawable(found.picture, "bold")
    size = max(SMALLEST_TITLE, min(TITLE, TITLE * INNER / width_of(title, TITLE, "bold")))
    pages.top += TITLE
    line = shortened(title, INNER, lambda text: width_of(text, size, "bold"))
    pages.write(line, MARGIN, pages.top, size, weight="bold")
    pages.top += 3
    about = f"Where people look: {found.width} × {found.height} px, predicted by the model {found.model}"
    pages.paragraph(about, MARGIN, INNER, TEXT, color=GRAY)
    pages.top += 7
    pages.paragraph(" ".join(_said(found)), MARGIN, INNER, LARGE)


def _said(found: Attention) -> list[str]:
    """Sentences about the picture and its first region."""
    sentences = [found.whole.in_words]
    if found.regions:
        first = min(found.regions, key=lambda region: region.rank)
        name = f"“{shortened(drawable(first.name), LONGEST_QUOTED, len)}”"
        gets = f"Of {len(found.regions):,} regions, {name} gets most:" if len(found.regions) > 1 else f"{name} gets"
        times = f"{first.per_area:.1f} times what its size alone would get"
        sentences.append(f"{gets} {_share(first.share)} of the attention, {times}.")
    return sentences


def _numbers(pages: Pages, found: Attention) -> None:
    """Four numbers beside each other, each with its meaning below."""
    whole = found.whole
    less = "0 is attention that is the same everywhere"
    if whole.more_focused_than is not None:
        less = f"{_whole(whole.more_focused_than)} of photographs have less"
    nearer = "nearer to the middle" if whole.center_pull >= 0 else "farther from the middle"
    facts = (
        (_whole(whole.half_in), "of the picture holds half of the attention"),
        (str(whole.hotspots), f"hotspot{'s' * (whole.hotspots != 1)} with 1 % of the attention or more"),
        (f"{whole.focus:.1f} bits", f"of focus; {less}"),
        (_whole(abs(whole.center_pull)), f"center pull: {nearer} than random points"),
    )
    pages.top += 16
    gap = 14.0
    width = (INNER - 3 * gap) / 4
    top = pages.top
    lowest = top
    for number, (value, meaning) in enumerate(facts):
        left = MARGIN + number * (width + gap)
        pages.rule(left, left + width, top, color=ACCENT, width=1.2)
        pages.top = top + 24
        pages.write(value, left, pages.top, FIGURE, color=ACCENT, weight="bold")
        pages.top += 3
        pages.paragraph(meaning, left, width, SMALL, color=GRAY)
        lowest = max(lowest, pages.top)
    pages.top = lowest


def _picture(pages: Pages, prediction: Prediction, regions: Sequence[PictureRegion], found: Attention) -> None:
    """The picture with its regions outlined, and what its colors and lines mean."""
    height, width = prediction.log_density.shape
    scale = min(INNER / width, HIGHEST_PICTURE / height)
    pages.top += 18
    ax = pages.axes(MARGIN + (INNER - scale * width) / 2, pages.top, scale * width, scale * height)
    style, outlines = style_of(regions), attention_outlines(regions, found)
    plot_density(prediction.log_density, prediction.image, ax=ax, style=style, color_bar=False, outlines=outlines)
    ax.images[0].set_interpolation("none")
    ax.set_axis_on()
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(color=PALE, linewidth=0.6)
    pages.top += scale * height + 18
    heat = STYLES["heatmap"].legend
    pages.write(heat, MARGIN, pages.top, SMALL, color=GRAY)
    left = MARGIN + width_of(heat, SMALL) + 12
    bar = pages.axes(left, pages.top - SMALL + 1, MARGIN + INNER - left, SMALL - 1)
    draw_color_bar(bar, HEAT)
    bar.tick_params(labelsize=SMALL, labelcolor=GRAY, color=GRAY, length=2, width=0.5)
    lines = OUTLINED if regions else STYLES["hotspots"].legend
    pages.paragraph(lines, MARGIN, left - MARGIN, SMALL, color=GRAY)
    pages.top += 4


def _table(pages: Pages, found: Attention, n_regions: int) -> None:
    """The regions by their rank, a row each, on as many pages as they need."""
    numbers = [n for n in FIXATIONS if n in found.regions[0].seen]
    rows = min(len(found.regions), FEWEST_ROWS)
    pages.top += 14
    if pages.room < TABLE_HEAD + rows * ROW:
        pages.new_page()
    if n_regions > len(found.regions):
        largest = f"the {len(found.regions)} with the largest shares, of {n_regions:,}"
        pages.write(largest, MARGIN + INNER, pages.top + HEADING, SMALL, color=GRAY, align="right")
    _table_head(pages, "Regions", numbers)
    highest = found.regions[0].share
    for region in found.regions:
        if pages.room < ROW:
            pages.new_page()
            _table_head(pages, "Regions, continued", numbers)
        _row(pages, region, numbers, region.share / highest if highest else 0.0)
    pages.top += 4
    explained = list(COLUMNS)
    if any(MISSING in drawable(name) for name in (found.picture, *(region.name for region in found.regions))):
        explained.append(f"{MISSING} stands for a letter that the font of this page does not have.")
    text = " ".join(explained)
    if pages.room < paragraph_height([text], INNER, SMALL):
        pages.new_page()
    pages.paragraph(text, MARGIN, INNER, SMALL, color=GRAY)


def _table_head(pages: Pages, title: str, numbers: Sequence[int]) -> None:
    pages.write(title, MARGIN, pages.top + HEADING, HEADING, weight="bold")
    base = pages.top + TABLE_HEAD - 5
    pages.write("Region", MARGIN + NAME, base, TINY, color=GRAY)
    for text, right in (("Share", SHARE), ("Per area", PER_AREA)):
        pages.write(text, MARGIN + right, base, TINY, color=GRAY, align="right")
    pages.write("Probability of being seen within", MARGIN + SEEN + INDENT, base - 11, TINY, color=GRAY)
    for column, n in enumerate(numbers):
        text = f"{n} fixation{'s' * (n > 1)}"
        pages.write(text, MARGIN + SEEN + INDENT + column * SEEN_WIDTH, base, TINY, color=GRAY)
    pages.top += TABLE_HEAD
    pages.rule(MARGIN, MARGIN + INNER, pages.top, color=INK, width=0.8)


def _row(pages: Pages, region: RegionAttention, numbers: Sequence[int], length: float) -> None:
    """One region; `length` of its bar is of the longest."""
    base = pages.top + ROW - 5.5
    pages.write(str(region.rank), MARGIN + RANK, base, TEXT, color=GRAY, align="right")
    name = shortened(drawable(region.name), NAME_WIDTH, lambda text: width_of(text, TEXT))
    pages.write(name, MARGIN + NAME, base, TEXT)
    pages.rule(MARGIN + BAR, MARGIN + BAR + length * BAR_WIDTH, base - 3, color=BAR_COLOR, width=7.0)
    pages.write(_share(region.share), MARGIN + SHARE, base, TEXT, align="right")
    pages.write(f"{region.per_area:.1f}", MARGIN + PER_AREA, base, TEXT, align="right")
    for column, n in enumerate(numbers):
        seen, left = region.seen[n], MARGIN + SEEN + column * SEEN_WIDTH
        pages.write(_whole(seen.probability), left + PROBABILITY, base, TEXT, align="right")
        interval = f"{100 * seen.low:.0f}–{100 * seen.high:.0f}"
        pages.write(interval, left + PROBABILITY + 2, base, INTERVAL, color=GRAY)
    pages.top += ROW
    pages.rule(MARGIN, MARGIN + INNER, pages.top)


def _note(pages: Pages, texts: Sequence[str]) -> None:
    """How far the numbers can be trusted."""
    pages.top += 20
    if pages.room < 20 + paragraph_height(texts, INNER, TEXT) + 4 * len(texts):
        pages.new_page()
    pages.top += HEADING
    pages.write("How far the numbers can be trusted", MARGIN, pages.top, HEADING, weight="bold")
    for text in texts:
        pages.top += 4
        pages.paragraph(text, MARGIN, INNER, TEXT)


def _share(share: float) -> str:
    """A share with one decimal.

    >>> _share(0.123), _share(0.0001)
    ('12.3 %', '< 0.1 %')
    """
    return "< 0.1 %" if share < 0.0005 else f"{100 * share:.1f} %"


def _whole(share: float) -> str:
    """A share without decimals.

    >>> _whole(0.123), _whole(0.001)
    ('12 %', '< 1 %')
    """
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
