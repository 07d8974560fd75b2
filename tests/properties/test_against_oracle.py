"""The fold agrees with a recomputation from scratch, whatever the policy and the history."""

from __future__ import annotations

import yaml
from hypothesis import given, note
from hypothesis import strategies as st

from tests.oracle.facts import DAY, Policy
from tests.oracle.history import History
from tests.properties.driver import CUSTOMER, Run, plan_of, turns
from tests.properties.histories import Event, histories
from tests.properties.policies import policies
from tests.properties.profiles import tries


def oracle_of(text: str) -> History:
    """Read the policy file a second time, without any code of ours."""
    return History(Policy(yaml.safe_load(text)), CUSTOMER)


@given(policies(), histories(), st.integers(0, 20))
@tries(150)
def test_the_history_is_the_one_that_brute_force_finds(
    text: str, events: list[Event], silence: int
) -> None:
    """Every change, its instant, cause, event and score; then every measure and grade."""
    note(text)
    run, oracle = Run(plan_of(text)), oracle_of(text)
    for event in events:
        run.apply([event])
        oracle.apply(event)
        assert turns(run.changes) == sorted(oracle.turns)
    end = max(event["record_ms"] for event in events) + silence * DAY
    run.wake(end)
    oracle.advance(end)
    assert turns(run.changes) == sorted(oracle.turns)
    assert run.grades() == oracle.grades()
    if oracle.now is not None:
        now = max(end, oracle.now)
        assert run.measures(now) == oracle.facts.measures(now)
    assert not run.refusals


@given(policies(), histories(), st.lists(st.integers(0, 60 * 24), max_size=12))
@tries(60)
def test_waking_at_any_instants_gives_what_recomputing_at_them_gives(
    text: str, events: list[Event], hours: list[int]
) -> None:
    """However often, or seldom, anyone looks: the grades and measures are those of the instant."""
    note(text)
    run, oracle = Run(plan_of(text)), oracle_of(text)
    start = events[0]["record_ms"]
    steps: list[tuple[int, int, Event | None]] = []
    steps += [(event["record_ms"], 1, event) for event in events]
    steps += [(start + hour * 3_600_000, 2, None) for hour in hours]
    for instant, _, event in sorted(steps, key=lambda step: step[:2]):
        if event is not None:
            run.apply([event])
            oracle.apply(event)
            continue
        if oracle.now is None:
            continue  # nobody wakes a customer of whom nothing is known
        run.wake_at(max(instant, run.customer.clock_ms))
        oracle.advance(instant)
        assert run.grades() == oracle.grades()
        now = max(instant, oracle.now)
        assert run.measures(now) == oracle.facts.measures(now)


@given(policies(), histories())
@tries(60)
def test_no_deadline_is_late(text: str, events: list[Event]) -> None:
    """Looking at any instant before the deadline, with no event between, changes nothing."""
    note(text)
    plan, oracle = plan_of(text), oracle_of(text)
    run = Run(plan)
    for event in events:
        run.apply([event])
        oracle.apply(event)
        due_ms = run.customer.due_ms
        for instant in [t for t in oracle.instants() if t < due_ms][:40]:
            other = Run(plan)
            other.states = dict(run.states)
            other.reload()
            assert not other.scorer.wake(other.customer, instant)
