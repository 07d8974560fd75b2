"""Errors as RFC 9457 problems: one shape for all of them, and never what a client has sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse

from schemas.api.base import Problem
from stream.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = "2"

_SAID = {
    400: "the request cannot be understood",
    401: "a valid bearer token is needed",
    403: "this is not allowed",
    404: "there is no such thing",
    405: "this method is not allowed here",
    410: "what was asked for is not kept any more",
    421: "this server does not answer to that name",
    422: "a value is not allowed",
    429: "too many streams are open",
    500: "something went wrong here; the log says what",
    503: "not ready yet, or the store does not answer; try again",
}


class ProblemError(HTTPException):
    """A request that cannot be answered; *detail* says what to do."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(status, detail, {k.replace("_", "-"): v for k, v in headers.items()})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the entry of OpenAPI for problems with *statuses*, and those of every request."""
    return {
        status: {
            "description": _SAID[status].capitalize(),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, 401, 421, 422, 500})
    }


def answer(
    status: int, detail: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem as a response."""
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail or _SAID.get(status, "")
    )
    return JSONResponse(problem.model_dump(), status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Let *app* answer every error as a problem."""

    @app.exception_handler(StarletteHTTPException)
    async def http(request: Request, exc: StarletteHTTPException) -> Response:
        del request
        ours = isinstance(exc, ProblemError)
        return answer(exc.status_code, exc.detail if ours else None, exc.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, exc: RequestValidationError) -> Response:
        del request
        said = "; ".join(
            f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
            for error in exc.errors()
        )
        return answer(422, said)

    @app.exception_handler(StoreError)
    async def store(request: Request, exc: StoreError) -> Response:
        del request
        log.warning("store_unavailable", error=str(exc))
        return answer(503, None, {"Retry-After": _RETRY_AFTER_S})

    @app.exception_handler(Exception)
    async def unexpected(request: Request, exc: Exception) -> Response:
        del request
        log.error("request_failed", error=type(exc).__name__, exc_info=exc)
        return answer(500)


def not_ready() -> ProblemError:
    """Return what is said until the topics have been read once."""
    return ProblemError(503, "still reading the topics; try again", Retry_After=_RETRY_AFTER_S)
