"""The population, live: what is ranked is what everybody reads, at any moment of any log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.decode import decode_control
from schemas.policy import PolicyDocument, parse_policy
from stream.beginnings import beginning
from stream.calendar import format_instant
from stream.customer import Grade
from stream.plan import compile_policy
from stream.population.census import census
from stream.regrade import regrade
from stream.sentinels import MISSING
from tests.properties.histories import DAY, HOUR, MOMENTS
from tests.properties.profiles import tries
from tests.properties.town import Town

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stream.customer import Value
    from stream.editions import Begin
    from stream.plan import Plan
    from stream.population.rankings import Ranking

Event = dict[str, Any]

START = 1_709_251_200_000  # 2024-03-01T00:00Z
MEASURES = {
    "recency": {"days_since": "last_order"},
    "tenure": {"days_since": "first_order"},
    "orders": {"count": "orders"},
    "spent": {"sum": "revenue", "window": "5d"},
    "before": {"sum": "revenue", "window": "5d", "before": "3d"},
    "margin": {"sum": "contribution", "window": "4d"},
    "average": {"average": "revenue", "window": "6d"},
    "largest": {"max": "gross", "window": "6d"},
    "growth": {"growth": "revenue", "window": "4d"},
    "gap": {"longest_gap": "orders", "window": "9d"},
    "again": {"repurchase_rate": "orders", "window": "9d"},
}
INDUSTRY = {"industry": {"attribute": "industry", "type": "text"}}
INDUSTRIES = ["retail", "trade", "farming"]


@st.composite
def relative_policies(draw: st.DrawFn) -> PolicyDocument:
    """Return a policy whose gradings follow the population in every way there is."""
    measure = st.sampled_from(sorted(MEASURES))
    days = st.sampled_from(["recency", "tenure", "gap"])
    centre = st.sampled_from(["mean", "median"])
    gradings: dict[str, Any] = {
        "segment": {
            "type": "rfm_segments",
            "recency": {"measure": draw(days), "high": draw(centre)},
            "frequency": {"measure": draw(measure), "high": draw(centre)},
            "monetary": {"measure": draw(measure), "high": draw(centre)},
        },
        "cells": {
            "type": "rfm_cells",
            "recency": {"measure": draw(days), "cuts": "quintiles"},
            "frequency": {"measure": "orders", "cuts": [1, 2, 3, 4]},
            "monetary": {"measure": draw(measure), "cuts": "quintiles"},
        },
        "abc": {"type": "pareto", "measure": draw(measure)},
        "best": {
            "type": "pareto",
            "measure": draw(measure),
            "classes": [
                {"class": "a", "top": draw(st.sampled_from([1, 3, "20%"]))},
                {"class": "b"},
            ],
        },
    }
    for grading in gradings.values():
        if draw(st.booleans()):
            listed = draw(st.sampled_from([["retail"], ["trade", "retail"], ["mining"]]))
            grading["within"] = {"measure": "industry", "segments": listed}
    if draw(st.booleans()):
        evidence = {"measure": draw(st.sampled_from(["orders", "spent", "tenure"])), "at_least": 2}
        gradings["abc"]["minimum_evidence"] = evidence
    return policy_of(gradings)


def policy_of(gradings: dict[str, Any], **population: str) -> PolicyDocument:
    """Return a policy with *gradings* that takes a census every day, or as *population* says."""
    data = {
        "policy": "relative",
        "version": 1,
        "time_zone": "UTC",
        "currency": "EUR",
        "refund_days": 3,
        "measures": MEASURES | INDUSTRY,
        "gradings": gradings,
        "population": {"cadence": "daily"} | population,
    }
    return parse_policy(json.dumps(data), "relative.yaml")


@st.composite
def logs(draw: st.DrawFn, *, days: int = 20, customers: int = 7) -> list[Event]:
    """Return orders of several customers, and their moves between industries, in order."""
    events: list[Event] = []
    for number in range(draw(st.integers(1, 30))):
        customer_id = f"c{draw(st.integers(1, customers))}"
        at_ms = START + draw(st.integers(0, days)) * DAY + draw(st.sampled_from(MOMENTS))
        amount = draw(st.sampled_from([0, 50, 100, 101, 200, 1_000]))
        order = {"order_id": f"{customer_id}-{number}", "amount_minor": amount, "currency": "EUR"}
        cost = draw(st.sampled_from([0, 60, 150]))
        event = order | {"kind": "order.paid", "cost_minor": cost}
        events.append(
            event | {"customer_id": customer_id, "at_ms": at_ms, "event_id": f"e{number}"}
        )
    for number in range(draw(st.integers(0, 8))):
        industry = draw(st.sampled_from([*INDUSTRIES, None]))
        events.append(
            {
                "kind": "profile.changed",
                "customer_id": f"c{draw(st.integers(1, customers))}",
                "at_ms": START + draw(st.integers(0, days)) * DAY + draw(st.sampled_from(MOMENTS)),
                "event_id": f"p{number}",
                "attributes": {"industry": industry},
            }
        )
    return stamped(events)


def stamped(events: list[Event]) -> list[Event]:
    """Return events whose records came at their own instant, in order."""
    ordered = sorted(events, key=lambda event: event["at_ms"])
    return [event | {"record_ms": event["at_ms"]} for event in ordered]


@given(relative_policies(), logs(), st.data())
@tries(60)
def test_ranks_and_cuts_are_those_of_everybody_at_any_moment(
    document: PolicyDocument, events: list[Event], data: st.DataObject
) -> None:
    """However records were batched, and whoever came up when: time alone moves ranks as well."""
    town = Town(document)
    batch: list[Event] = []
    newest_ms = 0
    for event in events:
        commits = data.draw(st.booleans(), "commit")
        if batch and commits:
            town.apply(batch, batch[-1]["record_ms"] - 1)
            batch = []
        # Not between two records of one instant: the first has brought its customer there.
        if data.draw(st.integers(0, 5), "look") == 0 and event["record_ms"] > newest_ms:
            town.apply(batch)
            batch = []
            see_that_ranks_are_exact(document, town, event["record_ms"] - 1)
        if data.draw(st.integers(0, 9), "restart") == 0:
            town.apply(batch)
            batch = []
            town.restart()
        batch.append(event)
        newest_ms = event["record_ms"]
    town.apply(batch)
    for later in (0, HOUR, 3 * DAY, 4 * DAY, 40 * DAY):
        see_that_ranks_are_exact(document, town, events[-1]["record_ms"] + later)


def see_that_ranks_are_exact(document: PolicyDocument, town: Town, now_ms: int) -> None:
    """Let time pass up to an instant, and compare the store's ranks with all readings then."""
    town.pass_time(now_ms)
    rows = town.readings(now_ms).values()
    for ranking in town.plan.rankings:
        stored = town.store.rank_readings(town.numbers, ranking.name, -(2**53), 2**53)
        assert stored == sorted(counted(ranking, rows)), ranking.name
    assert town.census({}).cuts == census(document, rows)


