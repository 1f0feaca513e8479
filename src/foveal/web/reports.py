"""Reports that other commands wrote, opened from the page: the folders that `serve` was given, to read only."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from foveal.benchmarking.page_parts import page_environment
from foveal.errors import FovealError

PAGE = "report.html"


def report_policy() -> str:
    """What a report may do: show itself, and sort its tables by the one script that Foveal writes into every report."""
    script = page_environment("foveal.benchmarking").get_template("sort.js").render()
    digest = base64.b64encode(hashlib.sha256(f"\n{script}".encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Report(StaticFiles):
    """One folder with a report."""

    policy = report_policy()

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file of the folder; the report itself at its root."""
        response = await super().get_response(PAGE if path in (".", "") else path, scope)
        response.headers["Content-Security-Policy"] = self.policy
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
        base = folder.resolve().name
        names = (base, *(f"{base}-{number}" for number in range(2, len(folders) + 2)))
        found[next(name for name in names if name not in found)] = Report(directory=folder)
    return found
