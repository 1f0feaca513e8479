"""`foveal attention`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveal.cli.capture import Viewport, viewport_of
from foveal.cli.console import SOME_INPUTS_FAILED, say, show, tell
from foveal.cli.options import Device

if TYPE_CHECKING:
    from foveal.analysis.attention import Attention

SUMMED_UP = 3  # elements of a screen, those that most people see first


def attention(
    image: Annotated[
        str, typer.Argument(help="A picture; or a page, which is captured first.", metavar="IMAGE|PAGE.html|ADDRESS")
    ],
    regions: Annotated[
        Path | None, typer.Option(help="Its regions: a table of boxes or polygons, or COCO's or labelme's JSON.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Another picture or page, with regions of the same names: A against B.")
    ] = None,
    model: Annotated[str, typer.Option(help="A name that `foveal models` lists, or a .safetensors file.")] = "foveal-s",
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    ppd: Annotated[float | None, typer.Option(help="Pixels per degree of visual angle, if known.")] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SHARE",
            help="Exit with status 1 if a region gets less than this share; on several screens, its largest counts.",
        ),
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="An earlier .attention.json to compare with.")] = None,
    max_drop: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Exit with status 1 if a share fell by more than this since the baseline."),
    ] = 0.01,
    viewport: Viewport = "1280x800",
    full_page: Annotated[
        bool, typer.Option("--full-page", help="The whole page, screen by screen from above.")
    ] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also a report as PDF, to be handed on.")] = False,
    device: Device = "cpu",
) -> None:
    """Say what share of people's attention the regions of a picture get.

    The regions of a page are its elements, unless --regions says others.

    Writes OUT/<stem>.attention.json, .attention.csv and .attention.png; with --against those of the two pictures into
    OUT/A and OUT/B, and OUT/against.csv and .png, where orange is what A gets more of, and blue B. With --full-page, a
    number stands behind <stem>, one for each screen, and OUT/<stem>.attention.csv has the elements of all screens. With
    --pdf, OUT/<stem>.attention.pdf is a report of each picture.
    """
    from foveal.analysis.attention import compared, fallen, read_shares, too_low
    from foveal.analysis.attention_files import attention_of, write_attention, write_comparison, write_screens
    from foveal.analysis.attention_report import write_attention_report
    from foveal.models import load_model

    given = {"--regions": regions, "--against": against, "--baseline": baseline}
    if full_page and (excluded := [option for option, value in given.items() if value is not None]):
        raise typer.BadParameter(f"has several pictures; leave out {', '.join(excluded)}", param_hint="--full-page")
    limits = dict(_limit(text) for text in fail_under or ())
    loaded = load_model(model, device)
    before = read_shares(baseline, loaded.name) if baseline else {}
    folders = {out: image} if against is None else {out / "A": image, out / "B": against}
    pictures = []
    for folder, source in folders.items():
        for picture, its_own in _pictures(source, folder, viewport, full_page):
            pictures.append(attention_of(picture, loaded, regions or its_own, ppd))
            _show(pictures[-1][2])
            tell(*map(str, write_attention(*pictures[-1], folder)))
            if pdf:
                tell(str(write_attention_report(*pictures[-1], folder / f"{pictures[-1][2].picture}.attention.pdf")))
    if full_page:
        screens = [found for _, _, found in pictures]
        name = screens[0].picture.removesuffix(".1")
        _show_screens(name, screens)
        tell(str(write_screens(screens, out / f"{name}.attention.csv")))
    if against is not None:
        (first, _, found), (second, _, other) = pictures
        rows = compared(found, other)
        if rows:
            show(
                ["region", "A", "B", "A - B", "wins"],
                [[r.name, f"{r.a:.1%}", f"{r.b:.1%}", f"{r.difference:+.1%}", r.winner] for r in rows],
                title=f"A {found.picture} against B {other.picture}",
            )
        tell(*map(str, write_comparison(first, second, rows, out)))
    judged = screens if full_page else pictures[0][2]
    failed = [*too_low(judged, limits), *fallen(pictures[0][2], before, max_drop)]
    for line in failed:
        say(f"error: {line}")
    if failed:
        raise typer.Exit(SOME_INPUTS_FAILED)


def _pictures(source: str, out: Path, viewport: str, full_page: bool) -> list[tuple[Path, Path | None]]:
    """The file of a picture, or those of a page's screens; with the regions that they come with."""
    from foveal.interop.browser import capture, is_page

    if is_page(source):
        screens = capture(source, out, viewport=viewport_of(viewport), full_page=full_page)
        return [(screen.picture, screen.regions if screen.n_elements else None) for screen in screens]
    if full_page:
        raise typer.BadParameter(f"{source} is no page", param_hint="--full-page")
    return [(Path(source), None)]


def _limit(text: str) -> tuple[str, float]:
    """Name and share of "Buy now=0.05"."""
    name, _, share = text.rpartition("=")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not name.strip() or not 0 <= value <= 1:
        raise typer.BadParameter(f"NAME=SHARE, such as logo=0.05, not {text!r}", param_hint="--fail-under")
    return name.strip(), value


def _show(found: "Attention") -> None:
    if found.regions:
        numbers = list(found.regions[0].seen)
        rows = [
            [
                region.name,
                f"{region.share:.1%}",
                f"{region.per_area:.1f}",
                str(region.rank),
                *(f"{seen.probability:.0%} ({seen.low:.0%} to {seen.high:.0%})" for seen in region.seen.values()),
            ]
            for region in found.regions
        ]
        seen_by = [f"seen in {n} fixation{'s' * (n > 1)}" for n in numbers]
        show(["region", "share", "per area", "rank", *seen_by], rows, title=found.picture)
    tell(f"{found.picture}: {found.whole.in_words}")


def _show_screens(page: str, screens: Sequence["Attention"]) -> None:
    """What is seen first on each screen."""
    sections = []
    for number, screen in enumerate(screens, 1):
        first = sorted(screen.regions, key=lambda region: -region.seen[1].probability)[:SUMMED_UP]
        cells = [[region.name, *(f"{region.seen[n].probability:.0%}" for n in (1, 3))] for region in first]
        sections.append([[str(number), *row] for row in cells or [["no element", "", ""]]])
    columns = ["screen", "seen first", "in 1 fixation", "in 3 fixations"]
    show(columns, *sections, title=f"{page}, screen by screen")
