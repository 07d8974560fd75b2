"""Webhook endpoints: what `tierstream webhooks` does, for those who have a token that may."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from agents.dispatch import now_ms
from agents.web.desk import AnyDesk, manager
from agents.web.problems import documented
from agents.webhooks import managing
from agents.webhooks.managing import Standing
from schemas.api.webhooks import (
    Endpoint,
    EndpointId,
    Endpoints,
    NewEndpoint,
    Replay,
    Replayed,
    Rotation,
    Secret,
)
from schemas.base import instant_ms, parse_instant
from stream.calendar import format_instant

log = structlog.get_logger(__name__)
router = APIRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    dependencies=[Depends(manager)],
    responses=documented(403, 503),
)

_NONE = documented(404)
_NO_SUCH_BODY = documented(400, 404)
Name = Annotated[EndpointId, Path()]
Manager = Annotated[str, Depends(manager)]


@router.get("", summary="Every endpoint, what waits for it, and what was given up")
async def endpoints(desk: AnyDesk) -> Endpoints:
    """Return no secret."""
    found = await desk.webhooks.run(managing.standings)
    return Endpoints(endpoints=[_told(one) for one in found])


@router.post("", status_code=201, summary="Add an endpoint", responses=documented(400))
async def add(desk: AnyDesk, who: Manager, asked: NewEndpoint) -> Secret:
    """Return its secret, which is not shown again."""
    hooks = desk.webhooks
    made = await hooks.run(
        lambda store: managing.add(
            store, asked.url, list(dict.fromkeys(asked.topics)), now_ms(), private=hooks.private
        )
    )
    log.info("webhook_managed", what="added", endpoint=made.id, by=who)
    return Secret(id=made.id, secret=made.secrets[0].text)


@router.get("/{endpoint_id}", summary="One endpoint", responses=_NONE)
async def endpoint(desk: AnyDesk, endpoint_id: Name) -> Endpoint:
    """Return no secret."""
    return _told(await desk.webhooks.run(lambda store: managing.standing(store, endpoint_id)))


@router.delete(
    "/{endpoint_id}",
    status_code=204,
    summary="Forget an endpoint and what waits for it",
    responses=_NONE,
)
async def remove(desk: AnyDesk, who: Manager, endpoint_id: Name) -> Response:
    """Return nothing."""
    await desk.webhooks.run(lambda store: managing.remove(store, endpoint_id))
    log.info("webhook_managed", what="removed", endpoint=endpoint_id, by=who)
    return Response(status_code=204)


@router.post("/{endpoint_id}/secret", summary="Change the secret", responses=_NO_SUCH_BODY)
async def rotate(desk: AnyDesk, who: Manager, endpoint_id: Name, asked: Rotation) -> Secret:
    """Return the new secret, which is not shown again; for a while messages carry both."""
    rotated = await desk.webhooks.run(
        lambda store: managing.rotate(store, endpoint_id, now_ms(), asked.overlap_hours)
    )
    log.info("webhook_managed", what="rotated", endpoint=endpoint_id, by=who)
    return Secret(id=rotated.id, secret=rotated.secrets[0].text)


@router.post("/{endpoint_id}/disable", summary="Send nothing until it is enabled", responses=_NONE)
async def disable(desk: AnyDesk, who: Manager, endpoint_id: Name) -> Endpoint:
    """What waits for it waits on; what is published meanwhile can be replayed."""
    await desk.webhooks.run(lambda store: managing.disable(store, endpoint_id, f"by {who}"))
    log.info("webhook_managed", what="disabled", endpoint=endpoint_id, by=who)
    return await endpoint(desk, endpoint_id)


@router.post("/{endpoint_id}/enable", summary="Send again, first what was waiting", responses=_NONE)
async def enable(desk: AnyDesk, who: Manager, endpoint_id: Name) -> Endpoint:
    """What it has missed since can be replayed."""
    await desk.webhooks.run(lambda store: managing.enable(store, endpoint_id))
    log.info("webhook_managed", what="enabled", endpoint=endpoint_id, by=who)
    return await endpoint(desk, endpoint_id)


@router.post(
    "/{endpoint_id}/replay", summary="Send again what was published", responses=_NO_SUCH_BODY
)
async def replay(desk: AnyDesk, who: Manager, endpoint_id: Name, asked: Replay) -> Replayed:
    """Answer when all of it waits to be sent; messages have the ids that they had before."""
    since_ms = instant_ms(parse_instant(asked.since))
    count = await desk.webhooks.replay(
        endpoint_id, since_ms, asked.customer_id, asked.from_sequence
    )
    log.info("webhook_managed", what="replayed", endpoint=endpoint_id, by=who, messages=count)
    return Replayed(messages=count)


def _told(standing: Standing) -> Endpoint:
    known = standing.endpoint
    return Endpoint.model_validate(
        {
            "id": known.id,
            "url": known.url,
            "topics": list(known.topics),
            "created_at": format_instant(known.created_ms),
            "status": known.status,
            "why": known.why,
            "waiting": standing.waiting,
            "given_up": standing.given_up,
        }
    )
