"""Whom to look after: promotion candidates, and who is about to fall."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from agents.web.desk import ReadyDesk
from agents.web.problems import documented
from agents.web.routes.gradings import surveyed_at
from schemas.api.population import AtRisk, Candidate, Candidates, Warned
from stream.calendar import format_instant
from stream.projection.at_risk import OPENS

router = APIRouter(tags=["people"], responses=documented(422, 503))

_MOST_WARNINGS = 1_000
_MOST_CANDIDATES = 200
OneGrading = Annotated[
    str | None, Query(min_length=1, max_length=64, description="Only this grading.")
]


@router.get("/candidates", summary="Customers close to the next better tier")
async def candidates(
    desk: ReadyDesk,
    grading: OneGrading = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_CANDIDATES)] = 50,
) -> Candidates:
    """Return the closest by what is missing as a share of what is needed, grading by grading."""
    board, survey = desk.board, desk.board.surveyed
    found = [
        one
        for name, close in ({} if survey is None else survey.candidates).items()
        if grading in {None, name}
        for one in close
        # A tier that has changed since the survey makes the entry void.
        if board.population.tier(one.customer_id, name) == one.tier
    ]
    return Candidates(
        surveyed=surveyed_at(desk),
        currency=board.in_force.plan.converter.reporting,
        candidates=[Candidate.model_validate(one._asdict()) for one in found[:limit]],
    )


@router.get("/at-risk", summary="Customers who fall soon if nothing happens")
async def at_risk(
    desk: ReadyDesk,
    grading: OneGrading = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_WARNINGS)] = 100,
) -> AtRisk:
    """Return the standing warnings, the nearest first. None where the policy has no forecasts."""
    board, now_ms = desk.board, desk.now_ms()
    standing = board.at_risk.standing(now_ms, board.population.tier, grading)
    return AtRisk(
        now=format_instant(now_ms),
        total=len(standing),
        warnings=[
            Warned.model_validate(
                {
                    "id": told.id,
                    "customer_id": told.customer_id,
                    "grading": told.grading,
                    "kind": OPENS[told.status],
                    "tier": told.tier,
                    "expected_tier": told.expected_tier,
                    "expected_at": told.expected_at,
                    "issued_at": told.issued_at,
                    "prevention": None
                    if told.prevention is None
                    else msgspec.structs.asdict(told.prevention),
                }
            )
            for told in standing[:limit]
        ],
    )
