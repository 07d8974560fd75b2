"""The live page and what it is made of, and the pages for whoever keeps the process alive."""

import mimetypes
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from agents.web.problems import ProblemError

STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def add_page(app: FastAPI) -> None:
    """Serve the page at ``/``, its parts under ``/static``, ``/healthz`` and ``/readyz``."""
    parts = {
        path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()
    }

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return FileResponse(parts["index.html"], media_type="text/html; charset=utf-8")

    @app.get("/static/{name:path}", include_in_schema=False)
    async def part(name: str) -> Response:
        path = parts.get(name)  # nothing else can be asked for
        if path is None:
            raise ProblemError(404, "there is no such file")
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        return FileResponse(path, media_type=kind)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz(request: Request) -> Response:
        desk = request.app.state.desk
        if desk is None or not desk.board.caught_up:
            return JSONResponse({"status": "waiting"}, 503)
        return JSONResponse({"status": "ready"})
