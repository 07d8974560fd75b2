"""Arrival order does not matter: the same events in any order, some of them twice, say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, note
from hypothesis import strategies as st
from msgspec import structs

from stream.customer import Grade
from stream.window import LAST_MS
from tests.properties.driver import Run, plan_of
from tests.properties.histories import Event, histories
from tests.properties.policies import policies
from tests.properties.profiles import tries

if TYPE_CHECKING:
    import random

    from stream.series import Series

DAY = 86_400_000


@given(
    policies(refund_days=90),
    histories(lateness=False),
    st.randoms(use_true_random=False),
    st.integers(0, 9),
)
@tries(120)
def test_any_permutation_with_repeats_leaves_the_same_facts(
    text: str, events: list[Event], shuffler: random.Random, silence: int
) -> None:
    """Buckets, lifetime totals, every measure, and every grade that has no memory.

    One run sees the events as they happen; the other sees all of them late, in another order,
    with repeats: inside the lateness bound, which is the refund days or the longest window.
    """
    note(text)
    plan = plan_of(text)
    # What a profile says last wins, so the order of profile records does matter.
    events = [event for event in events if event["kind"] != "profile.changed"]
    end = max((event["at_ms"] for event in events), default=0) + silence * DAY
    punctual, late = Run(plan), Run(plan)
    for event in events:
        punctual.apply([event])
    mixed = [event | {"record_ms": end} for event in events]
    mixed += shuffler.sample(mixed, len(mixed) // 2)
    shuffler.shuffle(mixed)
    note(str(mixed))
    late.apply(mixed)
    for run in (punctual, late):
        if run.customer.clock_ms:
            _forget_the_past(run, end)
    for kind in plan.shape.spans:
        one, other = punctual.customer.kinds[kind], late.customer.kinds[kind]
        assert _known(one, end) == _known(other, end)
    assert punctual.measures(end) == late.measures(end)
    assert punctual.grades() == late.grades()
    assert not punctual.refusals
    assert not late.refusals


def _known(series: Series, now_ms: int) -> tuple[object, ...]:
    """Return what a series knows; buckets only as far as a window may still need them."""
    kept = [row for row in series.rows() if row[LAST_MS] + series._retention_ms > now_ms]
    totals = structs.asdict(series.totals)
    facts = {name: value for name, value in totals.items() if not name.startswith("dropped")}
    return kept, facts, series.last_ms(), series.latest()


def _forget_the_past(run: Run, now_ms: int) -> None:
    """Grade once more, as if for the first time."""
    run.wake(now_ms)
    customer = run.customer
    customer.grades = [Grade(initial) for initial in run.plan.shape.initial]
    customer.low = []
    run.scorer.wake(customer, now_ms)
