"""`foveal serve`."""

import os
import secrets
import socket
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from foveal.cli.console import tell
from foveal.cli.options import Device

TOKEN = "FOVEAL_TOKEN"
EVERYWHERE = "0.0.0.0", "::"


def serve(
    reports: Annotated[
        list[Path] | None, typer.Argument(help="Folders with a report.html, which the page opens as well.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen; other than this machine only with a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    model: Annotated[str, typer.Option(help="A name that `foveal models` lists, or a .safetensors file.")] = "foveal-s",
    device: Device = "cpu",
) -> None:
    """Show the page: drop a picture in, see where people look. Other programs find an HTTP interface below /api.

    Nothing is written to disk or logged of a picture. With another --host than this machine, who has no token is not
    answered: it is printed, or $FOVEAL_TOKEN says it.
    """
    from foveal.web.app import LOOPBACK, create_app, listen
    from foveal.web.app import serve as run

    is_loopback = host in LOOPBACK
    token = None if is_loopback else os.environ.get(TOKEN) or secrets.token_urlsafe(24)
    app = create_app(
        model=model, device=device, reports=reports or (), token=token, hosts=LOOPBACK if is_loopback else None
    )
    app.state.workbench.make_ready()
    with listen(host, port) as listening:
        name = socket.gethostname() if host in EVERYWHERE else host
        address = f"{f'[{name}]' if ':' in name else name}:{listening.getsockname()[1]}"
        tell(f"http://{address}/{f'?token={quote(token, safe=str())}' if token else ''}")
        run(app, listening)