def counted(ranking: Ranking, rows: Iterable[Sequence[Value]]) -> list[int]:
    """Return the readings of those who count in a ranking: those of its segment."""
    found = [
        row[ranking.measure]
        for row in rows
        if ranking.holds(row) and (ranking.evidence is None or at_least(row, *ranking.evidence))
    ]
    return [reading for reading in found if isinstance(reading, int) and reading != MISSING]


def at_least(row: Sequence[Value], position: int, least: int) -> bool:
    """Say whether a customer has the evidence."""
    reading = row[position]
    return isinstance(reading, int) and reading >= least


@given(relative_policies(), logs(), st.data())
@tries(60)
def test_everyone_stands_where_the_cuts_in_force_put_them(
    document: PolicyDocument, events: list[Event], data: st.DataObject
) -> None:
    """At any moment, though a moved cut brings up only those whom it has passed.

    A sweep comes by at its own pace, and restarts forget; who fell or rose meanwhile, by an
    order or by time alone, is judged by the cuts of that instant.
    """
    town = Town(document)
    taken = 0
    for now_ms, batch in days_of(events):
        town.apply(batch, data.draw(st.sampled_from([0, batch[-1]["record_ms"]])) if batch else 0)
        town.pass_time(now_ms)
        if not town.swept:
            town.sweep(now_ms, data.draw(st.sampled_from([0, 1, None]), "pace"))
        elif data.draw(st.integers(0, 2), "census"):
            before, plan = town.readings(now_ms), town.plan
            cuts = town.census(town.edition.cuts).cuts
            known = dict(town.edition.cuts)
            assert cuts == {**known, **census(document, before.values())}
            town.begin(moved(cuts, now_ms))
            if taken and known.keys() == cuts.keys() and data.draw(st.booleans(), "settle"):
                passed = {who for who, row in before.items() if is_passed(row, plan, known, cuts)}
                assert town.sweep(now_ms) == len(passed)
            taken += 1
        if data.draw(st.integers(0, 5), "restart") == 0:
            town.restart()
        if town.swept:
            see_that_grades_are_exact(document, town, now_ms)
    town.sweep(now_ms)
    see_that_grades_are_exact(document, town, now_ms)


def days_of(events: list[Event]) -> Iterator[tuple[int, list[Event]]]:
    """Yield each day's end, and its events; some days more, too."""
    first = events[0]["record_ms"] // DAY
    for day in range(first, events[-1]["record_ms"] // DAY + 8):
        yield (day + 1) * DAY, [event for event in events if event["record_ms"] // DAY == day]


def moved(cuts: Mapping[str, tuple[int, ...]], instant_ms: int) -> Begin:
    """Return the edition that a control with these cuts begins."""
    control = {
        "event_id": f"cuts-{instant_ms}",
        "occurred_at": format_instant(instant_ms),
        "kind": "population.cuts",
        "policy": "relative",
        "version": 1,
        "cuts": cuts,
        "customers": {},
    }
    begin = beginning(decode_control(json.dumps(control).encode()), instant_ms, instant_ms)
    assert begin is not None
    return begin


def is_passed(
    row: Sequence[Value],
    plan: Plan,
    old: Mapping[str, tuple[int, ...]],
    new: Mapping[str, tuple[int, ...]],
) -> bool:
    """Say whether a cut that moved has passed a customer."""
    return any(
        min(here, there) <= reading < max(here, there)
        for ranking in plan.rankings
        for reading in counted(ranking, [row])
        for name in ranking.cuts
        for here, there in zip(old[name], new[name], strict=True)
    )


def see_that_grades_are_exact(document: PolicyDocument, town: Town, now_ms: int) -> None:
    """Compare everyone's grades with those that the cuts in force give to the readings of now."""
    plan = compile_policy(document, town.edition.cuts)
    readings = town.readings(now_ms)
    for customer_id, customer in town.everyone().items():
        tiers = [grade.tier for grade in customer.grades]
        fresh = [Grade() for _ in tiers]
        assert tiers == regrade(plan, readings[customer_id], fresh, now_ms, plan.all_gradings)
