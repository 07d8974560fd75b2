"""Rules against flapping: what they hold back, for how long, and what they count and tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, bands, paid, policy

T0 = 852_076_800_000  # 1997-01-01T00:00:00Z
LEVELS = {"measures": {"level": {"attribute": "level", "type": "number"}}}


def steadied(**rules: Any) -> Run:
    """Return a customer whose tier follows an attribute, under rules on stability."""
    ladder = bands("level", gold=30, silver=20, bronze=10) | {"stability": rules}
    return Run(policy(LEVELS["measures"], {"g": ladder}))


def rated(day: float, level: int) -> dict[str, Any]:
    """Return the event that sets the attribute."""
    at_ms = T0 + int(day * DAY)
    return {
        "kind": "profile.changed",
        "event_id": f"level{day}-{level}",
        "at_ms": at_ms,
        "record_ms": at_ms,
        "attributes": {"level": level},
    }


def history(run: Run) -> list[tuple[str | None, float, str]]:
    """Return new tier, day and cause of every change."""
    return [(c.after, (c.instant_ms - T0) / DAY, c.cause.kind) for c in run.changes]


def suppressed(run: Run) -> dict[str, int]:
    """Return how many changes each rule has held back."""
    held = run.customer.grades[0].held
    return {} if held is None else held.suppressed


def told(run: Run) -> list[tuple[str, str, str | None, float, float]]:
    """Return status, tier, expected tier, and the days of issue and expectation, of each notice."""
    notices = [json.loads(r.value or b"") for r in run.rows if r.topic == "tier-forecasts"]
    return [
        (n["status"], n["tier"], n["expected_tier"], days(n["issued_at"]), days(n["expected_at"]))
        for n in notices
    ]


def days(instant: str) -> float:
    """Return an instant of January 1997 as days since `T0`."""
    return int(instant[8:10]) - 1 + int(instant[11:13]) / 24


def test_a_grace_ends_at_its_exact_instant() -> None:
    """A downgrade comes when a lower tier was earned for all of it, not one millisecond before."""
    run = steadied(grace_days=3)
    run.apply([rated(0, 30), rated(1, 20)])
    run.wake(T0 + 4 * DAY - 1)
    assert history(run) == [("gold", 0, "profile")]
    run.wake(T0 + 4 * DAY)
    assert history(run) == [("gold", 0, "profile"), ("silver", 4, "time")]
    waited = run.changes[-1].waited
    assert waited is not None
    assert (waited.rule, waited.since_ms) == ("grace", T0 + DAY)
    assert suppressed(run) == {"grace": 1}
    assert told(run) == [("grace_started", "gold", "silver", 1, 4)]


def test_a_grace_ends_when_the_tier_is_earned_again_and_the_next_one_is_whole() -> None:
    run = steadied(grace_days=3)
    run.apply([rated(0, 30), rated(1, 20), rated(3, 30), rated(4, 10)])
    run.wake(T0 + 20 * DAY)
    assert history(run) == [("gold", 0, "profile"), ("bronze", 7, "time")]
    assert told(run) == [
        ("grace_started", "gold", "silver", 1, 4),
        ("grace_ended", "gold", "silver", 3, 4),
        ("grace_started", "gold", "bronze", 4, 7),
    ]
    assert suppressed(run) == {"grace": 2}


def test_the_tier_earned_again_at_the_very_end_of_the_grace_is_kept() -> None:
    """An event at a deadline is judged with it."""
    run = steadied(grace_days=3)
    run.apply([rated(0, 30), rated(1, 20), rated(4, 30)])
    run.wake(T0 + 20 * DAY)
    assert history(run) == [("gold", 0, "profile")]


def test_a_lower_tier_still_during_the_grace_does_not_restart_it() -> None:
    run = steadied(grace_days=3)
    run.apply([rated(0, 30), rated(1, 20), rated(2, 5), rated(3, 10)])
    run.wake(T0 + 20 * DAY)
    assert history(run) == [("gold", 0, "profile"), ("bronze", 4, "time")]
    assert suppressed(run) == {"grace": 1}


def test_the_hold_counts_from_the_last_change_and_lets_upgrades_through() -> None:
    run = steadied(minimum_hold_days=5)
    run.apply([rated(0, 20), rated(2, 30), rated(3, 10)])
    run.wake(T0 + 20 * DAY)
    assert history(run) == [("silver", 0, "profile"), ("gold", 2, "profile"), ("bronze", 7, "time")]
    assert suppressed(run) == {"minimum_hold": 1}
    assert told(run) == []


def test_after_the_hold_a_downgrade_comes_at_once() -> None:
    run = steadied(minimum_hold_days=5)
    run.apply([rated(0, 30), rated(5, 10)])
    assert history(run)[1:] == [("bronze", 5, "profile")]
    assert suppressed(run) == {}
    assert run.changes[-1].waited is None


@pytest.mark.parametrize(("hold", "grace", "falls"), [(10, 3, 10), (5, 3, 5), (4, 3, 4), (2, 3, 4)])
def test_a_downgrade_waits_for_the_hold_and_the_grace_both(
    hold: int, grace: int, falls: int
) -> None:
    """They run side by side: the later end counts."""
    run = steadied(minimum_hold_days=hold, grace_days=grace)
    run.apply([rated(0, 30), rated(1, 10)])
    run.wake(T0 + 20 * DAY)
    assert history(run)[1:] == [("bronze", falls, "time")]
    assert told(run) == [("grace_started", "gold", "bronze", 1, falls)]


def test_no_upgrade_during_the_cool_down_and_then_at_its_exact_end() -> None:
    run = steadied(cool_down_days=4)
    run.apply([rated(0, 30), rated(1, 10), rated(2, 30)])
    run.wake(T0 + 5 * DAY - 1)
    assert history(run)[1:] == [("bronze", 1, "profile")]
    run.wake(T0 + 5 * DAY)
    assert history(run)[2:] == [("gold", 5, "time")]
    assert suppressed(run) == {"cool_down": 1}


def test_another_downgrade_begins_the_cool_down_again() -> None:
    run = steadied(cool_down_days=4)
    run.apply([rated(0, 30), rated(1, 20), rated(3, 10), rated(4, 20)])
    run.wake(T0 + 20 * DAY)
    assert history(run)[1:] == [
        ("silver", 1, "profile"),
        ("bronze", 3, "profile"),
        ("silver", 7, "time"),
    ]


def test_one_step_at_a_time_each_after_a_whole_grace() -> None:
    run = steadied(grace_days=3, one_step=True)
    run.apply([rated(0, 30), rated(1, 0)])
    run.wake(T0 + 40 * DAY)
    assert history(run)[1:] == [
        ("silver", 4, "time"),
        ("bronze", 7, "time"),
        ("floor", 10, "time"),
    ]
    assert suppressed(run) == {"grace": 3, "one_step": 2}
    assert told(run) == [
        ("grace_started", "gold", "silver", 1, 4),
        ("grace_started", "silver", "bronze", 4, 7),
        ("grace_started", "bronze", "floor", 7, 10),
    ]


def test_one_step_at_a_time_each_after_the_hold() -> None:
    run = steadied(minimum_hold_days=2, one_step=True)
    run.apply([rated(0, 30), rated(5, 10)])
    run.wake(T0 + 40 * DAY)
    assert history(run)[1:] == [("silver", 5, "profile"), ("bronze", 7, "time")]


def test_not_graded_is_never_held_back_and_ends_a_grace() -> None:
    ladder = bands("level", gold=30, silver=20) | {
        "stability": {"grace_days": 3, "minimum_hold_days": 9},
        "minimum_evidence": {"measure": "orders", "at_least": 1},
    }
    measures = LEVELS["measures"] | {"orders": {"count": "orders", "window": "2d"}}
    run = Run(policy(measures, {"g": ladder}))
    run.apply([rated(0, 30), paid(1, T0), rated(1, 20)])
    run.wake(T0 + 20 * DAY)
    assert history(run) == [("gold", 0, "order"), (None, 2, "time")]
    assert [status for status, *_ in told(run)] == ["grace_started", "grace_ended"]


def test_a_grading_that_looks_at_a_held_one_sees_the_tier_that_stands() -> None:
    ladder = bands("level", gold=30) | {"stability": {"grace_days": 3}}
    looks = {
        "type": "conditions",
        "levels": [{"level": "vip", "when": {"grading": "g", "is": ["gold"]}}, {"level": "other"}],
    }
    run = Run(policy(LEVELS["measures"], {"g": ladder, "looks": looks}))
    run.apply([rated(0, 30), rated(1, 0)])
    run.wake(T0 + 20 * DAY)
    assert [(c.grading, c.after, (c.instant_ms - T0) / DAY) for c in run.changes[2:]] == [
        ("g", "floor", 4),
        ("looks", "other", 4),
    ]


def test_a_pending_grace_survives_storage_and_quiet_orders() -> None:
    """Orders that move no grade neither restart it nor let it be forgotten."""
    ladder = bands("level", gold=30) | {"stability": {"grace_days": 3}}
    measures = LEVELS["measures"] | {"orders": {"count": "orders"}}
    run = Run(policy(measures, {"g": ladder, "loyal": bands("orders", much=100)}))
    run.apply([rated(0, 30), rated(1, 0)])
    for number in range(1, 12):
        run.apply([paid(number, T0 + DAY + number * DAY // 4)])
        if number % 3 == 0:
            run.reload()
    run.apply([paid(50, T0 + 9 * DAY)])
    assert [c for c in history(run) if c[0] == "floor"][-1] == ("floor", 4, "time")
    assert [status for status, *_ in told(run)] == ["grace_started"]


def test_what_has_waited_is_published_with_the_change() -> None:
    run = steadied(grace_days=3)
    run.apply([rated(0, 30), rated(1, 20)])
    run.wake(T0 + 4 * DAY)
    change = json.loads(run.payloads().splitlines()[-1])
    assert change["waited"] == {"rule": "grace", "since": "1997-01-02T00:00:00.000Z"}
    assert "pin" not in change
