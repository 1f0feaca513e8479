"""The server: its parts put together, and how it is run."""

import asyncio
import socket
from collections.abc import Sequence
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.formparsers import MultiPartParser
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles
from uvicorn.protocols.http.h11_impl import H11Protocol

from foveal.errors import FovealError, first_line
from foveal.models.registry import DEFAULT_MODEL
from foveal.web.api import api
from foveal.web.guard import Guard
from foveal.web.limits import Limits
from foveal.web.problems import tell_problems_of
from foveal.web.reports import find_reports
from foveal.web.work import Workbench

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
MOST_CONNECTIONS = 256
SECONDS_TO_BEGIN = 10.0  # for a visitor to send the head of a request


def create_app(
    *,
    model: str = DEFAULT_MODEL,
    device: str = "cpu",
    reports: Sequence[Path] = (),
    token: str | None = None,
    hosts: frozenset[str] | None = LOOPBACK,
    limits: Limits | None = None,
) -> FastAPI:
    """The server's application (ASGI).

    Parameters
    ----------
    model
        The model of requests that name none.
    device
        Where models compute.
    reports
        Folders with a report.html.
    token
        What a visitor needs, if any.
    hosts
        Names by which the server may be called; None: any.
    limits
        Of requests, memory and time.

    Raises
    ------
    FovealError
        If a folder holds no report.
    """
    limits = limits or Limits()
    bench = Workbench(model, device, limits)
    found = find_reports(reports)
    # An upload stays in memory: by default, large ones go to a file for a while.
    MultiPartParser.spool_max_size = limits.body

    app = FastAPI(
        title="Foveal",
        summary="Where people look in a picture.",
        version=version("foveal"),
        openapi_url="/api/openapi.json",
        docs_url=None,  # these load scripts from elsewhere
        redoc_url=None,
    )
    app.state.workbench = bench
    tell_problems_of(app)
    app.include_router(api)

    @app.get("/api/reports")
    def names_of_reports() -> list[str]:
        """Reports that this server shows, each at /reports/<name>/."""
        return list(found)

    for name, report in found.items():
        app.mount(f"/reports/{name}", report)
    with resources.as_file(resources.files("foveal.web") / "page") as page:
        app.mount("/page", StaticFiles(directory=page))

    @app.get("/", include_in_schema=False)
    def front() -> FileResponse:
        return FileResponse(page / "index.html")

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> FileResponse:
        return FileResponse(page / "icon.svg")

    app.add_middleware(Guard, limits=limits, token=token, hosts=hosts)
    return app


class _Protocol(H11Protocol):
    """HTTP/1.1, where a visitor who is connected has to ask for something soon, letter by letter or not."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_request()

    def _await_request(self) -> None:
        self.loop.call_later(SECONDS_TO_BEGIN, self._close_if_silent, self.cycle)

    def _close_if_silent(self, last: object) -> None:
        if self.cycle is last and not self.transport.is_closing():
            self.transport.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket on which visitors are awaited.

    Raises
    ------
    FovealError
        If there is no such address here, or the port is taken.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except OSError as error:
        raise FovealError(f"--host {host}: no address of this machine ({first_line(error)})") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        raise FovealError(
            f"{host}:{port} cannot be listened on ({first_line(error)}); --port 0 takes a free port"
        ) from None
    return listening


def serve(app: FastAPI, listening: socket.socket) -> None:
    """Answer until interrupted, or until `app.state.stop()`. Nothing is written of what is asked."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        log_level="critical",
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    app.state.stop = stop
    server.run(sockets=[listening])
