"""Everyone: gradings with their tiers, members, flows, matrices."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query

from agents.web.desk import Desk, ReadyDesk
from agents.web.problems import ProblemError, documented
from schemas.api.base import Label, Policy
from schemas.api.population import (
    Axis,
    CauseCount,
    Flow,
    FlowDay,
    Flows,
    Grading,
    Gradings,
    Largest,
    Matrices,
    Matrix,
    Member,
    Members,
    Point,
    Tier,
)
from schemas.policy.labels import label_in, label_of
from stream.calendar import format_instant
from stream.plan import Plan
from stream.projection.population import Member as Found
from stream.projection.survey import AxisNote

router = APIRouter(tags=["gradings"], responses=documented(404, 422, 503))

_MOST_MEMBERS = 1_000
_MOST_LARGEST = 100
_MOST_DAYS = 1_000
GradingName = Annotated[str, Path(min_length=1, max_length=64)]
TierName = Annotated[str, Path(min_length=1, max_length=64)]


@router.get("/gradings", summary="Every grading with its tiers: counts and what they bring in")
async def gradings(desk: ReadyDesk) -> Gradings:
    """Return the population as it is now."""
    board, plan = desk.board, desk.board.in_force.plan
    return Gradings(
        as_of=instant_or_none(board.newest_ms),
        policy=Policy(name=plan.name, version=plan.version),
        currency=plan.converter.reporting,
        customers=len(board.population),
        amount=board.amount,
        surveyed=surveyed_at(desk),
        gradings=[_grading(desk, plan, grading.name) for grading in plan.gradings],
    )


@router.get("/gradings/{grading}/tiers/{tier}/members", summary="Who is in a tier, by pages")
async def members(
    desk: ReadyDesk,
    grading: GradingName,
    tier: TierName,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_MEMBERS)] = 100,
) -> Members:
    """Return a page. Who joins the tier while pages are turned may be missed."""
    _check(desk, grading, tier)
    found, following = desk.board.population.members(grading, tier, after, limit)
    page = [_member(one) for one in found]
    return Members(grading=grading, tier=tier, members=page, next=following)


@router.get("/gradings/{grading}/tiers/{tier}/largest", summary="Who brings in most in a tier")
async def largest(
    desk: ReadyDesk,
    grading: GradingName,
    tier: TierName,
    limit: Annotated[int, Query(ge=1, le=_MOST_LARGEST)] = 20,
) -> Largest:
    """Return the customers with the largest amounts, as of the last survey."""
    _check(desk, grading, tier)
    population = desk.board.population
    found = await asyncio.to_thread(population.largest, grading, tier, limit)
    return Largest(
        grading=grading,
        tier=tier,
        currency=desk.board.in_force.plan.converter.reporting,
        members=[_member(one) for one in found],
    )


@router.get("/gradings/{grading}/flows", summary="Changes between tiers by day")
async def flows(
    desk: ReadyDesk,
    grading: GradingName,
    days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = 30,
) -> Flows:
    """Return the last days on which anything changed, as far as `tier-changes` holds them."""
    _check(desk, grading)
    return Flows(
        grading=grading,
        days=[
            FlowDay(
                date=day.date,
                flows=[
                    Flow(from_=before, to=after, changes=count)
                    for (before, after), count in day.moves.items()
                ],
                causes=[
                    CauseCount(direction=direction, cause=cause, changes=count)
                    for (direction, cause), count in day.causes.items()
                ],
            )
            for day in desk.board.flows.days(grading, days)
        ],
    )


@router.get("/matrices", summary="Customers on the two axes of each matrix (KAISM, Boston, ...)")
async def matrices(desk: ReadyDesk) -> Matrices:
    """Return a sample of at most 1,500 customers for each: always the same ones."""
    board, plan = desk.board, desk.board.in_force.plan
    survey = board.surveyed
    if survey is None:
        return Matrices(surveyed=None, matrices=[])
    return Matrices(
        surveyed=format_instant(survey.at_ms),
        matrices=[
            Matrix(
                grading=name,
                currency=plan.converter.reporting,
                columns=_axis(plan, columns),
                rows=_axis(plan, rows),
                points=[
                    Point(customer_id=p.customer_id, tier=p.tier, x=p.x, y=p.y)
                    for p in survey.points[name]
                    if p.customer_id in board.population
                ],
            )
            for name, (columns, rows) in survey.axes.items()
        ],
    )


def surveyed_at(desk: Desk) -> str | None:
    """Return when the last survey ended, as it is told."""
    survey = desk.board.surveyed
    return None if survey is None else format_instant(survey.at_ms)


def instant_or_none(at_ms: int) -> str | None:
    """Return an instant as it is told; 0 stands for none."""
    return format_instant(at_ms) if at_ms else None


def _grading(desk: Desk, plan: Plan, name: str) -> Grading:
    document = plan.document
    standings = desk.board.population.standings(name)
    known = document.grades_of(name)
    others = [tier for tier in standings if tier is not None and tier not in known]
    # RFM cells have 125 names of their own: those that nobody stands in are left out.
    tiers = [*known, *others] if len(known) <= _MOST_LARGEST else sorted(filter(None, standings))
    own = document.gradings[name]
    not_graded = standings.get(None)
    return Grading(
        grading=name,
        label=_label(name, own),
        type=own.type,
        ordered=document.is_ordered(name),
        tiers=[
            Tier(
                tier=tier,
                label=_tier_label(plan, name, tier),
                customers=0 if tier not in standings else standings[tier].customers,
                amount_minor=0 if tier not in standings else standings[tier].sum_minor,
            )
            for tier in tiers
        ],
        not_graded=0 if not_graded is None else not_graded.customers,
    )


def _axis(plan: Plan, note: AxisNote) -> Axis:
    document = plan.document
    named = document.measures.get(note.name) or document.gradings[note.name]
    return Axis.model_validate(note._asdict() | {"label": _label(note.name, named)})


def _label(name: str, named: object) -> Label:
    own = getattr(named, "label", None)
    return Label(en=label_in("en", name, own), zh=label_in("zh", name, own))


def _tier_label(plan: Plan, grading: str, tier: str) -> Label:
    document = plan.document
    return Label(
        en=label_of(document, grading, tier, "en"), zh=label_of(document, grading, tier, "zh")
    )


def _member(found: Found) -> Member:
    return Member(customer_id=found.customer_id, amount_minor=found.amount_minor)


def _check(desk: Desk, grading: str, tier: str | None = None) -> None:
    plan = desk.board.in_force.plan
    if grading not in plan.document.gradings:
        raise ProblemError(404, "the policy in force has no such grading")
    if tier is None:
        return
    if tier not in desk.board.population.standings(grading) and tier not in (
        plan.document.grades_of(grading)
    ):
        raise ProblemError(404, "the grading has no such tier")
