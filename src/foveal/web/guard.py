"""What every request passes before it is answered, and what every answer carries.

In the order of the checks: whose site it comes from, the token, the size of the body and the time it takes.
"""

import asyncio
import secrets
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foveal.web.limits import Limits
from foveal.web.problems import Busy, Refused

COOKIE = "foveal-token"
NO_FILES = "application/x-www-form-urlencoded"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}


class Guard:
    """Lets requests in that come from this server's own page, or from a program; with a token where one is needed.

    Parameters
    ----------
    app
        What answers.
    limits
        See `Limits`.
    token
        What every request has to carry: as `Authorization: Bearer …`, or in a cookie, which opening /?token=… sets.
    hosts
        Names by which the server may be called, if only by some: another site's name that leads to this machine is no
        way in.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None = None, hosts: frozenset[str] | None = None):
        self.app, self.limits, self.token, self.hosts = app, limits, token, hosts
        self._received = 0  # bytes of all requests that are not answered yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = _Body(self, receive)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                carried = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    carried.setdefault(name, value)
            await send(message)

        try:
            self._check_site(headers)
            if (page := self._entered(scope)) is not None:
                await page(scope, receive, send_with_headers)
                return
            self._check_token(headers)
            self._check_length(headers)
            if headers.get("content-type", "").lower().startswith(NO_FILES):  # it is slow to read, and holds no picture
                raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a picture comes in a form: multipart/form-data")
            await self.app(scope, body.receive, send_with_headers)
        except Refused as error:
            await error.answer()(scope, receive, send_with_headers)
        finally:
            self._received -= body.size

    def _check_site(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if self.hosts is not None and _name_of(host) not in self.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, "this server is not called so")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise Refused(HTTPStatus.FORBIDDEN, "requests from other sites are not answered")

    def _entered(self, scope: Scope) -> RedirectResponse | None:
        """The page without the token in its address, if the address had the right one; the token goes into a cookie."""
        if self.token is None or scope["path"] != "/" or scope["method"] != "GET":
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not _same(given, self.token):
            return None
        page = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        page.set_cookie(COOKIE, self.token, httponly=True, samesite="strict", secure=scope["scheme"] == "https")
        return page

    def _check_token(self, headers: Headers) -> None:
        if self.token is None:
            return
        in_cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        kind, _, given = headers.get("authorization", "").partition(" ")
        if not _same(given if kind.lower() == "bearer" else in_cookie, self.token):
            line = "the token is missing or wrong: open the address that `foveal serve` printed"
            raise Refused(HTTPStatus.UNAUTHORIZED, line, {"WWW-Authenticate": "Bearer"})

    def _check_length(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
        if int(length) > self.limits.body:
            raise self.too_large()

    def too_large(self) -> Refused:
        """What is said of a body that is larger than allowed."""
        most = self.limits.body // 2**20
        return Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request holds at most {most} MB; make the picture smaller"
        )

    def count(self, n_bytes: int) -> None:
        """Count what has arrived of a request.

        Raises
        ------
        Busy
            If all requests together hold too much.
        """
        self._received += n_bytes
        if self._received > self.limits.bodies:
            raise Busy


class _Body:
    """The body of one request as it arrives, counted and timed."""

    def __init__(self, guard: Guard, receive: Receive) -> None:
        self._guard, self._receive = guard, receive
        self._until = asyncio.get_running_loop().time() + guard.limits.seconds_to_send
        self._has_arrived = False
        self.size = 0

    async def receive(self) -> Message:
        if self._has_arrived:  # what comes now is that the visitor has gone
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive") from None
        self._has_arrived = not message.get("more_body", False)
        arrived = len(message.get("body", b""))
        self.size += arrived
        self._guard.count(arrived)
        if self.size > self._guard.limits.body:
            raise self._guard.too_large()
        return message


def _name_of(host: str) -> str:
    """The name in a Host header, without the port.

    >>> _name_of("localhost:8000"), _name_of("[::1]:8000")
    ('localhost', '[::1]')
    """
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())
