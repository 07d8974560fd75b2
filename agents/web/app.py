"""The ASGI application: routes, guards, errors. Built by a factory; starts nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from agents.web import page
from agents.web.desk import admitted, known_parameters
from agents.web.guard import Guard
from agents.web.problems import add_handlers
from agents.web.routes import changes, customers, gradings, people, records, webhooks
from schemas.api.base import Problem

if TYPE_CHECKING:
    from agents.web.desk import Desk

_ABOUT = (
    "Where customers stand, why, and what comes next; and who is sent it by webhooks, which is "
    "all that can be changed here. Ids of customers stand in bodies, never in URLs. Errors are "
    "problems (RFC 9457). Clients should ignore fields that they do not know."
)


def create_api(desk: Desk | None, names: frozenset[str] | None = None) -> FastAPI:
    """Return the application.

    Args:
        desk: What the routes work with; None to look at the OpenAPI document only.
        names: Names that the server answers to; None for any.
    """
    app = FastAPI(
        title="tierstream",
        version="1",
        description=_ABOUT,
        # Their pages come from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
    )
    app.state.desk = desk
    api = APIRouter(prefix="/v1", dependencies=[Depends(admitted), Depends(known_parameters)])
    for routes in (gradings, people, changes, customers, records, webhooks):
        api.include_router(routes.router)
    app.include_router(api)
    page.add_page(app)
    add_handlers(app)
    app.add_middleware(Guard, names=names)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the one schema that no route names as its answer."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            description=app.description,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            routes=app.routes,
            tags=[{"name": name} for name in _TAGS],
        )
        schema = Problem.model_json_schema()
        made["components"]["schemas"]["Problem"] = schema
        app.openapi_schema = made
    return app.openapi_schema


_TAGS = ("gradings", "people", "changes", "customers", "policies", "privacy", "webhooks", "health")
