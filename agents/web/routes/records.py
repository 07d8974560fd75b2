"""Policies, erasure receipts, and how the server is."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from agents.version import version
from agents.web.desk import AnyDesk, ReadyDesk
from agents.web.problems import ProblemError, documented
from agents.web.routes.gradings import instant_or_none, surveyed_at
from schemas.api.base import Label, Policy
from schemas.api.log import Health, InForce, Policies, PolicyPublished, Receipts, TopicHealth
from schemas.api.simulation import Simulation
from schemas.policy.labels import label_in
from stream.calendar import format_instant

router = APIRouter(responses=documented(422, 503))

_MOST_RECEIPTS = 1_000


@router.get("/policies", tags=["policies"], summary="The policy in force, and those published")
async def policies(desk: ReadyDesk) -> Policies:
    """Return names and versions, as far as `controls` still holds what was published."""
    plan = desk.board.in_force.plan
    return Policies(
        in_force=Policy(name=plan.name, version=plan.version),
        published=[
            PolicyPublished(
                policy=Policy(name=one.name, version=one.version),
                event_id=one.event_id,
                published_at=format_instant(one.at_ms),
            )
            for one in desk.board.published
        ],
    )


@router.get("/policies/in-force", tags=["policies"], summary="The policy in force, as written")
async def in_force(desk: AnyDesk) -> InForce:
    """Return the whole policy, and how people call what it names."""
    found = desk.board.in_force
    plan = found.plan
    document = plan.document
    return InForce(
        policy=Policy(name=plan.name, version=plan.version),
        currency=plan.converter.reporting,
        exponent=document.exponent,
        time_zone=document.time_zone,
        edition=found.edition,
        since=None if found.since_ms is None else format_instant(found.since_ms),
        document=document.model_dump(mode="json"),
        labels={
            name: Label(
                en=label_in("en", name, measure.label), zh=label_in("zh", name, measure.label)
            )
            for name, measure in document.measures.items()
        },
        simulated=desk.simulation is not None,
    )


@router.get(
    "/simulation",
    tags=["policies"],
    summary="Another policy beside the one in force, over the same history",
    responses=documented(404),
)
async def simulation(desk: AnyDesk) -> Simulation:
    """Return what `serve --simulation` names: the answer of `tierstream policy simulate --json`."""
    if desk.simulation is None:
        raise ProblemError(404, "no simulation is shown here; see: tierstream serve --simulation")
    return desk.simulation


@router.get(
    "/erasure-receipts",
    tags=["privacy"],
    summary="Proof that customers were erased",
    response_model=Receipts,
    responses=documented(404),
)
async def receipts(
    desk: ReadyDesk,
    after: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_RECEIPTS)] = 100,
) -> Response:
    """Return receipts by pages. They name nobody: who knows an id can compute its subject."""
    known = desk.board.receipts
    if after is not None and after not in known:
        raise ProblemError(404, "there is no such receipt to go on from")
    names = list(known)
    start = 0 if after is None else names.index(after) + 1
    page = names[start : start + limit]
    following = f'"{page[-1]}"' if start + limit < len(names) else "null"
    body = b'{"receipts":[%s],"next":%s}' % (
        b",".join(known[name] for name in page),
        following.encode(),
    )
    return Response(body, media_type="application/json")


@router.get("/health", tags=["health"], summary="How the server is, and how far behind")
async def health(desk: AnyDesk) -> Health:
    """Return how far each topic has been read, and when the store was last looked through."""
    board, progress = desk.board, desk.progress
    topics = sorted({tp.topic for tp in progress.read})
    return Health(
        status="ok" if board.caught_up else "rebuilding",
        version=version(),
        as_of=instant_or_none(board.newest_ms),
        customers=len(board.population),
        followers=board.followers,
        topics=[
            TopicHealth(topic=topic, partitions=count, behind=behind)
            for topic in topics
            for count, behind in [progress.behind(topic)]
        ],
        surveyed=surveyed_at(desk),
        survey_error=board.survey_error,
    )
