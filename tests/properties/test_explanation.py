"""Reasons add up, and what a counterfactual says comes true when it is really done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, note
from hypothesis import strategies as st

from stream.counterfactual import WhatIf, least_refund
from stream.explanation import Explanation, explain
from stream.gradings.base import Reading
from stream.money import MAX_MINOR
from stream.moves import moves
from stream.regrade import betters, earned, regrade, worsens
from stream.sentinels import NEVER
from tests.properties.driver import CUSTOMER, Run, plan_of
from tests.properties.histories import DAY, Event, histories
from tests.properties.policies import bought, policies, stability
from tests.properties.profiles import tries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.changes import Change
    from stream.gradings.base import Score
    from stream.plan import Plan


@st.composite
def ladders(draw: st.DrawFn) -> str:
    """Return a policy with tiers that are lost as sums leave their windows."""
    days = st.sampled_from(["2d", "5d", "9d"])
    low, high = draw(st.sampled_from([(1, 2), (1, 10), (2, 5)]))
    tops, keeps = draw(st.sampled_from([(50, 30), (66.67, 66.67), (80, 50)]))
    points = st.sampled_from([0, 20, "100/7", "full"])
    tables = {
        name: [{"below": draw(level), "points": draw(points)}, {"points": draw(points)}]
        for name, level in (
            ("revenue", st.sampled_from([1, 1.5, 5])),
            ("average", st.sampled_from([0.5, 1, 2])),
        )
    }
    card = {
        "type": "weighted_scorecard",
        "rounding": {"mode": "truncate", "places": 2},
        "indicators": {
            name: {"weight": weight, "ranges": {"measure": name, "ranges": table}}
            for (name, table), weight in zip(tables.items(), ("60%", "40%"), strict=True)
        },
        "tiers": [{"tier": "a", "enter": tops, "exit": keeps}, {"tier": "b"}],
    }
    tiers = [{"tier": "gold", "enter": high, "exit": low}, {"tier": "iron", "enter": low}]
    gradings: dict[str, Any] = {
        "value": {"type": "bands", "measure": "revenue", "tiers": [*tiers, {"tier": "lead"}]},
        "rhythm": {"type": "bands", "measure": "orders", "tiers": [*tiers, {"tier": "lead"}]},
        "score": card,
    }
    if draw(st.booleans()):
        gradings["value"]["stability"] = draw(stability())
    document = {
        "policy": "ladders",
        "version": 1,
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "rates": {"JPY": "0.0061", "KWD": "3.005"},
        "measures": {
            "revenue": {"sum": "revenue", "window": draw(days)},
            "average": {"average": "revenue", "window": draw(days)},
            "orders": {"count": "orders", "window": draw(days)},
        },
        "gradings": gradings,
    }
    return json.dumps(document)


STEADIED = policies(steadied=True)
# Of any kind, and of the kinds that orders move: there is more to say of those.
SOME = policies() | policies(measured=bought()) | ladders()


def after(run: Run, *events: Event) -> Run:
    """Return a copy of *run* that *events* have happened to as well."""
    other = Run(run.plan)
    other.states = dict(run.states)
    other._ledger = {period: dict(entries) for period, entries in run._ledger.items()}
    other._marks = list(run._marks)
    other._version = run._version
    other.reload()
    if events:
        other.apply(events)
    return other


def order(plan: Plan, now_ms: int, amount_minor: int, number: int = 0) -> Event:
    return {
        "kind": "order.paid",
        "event_id": f"what-if-{number}",
        "order_id": f"what-if-{number}",
        "at_ms": now_ms,
        "record_ms": now_ms,
        "amount_minor": amount_minor,
        "currency": plan.converter.reporting,
    }


def refund(plan: Plan, now_ms: int, amount_minor: int) -> Event:
    paid = order(plan, now_ms, amount_minor)
    return paid | {"kind": "order.refunded", "event_id": "what-if-refund"}


def told(run: Run) -> Explanation:
    """Explain the customer of *run* at their own clock, to which time is let pass."""
    run.wake(run.customer.clock_ms)
    return explain(CUSTOMER, run.states[CUSTOMER], run.plan, run.customer.clock_ms)


def ran(text: str, events: list[Event]) -> Run:
    note(text)
    run = Run(plan_of(text))
    run.apply(events)
    return run


def known(run: Run) -> bool:
    """Say whether any event of the history was one that the policy reads."""
    return run.customer.clock_ms > 0


def adds_up(score: Score) -> bool:
    parts = [part.points * part.weight for part in score.parts]
    return sum(parts, score.rounding) == score.value


@given(SOME, histories(max_size=8))
@tries(50)
def test_the_parts_of_every_score_add_up_to_it_exactly(text: str, events: list[Event]) -> None:
    """In every change on the way, and in the explanation at the end."""
    run = ran(text, events)
    assert all(adds_up(change.score) for change in run.changes if change.score is not None)
    if not known(run):
        return
    for grading in told(run).gradings:
        if grading.score is not None:
            assert adds_up(grading.score)
            if grading.standing is not None:
                unit = 10**grading.standing.places
                assert grading.standing.level == grading.score.value * unit


@given(SOME | STEADIED, histories(max_size=8))
@tries(60)
def test_the_orders_that_are_said_to_help_do_and_a_minor_unit_less_does_not(
    text: str, events: list[Event]
) -> None:
    run = ran(text, events)
    if not known(run):
        return
    found, plan, now_ms = told(run), run.plan, run.customer.clock_ms
    for position, grading in enumerate(found.gradings):
        best = grading.orders
        if best is None:
            continue

        def tier(amount_minor: int, count: int, position: int = position) -> str | None:
            orders = [order(plan, now_ms, amount_minor, n) for n in range(count)]
            return after(run, *orders).customer.grades[position].tier

        assert betters(plan, position, grading.tier, best.tier)
        assert tier(best.amount_minor, best.orders) == best.tier
        if best.amount_minor:
            less = tier(best.amount_minor - 1, best.orders)
            assert not betters(plan, position, grading.tier, less)
        for amount in (0, 1, 100, 10_000, MAX_MINOR):
            if amount < best.amount_minor:
                assert not betters(plan, position, grading.tier, tier(amount, best.orders))
            fewer = tier(amount, best.orders - 1) if best.orders > 1 else None
            assert not betters(plan, position, grading.tier, fewer)


@given(
    policies(refund_days=90, measured=bought()),
    histories(max_size=8),
    st.sampled_from([1, 50, 100, 150, 1_000]),
)
@tries(60)
def test_the_refund_that_is_said_to_lower_does_and_an_order_brings_it_back(
    text: str, events: list[Event], amount_minor: int
) -> None:
    """Adding an order, taking part of it back, and adding what is then said to be missing."""
    run = ran(text, events)
    now_ms = max(run.customer.clock_ms, *(e["at_ms"] for e in events)) + 3 * DAY
    plan = run.plan
    run.apply([order(plan, now_ms, amount_minor)])
    found = told(run)
    for position, grading in enumerate(found.gradings):
        loss = grading.refund
        if loss is None:
            continue
        assert worsens(plan, position, grading.tier, loss.tier)
        lowered = after(run, refund(plan, now_ms, loss.amount_minor))
        assert lowered.customer.grades[position].tier == loss.tier
        if loss.amount_minor > 1:
            spared = after(run, refund(plan, now_ms, loss.amount_minor - 1))
            assert not worsens(plan, position, grading.tier, spared.customer.grades[position].tier)
        back = told(lowered).gradings[position].orders
        if back is not None:
            more = [order(plan, now_ms, back.amount_minor, n + 1) for n in range(back.orders)]
            raised = after(lowered, *more).customer.grades[position].tier
            assert betters(plan, position, loss.tier, raised)


def moments(run: Run, events: list[Event]) -> Iterator[list[Change]]:
    """Move *run* on by one event or deadline at a time, then into silence; yield the changes."""
    for event in events:
        while run.customer.due_ms < event["record_ms"]:
            before = len(run.changes)
            run.wake(run.customer.due_ms)
            yield run.changes[before:]
        before = len(run.changes)
        run.apply([event])
        yield run.changes[before:]
    for _ in range(10):
        if run.customer.due_ms < NEVER:
            before = len(run.changes)
            run.wake(run.customer.due_ms)
            yield run.changes[before:]


@given(ladders(), histories())
@tries(80)
def test_the_way_back_of_a_downgrade_leads_back_and_a_minor_unit_less_does_not(
    text: str, events: list[Event]
) -> None:
    note(text)
    run = Run(plan_of(text))
    plan = run.plan
    for changes in moments(run, events):
        for change in changes:
            way = change.counterfactual
            if way is None or change.instant_ms != run.customer.clock_ms:
                continue
            position = plan.shape.names.index(change.grading)
            assert change.direction == "down"

            def tier(amount_minor: int, now_ms: int, position: int) -> str | None:
                more = order(plan, now_ms, amount_minor)
                return after(run, more).customer.grades[position].tier

            lost = change.before
            there = tier(way.amount_minor, change.instant_ms, position)
            assert there == way.tier
            assert not worsens(plan, position, lost, there)
            if way.amount_minor:
                less = tier(way.amount_minor - 1, change.instant_ms, position)
                assert worsens(plan, position, lost, less)


@given(SOME, histories())
@tries(60)
def test_without_the_order_that_caused_a_change_it_would_not_have_come(
    text: str, events: list[Event]
) -> None:
    """Unless time alone brought it about at the very instant of the order."""
    note(text)
    run = Run(plan_of(text))
    for event in events:
        without = after(run)
        before = len(run.changes)
        run.apply([event])
        now_ms = run.customer.clock_ms
        without.wake(now_ms - 1)
        if without.customer.due_ms <= now_ms or without.customer.clock_ms == 0:
            continue
        for change in run.changes[before:]:
            if change.cause.kind != "order":
                continue
            position = run.plan.shape.names.index(change.grading)
            assert without.customer.grades[position].tier == change.before


@given(policies(), histories(max_size=8))
@tries(80)
def test_a_measure_that_alone_would_change_a_tier_does_so_when_it_really_moves(
    text: str, events: list[Event]
) -> None:
    """Profile attributes can be set at will; one that only one measure reads moves only that."""
    run = ran(text, events)
    if not known(run):
        return
    specs = json.loads(text)["measures"]
    read = [spec.get("attribute") for spec in specs.values()]
    now_ms = run.customer.clock_ms
    for position, grading in enumerate(told(run).gradings):
        for move in (*grading.moves.better, *grading.moves.worse):
            attribute = specs[move.measure].get("attribute")
            if attribute is None or read.count(attribute) > 1:
                continue
            event = {
                "kind": "profile.changed",
                "event_id": "what-if",
                "at_ms": now_ms,
                "record_ms": now_ms,
                "attributes": {attribute: move.level},
            }
            assert after(run, event).customer.grades[position].tier == move.tier


@given(SOME, histories(max_size=8))
@tries(60)
def test_no_reading_nearer_than_the_one_that_is_named_would_change_the_tier(
    text: str, events: list[Event]
) -> None:
    run = ran(text, events)
    if not known(run):
        return
    customer, plan, now_ms = run.customer, run.plan, run.customer.clock_ms
    run.wake(now_ms)
    customer.roll(now_ms)
    values = plan.read(customer, now_ms)
    reading = Reading(now_ms, values, [grade.tier for grade in customer.grades])
    names = [measure.name for measure in plan.measures]
    for position in range(len(plan.gradings)):
        found = moves(plan, position, reading, customer.grades)
        now = earned(plan, position, values, customer.grades, now_ms)
        for side, wanted in ((found.better, betters), (found.worse, worsens)):
            for move in side:
                if not isinstance(move.level, int) or not isinstance(move.value, int):
                    continue
                step = 1 if move.level > move.value else -1
                for level in range(move.value, move.level + step, step)[-500:]:
                    trial = list(values)
                    trial[names.index(move.measure)] = level
                    tier = earned(plan, position, trial, customer.grades, now_ms)
                    assert wanted(plan, position, now, tier) is (level == move.level)


@given(policies() | STEADIED, histories(), st.integers(0, 20))
@tries(60)
def test_judging_the_readings_anew_gives_the_tiers_that_there_are(
    text: str, events: list[Event], silence: int
) -> None:
    run = ran(text, events)
    if not known(run):
        return
    now_ms = max(run.customer.clock_ms, max(e["record_ms"] for e in events) + silence * DAY)
    run.wake(now_ms)
    customer, plan = run.customer, run.plan
    customer.roll(now_ms)
    values = plan.read(customer, now_ms)
    tiers = regrade(plan, values, customer.grades, now_ms, plan.all_gradings)
    assert tiers == [grade.tier for grade in customer.grades]


@given(policies(), histories())
@tries(40)
def test_asking_leaves_the_customer_as_they_are(text: str, events: list[Event]) -> None:
    run = ran(text, events)
    if not known(run):
        return
    now_ms = run.customer.clock_ms
    run.wake(now_ms)
    before = run.measures(now_ms), run.grades(), dict(run.states)
    what_if = WhatIf(run.scorer, run.customer, now_ms)
    for position in range(len(run.plan.gradings)):
        least_refund(what_if, position, run.customer.grades[position].tier)
    what_if.paid(1_000, 3)
    assert (run.measures(now_ms), run.grades(), dict(run.states)) == before
