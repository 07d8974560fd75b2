"""A history is a matter of the records alone: not of batches, restarts, or who looked when."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, note
from hypothesis import strategies as st

from stream.customer import Grade
from tests.properties.driver import Run, plan_of
from tests.properties.histories import Event, histories
from tests.properties.policies import policies
from tests.properties.profiles import tries

DAY = 86_400_000
SOME = policies() | policies(steadied=True)


@given(SOME, histories(), st.data())
@tries(100)
def test_batches_restarts_and_idle_looks_leave_no_trace(
    text: str, events: list[Event], data: st.DataObject
) -> None:
    """The published changes are equal byte for byte, wherever the batches end."""
    note(text)
    plan = plan_of(text)
    whole, split = Run(plan), Run(plan)
    end = max(event["record_ms"] for event in events) + 20 * DAY
    whole.apply(events)
    whole.wake(end)
    batch: list[Event] = []
    for position, event in enumerate(events):
        batch.append(event)
        action = data.draw(st.sampled_from(["go on", "commit", "restart", "look"]))
        if action == "go on":
            continue
        split.apply(batch)
        batch = []
        clock = split.customer.clock_ms
        # Time is let pass only up to where no record comes any more.
        limit = min((e["record_ms"] for e in events[position + 1 :]), default=clock + 1)
        if action == "look" and clock and limit - clock > 1:
            split.wake_at(data.draw(st.integers(clock, limit - 1)))
        if action == "restart":
            split.reload()
    split.apply(batch)
    split.wake(end)
    assert split.payloads() == whole.payloads()
    assert split.grades() == whole.grades()
    now = max(end, whole.customer.clock_ms)
    assert split.measures(now) == whole.measures(now)
    # The ledger is tidied when batches end, and only repeats may depend on that.
    assert not whole.refusals


@given(SOME, histories())
@tries(100)
def test_the_fast_path_of_an_order_is_not_another_path(text: str, events: list[Event]) -> None:
    """Forgetting how far readings may move before every event changes nothing, reasons included."""
    note(text)
    plan = plan_of(text)
    fast, slow = Run(plan), Run(plan)
    end = max(event["record_ms"] for event in events) + 20 * DAY
    for event in events:
        fast.apply([event])
        slow.customer.low = []
        slow.apply([event])
        assert slow.payloads() == fast.payloads()
    fast.wake(end)
    slow.customer.low = []
    slow.wake(end)
    assert slow.payloads() == fast.payloads()


@given(SOME, histories())
@tries(100)
def test_every_history_keeps_the_rules_that_anyone_can_check(
    text: str, events: list[Event]
) -> None:
    """Sequence numbers without a gap, each change from where the last one led, exact scores."""
    note(text)
    run = Run(plan_of(text))
    run.apply(events)
    run.wake(max(event["record_ms"] for event in events) + 20 * DAY)
    standing: dict[str, tuple[int, str | None]] = {
        name: (0, initial)
        for name, initial in zip(run.plan.shape.names, run.plan.shape.initial, strict=True)
    }
    before = 0
    for change in run.changes:
        assert change.instant_ms >= before
        before = change.instant_ms
        sequence, tier = standing[change.grading]
        assert (change.sequence, change.before) == (sequence + 1, tier)
        assert change.after != tier
        standing[change.grading] = change.sequence, change.after
        assert (change.cause.event_id is None) == (change.cause.kind == "time")
        if change.score is not None:
            parts = sum((part.contribution for part in change.score.parts), Fraction(0))
            assert parts + change.score.rounding == change.score.value
    assert run.grades() == {name: tier for name, (_, tier) in standing.items()}
    assert [g.sequence for g in run.customer.grades] == [s for s, _ in standing.values()]


@given(SOME, histories())
@tries(60)
def test_grading_again_without_news_changes_nothing(text: str, events: list[Event]) -> None:
    """Every standing is stable: looking twice at one instant gives no second change."""
    note(text)
    run = Run(plan_of(text))
    for event in events:
        run.apply([event])
        if not run.customer.clock_ms:
            continue
        run.customer.low = []
        assert not run.scorer.wake(run.customer, run.customer.clock_ms)


@given(SOME, histories(max_size=6))
@tries(40)
def test_repeats_and_conflicts_are_told_apart_across_restarts(
    text: str, events: list[Event]
) -> None:
    """The same record again is dropped, the same id with another payload refused."""
    note(text)
    run = Run(plan_of(text))
    run.apply(events)
    before = run.payloads(), run.measures(run.customer.clock_ms)
    applied = {e["event_id"] for e in events if e["event_id"] in run.bucket.seen.checksums}
    run.reload()
    run.apply(events)
    assert not run.refusals
    run.apply([event | {"at_ms": event["at_ms"] + 1} for event in events])
    assert run.refusals == [
        (event["event_id"], "conflict") for event in events if event["event_id"] in applied
    ]
    assert (run.payloads(), run.measures(run.customer.clock_ms)) == before


def test_grades_survive_storage() -> None:
    """A grade is stored with all that hysteresis and tags need to remember."""
    grade = Grade("gold", 3, 5, 7)
    assert (grade.tier, grade.sequence, grade.since_ms, grade.kept_until_ms) == ("gold", 3, 5, 7)
