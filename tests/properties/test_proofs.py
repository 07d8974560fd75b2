"""What the proofs claim of random policies is true of random customers, through the real fold."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from hypothesis import given, note
from hypothesis import strategies as st

from schemas.policy import parse_policy
from stream.gradings.base import Reading
from stream.plan import compile_policy
from stream.proofs.case import case_of
from stream.proofs.cells import Domain, cells
from stream.proofs.judge import NOW_MS, Judge
from stream.proofs.monotone import Monotony, ordered, rank
from stream.proofs.reach import Explorer
from stream.sentinels import MISSING
from tests.properties.driver import Run
from tests.properties.histories import DAY, HOUR, Event, histories
from tests.properties.policies import policies
from tests.properties.profiles import tries

if TYPE_CHECKING:
    from stream.customer import Value
    from stream.plan import Plan
    from stream.proofs.case import Case
    from stream.proofs.cells import Cell


def case(text: str) -> Case:
    note(text)
    document = parse_policy(text, "policy.yaml")
    return case_of(document, compile_policy(document))


def tier_now(plan: Plan, position: int, reading: Reading, standing: object) -> str | None:
    return Judge(plan).tier(position, reading, standing)  # type: ignore[arg-type]


@given(policies())
@tries(60)
def test_a_witness_gives_its_tier(text: str) -> None:
    """Its readings, from its standing, with what the gradings it looks at say of them."""
    made = case(text)
    plan = made.plan
    for reach in Explorer(plan, made.traits).explore():
        tiers = set(plan.gradings[reach.position].tiers)
        assert tiers == {*reach.found, *reach.never, *reach.open}
        for tier, witness in reach.found.items():
            reading = Reading(NOW_MS, witness.values, list(witness.tiers))
            assert tier_now(plan, reach.position, reading, witness.standing) == tier
            for measure in reach.measures:
                inside = made.traits[measure].domain
                assert_allowed(witness.values[measure], inside.least, inside.most)


def assert_allowed(value: Value, least: int, most: int) -> None:
    assert isinstance(value, str) or value == MISSING or least <= value <= most


@given(policies(), histories(days=30), st.integers(0, 12))
@tries(120)
def test_nobody_is_ever_in_a_tier_that_is_out_of_reach(
    text: str, events: list[Event], silence: int
) -> None:
    """Nor has readings that the facts rule out: at any event, or when time has passed."""
    made = case(text)
    run = Run(made.plan)
    explorer = Explorer(made.plan, made.traits)
    reached = {reach.position: reach for reach in explorer.explore()}
    spaces = {position: explorer.space(position) for position in reached}
    instants = [event["record_ms"] for event in events]
    for event in [*events, None]:
        if event is None:
            run.wake_at(max(instants) + silence * DAY)
        else:
            run.apply([event])
        if not run.customer.clock_ms:
            continue  # nothing that the policy reads has happened yet: not judged so far
        readings = made.plan.read(run.customer, run.customer.clock_ms)
        for position, grade in enumerate(run.customer.grades):
            assert grade.tier not in reached[position].never
            space = spaces[position]
            chosen = tuple(
                place(cells, readings[measure])
                for measure, cells in zip(space.measures, space.cells, strict=True)
            )
            assert space.possible(chosen), (space.measures, readings)


def place(cells: tuple[Cell, ...], value: Value) -> int:
    """Return the one cell that a reading lies in; a text that is not named is another."""
    hits = [number for number, cell in enumerate(cells) if cell.holds(value)]
    if isinstance(value, str) and not hits:
        return len(cells) - 1
    assert len(hits) == 1, (cells, value)
    return hits[0]


@given(
    policies(),
    histories(days=20),
    st.integers(0, 14),
    st.sampled_from([0, 1, 50, 100, 1_000]),
    st.sampled_from([None, 0, 60, 2_000]),
    st.integers(0, 1),
)
@tries(150)
def test_one_more_order_never_lowers_what_is_proved_not_to_fall(
    text: str, events: list[Event], silence: int, amount: int, cost: int | None, awaited: int
) -> None:
    """The same customer at the same instant, without the order and with it.

    The order may also be one whose refund or cancellation came first.
    """
    made = case(text)
    plan = made.plan
    verdicts = Monotony(made).prove()
    run = Run(plan)
    run.apply(events)
    now_ms = max(max(e["at_ms"], e["record_ms"]) for e in events) + silence * DAY + 3 * HOUR
    run.wake_at(now_ms)
    before = run.grades()
    order = {
        "kind": "order.paid",
        "event_id": "more",
        "order_id": f"o{len(events)}" if awaited else "more",
        "amount_minor": amount,
        "currency": "EUR",
        "at_ms": now_ms,
        "record_ms": now_ms,
    }
    run.apply([order if cost is None else order | {"cost_minor": cost}])
    after = run.grades()
    for grading, verdict in zip(plan.gradings, verdicts, strict=True):
        was, now = before[grading.name], after[grading.name]
        if verdict.steady:
            assert now == was
        elif verdict.proved and ordered(grading):
            assert rank(grading, now) >= rank(grading, was), (grading.name, was, now)


@given(st.lists(st.integers(-50, 50), max_size=6), st.integers(-60, 60))
def test_cells_split_every_number_once(cuts: list[int], value: int) -> None:
    """Between neighbouring cuts, whatever their order and however often they stand there."""
    found = cells(Domain(unknown=False), cuts)
    hits = [number for number, cell in enumerate(found) if cell.holds(value)]
    assert hits == [bisect_right(sorted(set(cuts)), value)]
