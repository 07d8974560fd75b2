"""Pins and reviews: what people decide, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decode import Rejected
from schemas.policy import PolicyFileError
from stream.calendar import format_instant
from stream.history import decode_transition, encode_transition, transition_payload
from tests.properties.driver import Run, to_arrival
from tests.properties.profiles import tries
from tests.unit.stream.policies import DAY, bands, paid, policy

T0 = 852_076_800_000  # 1997-01-01T00:00:00Z
SPENT = {"spent": {"sum": "revenue", "window": "10d"}, "orders": {"count": "orders"}}


def shop(**rules: Any) -> Run:
    """Return a customer of a shop, graded by what was spent in ten days."""
    ladder = bands("spent", gold=3, silver=2, bronze=1)
    return Run(policy(SPENT, {"g": ladder | ({"stability": rules} if rules else {})}))


def decided(kind: str, day: float, **fields: Any) -> dict[str, Any]:
    """Return a control about the grading ``g``."""
    at_ms = T0 + int(day * DAY)
    event = {
        "kind": kind,
        "event_id": f"{kind}{day}",
        "at_ms": at_ms,
        "record_ms": at_ms,
        "grading": "g",
        "author": "ann",
    }
    return event | fields


def pinned(day: float, tier: str, until: float | None = None, **fields: Any) -> dict[str, Any]:
    """Return a pin."""
    ends = {} if until is None else {"expires_at": format_instant(T0 + int(until * DAY))}
    return decided("tier.pinned", day, tier=tier, reason="a promise") | ends | fields


def unpinned(day: float) -> dict[str, Any]:
    """Return the end of a pin."""
    return decided("tier.unpinned", day, reason="kept long enough", author="bob")


def history(run: Run) -> list[tuple[str | None, float, str, str]]:
    """Return new tier, day, cause and direction of every change."""
    return [
        (c.after, (c.instant_ms - T0) / DAY, c.cause.kind, c.direction)
        for c in run.changes
        if c.grading == "g"
    ]


def last_pin(run: Run) -> dict[str, Any]:
    """Return what the newest change says of a pin."""
    note: dict[str, Any] = json.loads(run.payloads().splitlines()[-1])["pin"]
    return note


def test_a_pin_stands_whatever_is_earned_and_ends_at_its_exact_instant() -> None:
    """Then the tier that is earned takes over, because of the time."""
    run = shop()
    run.apply([paid(1, T0, 150), pinned(1, "gold", until=5), paid(2, T0 + 2 * DAY, 60)])
    assert history(run) == [("bronze", 0, "order", "first"), ("gold", 1, "pinned", "up")]
    assert last_pin(run) == {
        "status": "set",
        "event_id": "tier.pinned1",
        "author": "ann",
        "reason": "a promise",
        "until": "1997-01-06T00:00:00.000Z",
    }
    run.wake(T0 + 5 * DAY - 1)
    assert len(run.changes) == 2
    run.wake(T0 + 5 * DAY)
    assert history(run)[2:] == [("silver", 5, "time", "down")]
    assert last_pin(run)["status"] == "ended"


def test_what_is_kept_of_a_change_tells_of_its_pin_and_of_what_it_waited_for() -> None:
    """The same as what was published."""
    run = shop(grace_days=3)
    run.apply([paid(1, T0, 150), pinned(1, "gold", until=2)])
    run.wake(T0 + 20 * DAY)
    published = [json.loads(line) for line in run.payloads().splitlines()]
    kept = [
        transition_payload(decode_transition(encode_transition(change, run.plan)))
        for change in run.changes
    ]
    for key in ("pin", "waited", "to"):
        assert [entry.get(key) for entry in kept] == [entry.get(key) for entry in published]
    assert [entry["waited"]["rule"] for entry in published if "waited" in entry] == ["grace"]


def test_a_pin_is_lifted_by_a_person() -> None:
    run = shop()
    run.apply([paid(1, T0, 150), pinned(1, "gold"), unpinned(3)])
    assert history(run)[2:] == [("bronze", 3, "pinned", "down")]
    assert run.changes[-1].cause.event_id == "tier.unpinned3"
    assert last_pin(run) == {
        "status": "lifted",
        "event_id": "tier.unpinned3",
        "author": "bob",
        "reason": "kept long enough",
        "until": "1997-01-04T00:00:00.000Z",
    }
    assert run.customer.due_ms > T0 + 3 * DAY


def test_a_pin_without_an_end_stands_for_good() -> None:
    """It holds down as well as up, and time and orders do not move it."""
    run = shop()
    run.apply([paid(1, T0, 999), pinned(1, "bronze"), paid(2, T0 + 2 * DAY, 999)])
    run.wake(T0 + 400 * DAY)
    assert history(run)[1:] == [("bronze", 1, "pinned", "down")]


def test_a_new_pin_takes_the_place_of_the_old_one() -> None:
    run = shop()
    run.apply([paid(1, T0, 150), pinned(1, "gold", until=5), pinned(2, "silver", until=4)])
    run.wake(T0 + 9 * DAY)
    assert [c[:2] for c in history(run)] == [
        ("bronze", 0),
        ("gold", 1),
        ("silver", 2),
        ("bronze", 4),
    ]


def test_the_end_of_a_pin_waits_for_no_rule() -> None:
    """Whoever set it has chosen when: neither the hold nor the grace adds to it."""
    run = shop(grace_days=20, minimum_hold_days=20, cool_down_days=20)
    run.apply([paid(1, T0, 150), pinned(1, "gold", until=3)])
    run.wake(T0 + 9 * DAY)
    assert [c[:2] for c in history(run)] == [("bronze", 0), ("gold", 1), ("bronze", 3)]
    assert run.changes[-1].waited is None


def test_a_pin_ends_a_grace_and_the_next_one_begins_anew() -> None:
    run = shop(grace_days=3)
    run.apply([paid(1, T0, 150), pinned(11, "gold", until=12)])
    run.wake(T0 + 30 * DAY)
    # Bronze is no longer earned from day 10; the pin ends on day 12 in what is earned.
    assert [c[:2] for c in history(run)] == [("bronze", 0), ("gold", 11), ("floor", 12)]
    told = [json.loads(r.value or b"") for r in run.rows if r.topic == "tier-forecasts"]
    assert [n["status"] for n in told] == ["grace_started", "grace_ended"]


def test_a_pin_for_someone_of_whom_nothing_is_known() -> None:
    """It is their first grade; without it they are graded as everyone is."""
    run = shop()
    run.apply([pinned(1, "gold", until=2)])
    run.wake(T0 + 9 * DAY)
    assert history(run) == [("gold", 1, "pinned", "first"), ("floor", 2, "time", "down")]


def test_ending_what_is_not_pinned_is_passed_over() -> None:
    run = shop()
    run.apply([paid(1, T0, 150), unpinned(1)])
    assert len(run.changes) == 1


@pytest.mark.parametrize("tier", ["present", "absent"])
def test_a_tag_may_be_pinned_as_well(tier: str) -> None:
    tag = {"type": "tag", "add_when": {"measure": "orders", "at_least": 5}, "keep_days": 3}
    run = Run(policy(SPENT, {"g": tag}))
    run.apply([paid(1, T0), pinned(1, tier, until=4), paid(2, T0 + 2 * DAY)])
    run.wake(T0 + 9 * DAY)
    expected = [("present", 1, "pinned", "up"), ("absent", 4, "time", "down")]
    assert history(run) == (expected if tier == "present" else [])


@given(
    st.lists(st.integers(1, 40), max_size=10, unique=True),
    st.lists(st.integers(0, 45 * DAY), max_size=12),
    st.sampled_from([{}, {"grace_days": 3}, {"minimum_hold_days": 4, "one_step": True}]),
)
@tries(60)
def test_a_pinned_history_depends_on_the_records_alone(
    days: list[int], looks: list[int], rules: dict[str, Any]
) -> None:
    """Extra looks and restarts leave no trace."""
    tiers = ["gold", "silver", "bronze", "floor"]
    events = [
        unpinned(day)
        if day % 5 == 0
        else paid(day, T0 + day * DAY, 100 * (day % 4))
        if day % 3
        else pinned(day, tiers[day % 4], until=day + 4.5 if day % 2 else None)
        for day in sorted(days)
    ]
    whole, split = shop(**rules), shop(**rules)
    whole.apply(events)
    whole.wake(T0 + 50 * DAY)
    taken = {event["record_ms"] for event in events}
    steps = [(event["record_ms"], event) for event in events]
    steps += [(T0 + look, {}) for look in looks if T0 + look not in taken]
    for at_ms, event in sorted(steps, key=lambda step: step[0]):
        if event:
            split.apply([event])
        elif split.customer.clock_ms:
            split.wake_at(at_ms)
        split.reload()
    split.wake(T0 + 50 * DAY)
    assert split.payloads() == whole.payloads()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (pinned(1, "gold", grading="fame"), "grading: must be a grading of the policy: g"),
        (
            pinned(1, "lead"),
            "tier: must be a tier of that grading: gold, silver, bronze, floor",
        ),
        (pinned(1, "gold", until=1), "expires_at: must be after the time of the record"),
        (
            decided("review.submitted", 1, indicator="x", score=9, approved_by="bob"),
            "indicator: must be one that a measure of the policy reviews",
        ),
        (
            decided("review.submitted", 1, indicator="x", score=9, approved_by="ann"),
            "approved_by: must be another person than author",
        ),
    ],
)
def test_what_the_policy_cannot_take_in_is_refused(event: dict[str, Any], said: str) -> None:
    """For the dead letters: the field, and what is allowed."""
    with pytest.raises(Rejected) as caught:
        to_arrival(event, shop().plan)
    assert (caught.value.reason, caught.value.detail) == ("wrong_schema", said)


# -- reviews -------------------------------------------------------------------------------

REVIEWED = {
    "trust": {"review": {"grading": "g", "indicator": "trust"}, "valid_days": 30},
    "orders": {"count": "orders"},
}
CARD = {
    "type": "weighted_scorecard",
    "rounding": {"mode": "half_up", "places": 0},
    "indicators": {"trust": {"weight": "100%", "points_from": "trust"}},
    "tiers": [{"tier": "good", "enter": 60}, {"tier": "poor"}],
}


def reviewed(day: float, score: int, approved_by: str = "bob") -> dict[str, Any]:
    """Return a review of the indicator ``trust``."""
    return decided("review.submitted", day, indicator="trust", score=score, approved_by=approved_by)


def test_a_review_counts_until_its_exact_end() -> None:
    run = Run(policy(REVIEWED, {"g": CARD}))
    run.apply([paid(1, T0), reviewed(1, 75)])
    assert history(run) == [("poor", 0, "order", "first"), ("good", 1, "review", "up")]
    run.wake(T0 + 31 * DAY - 1)
    assert len(run.changes) == 2
    run.wake(T0 + 31 * DAY)
    assert history(run)[2:] == [("poor", 31, "time", "down")]
    assert run.measures(T0 + 31 * DAY)["trust"] is None


def test_the_newest_review_counts_whatever_comes_later() -> None:
    """By when it was made: one that arrives late does not replace a newer one."""
    run = Run(policy(REVIEWED, {"g": CARD}))
    late = reviewed(1, 20) | {"record_ms": T0 + 3 * DAY}
    run.apply([reviewed(2, 75), late])
    assert run.measures(T0 + 3 * DAY)["trust"] == 75
    run.apply([reviewed(4, 10)])
    assert history(run)[-1] == ("poor", 4, "review", "down")


def test_a_review_without_an_end_is_valid_for_good() -> None:
    measures = REVIEWED | {"trust": {"review": {"grading": "g", "indicator": "trust"}}}
    run = Run(policy(measures, {"g": CARD}))
    run.apply([reviewed(1, 75)])
    run.wake(T0 + 4_000 * DAY)
    assert [c[:2] for c in history(run)] == [("good", 1)]


@pytest.mark.parametrize(
    ("review", "said"),
    [
        ({"grading": "fame", "indicator": "trust"}, "measures.trust.review.grading: 'fame'"),
        ({"grading": "g", "indicator": "luck"}, "measures.trust.review.indicator: 'luck'"),
    ],
)
def test_what_is_reviewed_must_be_there(review: dict[str, str], said: str) -> None:
    """A grading of the policy, and one of its indicators."""
    with pytest.raises(PolicyFileError) as caught:
        policy(REVIEWED | {"trust": {"review": review}}, {"g": CARD})
    assert said in str(caught.value.findings[0])
