"""Errors as problem details (RFC 9457): one JSON object with a status, a title and one line of detail."""

import sys
import traceback
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from foveal.errors import FovealError

MEDIA_TYPE = "application/problem+json"
SECONDS_TO_COME_BACK = 2
MOST_TOLD = 3  # wrong values of one request


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    type: str = Field("about:blank", description="about:blank: the title says what the status means.")
    title: str = Field(description="What the status means.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="One line: what is wrong, with which value, and what to do.")


class Refused(HTTPException):
    """A request that is not answered: with this status, for this reason."""

    def answer(self) -> JSONResponse:
        """Problem details, as the status wants them."""
        status = HTTPStatus(self.status_code)
        told = Problem(type="about:blank", title=status.phrase, status=status, detail=" ".join(self.detail.split()))
        return JSONResponse(told.model_dump(), status, self.headers, MEDIA_TYPE)


class Busy(Refused):
    """More is asked for than can be done now; the visitor is told when to come back."""

    def __init__(self, detail: str = "too much is being asked for at once; try again in a moment") -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": str(SECONDS_TO_COME_BACK)})


# What every operation may answer, for the OpenAPI document.
RESPONSES: dict[int | str, dict[str, Any]] = {
    int(status): {"description": description, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, description in (
        (HTTPStatus.BAD_REQUEST, "The request cannot be read."),
        (HTTPStatus.UNAUTHORIZED, "The token is missing or wrong."),
        (HTTPStatus.FORBIDDEN, "The request comes from another site."),
        (HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive."),
        (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large."),
        (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The request is no form with a picture."),
        (HTTPStatus.UNPROCESSABLE_ENTITY, "A value is wrong: the picture, a region, the name of a model."),
        (HTTPStatus.SERVICE_UNAVAILABLE, "Busy; `Retry-After` says when to come back."),
        (HTTPStatus.GATEWAY_TIMEOUT, "It took too long."),
    )
}


def tell_problems_of(app: FastAPI) -> None:
    """Answer whatever is raised with problem details."""

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return Refused(error.status_code, error.detail, error.headers).answer()

    @app.exception_handler(FovealError)
    async def wrong(_: Request, error: FovealError) -> JSONResponse:
        return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)).answer()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(map(_told, error.errors()[:MOST_TOLD]))).answer()

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        print(f"{type(error).__name__} in", *traceback.format_tb(error.__traceback__), sep="\n", file=sys.stderr)
        detail = f"Foveal failed ({type(error).__name__}); please report it"
        return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, detail).answer()


def _told(error: dict[str, Any]) -> str:
    """Where a value stands, and what is wrong with it."""
    place = ".".join(str(part) for part in error["loc"] if part != "body")
    return f"{place or 'body'}: {error['msg']}"
