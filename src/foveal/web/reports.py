"""Reports that other commands wrote, opened from the page: the folders that `serve` was given, to read only."""

from collections.abc import Sequence
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from foveal.errors import FovealError

PAGE = "report.html"
# A report holds its own script and style, and may do nothing but show itself.
POLICY = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data:"
)


class Report(StaticFiles):
    """One folder with a report."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file of the folder; the report itself at its root."""
        response = await super().get_response(PAGE if path in (".", "") else path, scope)
        response.headers["Content-Security-Policy"] = POLICY
        return response


def find_reports(folders: Sequence[Path]) -> dict[str, Report]:
    """The reports in some folders, by the names that they have on the server.

    Raises
    ------
    FovealError
        If a folder holds none.
    """
    found: dict[str, Report] = {}
    for folder in folders:
        if not (folder / PAGE).is_file():
            raise FovealError(f"{folder}: no {PAGE} in it")
        name = folder.resolve().name
        number = sum(other == name or other.startswith(f"{name}-") for other in found)
        found[f"{name}-{number + 1}" if number else name] = Report(directory=folder)
    return found
