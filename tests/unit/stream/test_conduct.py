"""Open complaints, days overdue, repurchase rate, the longest silence, and the sales stage."""

from __future__ import annotations

from typing import Any

from tests.properties.driver import Run
from tests.unit.stream.policies import (
    DAY,
    HOUR,
    bands,
    cancelled,
    happened,
    paid,
    policy,
    refunded,
)

T0 = 852_076_800_000


def moves(run: Run) -> list[tuple[str | None, float]]:
    """Return each tier reached and the day, from the first instant of the tests, it was."""
    return [(c.after, (c.instant_ms - T0) / DAY) for c in run.changes]


def run_of(gradings: dict[str, Any] | None = None, **measures: Any) -> Run:
    return Run(policy(measures, gradings))


def test_what_is_resolved_is_no_longer_open() -> None:
    run = run_of(
        {"g": bands("open", angry=2, unhappy=1)},
        open={"open": "complaint"},
    )
    run.apply([happened("complaint", n, T0 + n * DAY) for n in (1, 2)])
    run.apply([happened("complaint.resolved", n, T0 + n * DAY) for n in (3, 4)])
    assert moves(run) == [("unhappy", 1), ("angry", 2), ("unhappy", 3), ("floor", 4)]
    assert run.changes[-1].cause.event_id == "complaint.resolved4"


def test_more_resolved_than_raised_is_none_open() -> None:
    """A resolution told before its complaint counts once that comes: nothing stays open."""
    run = run_of(open={"open": "service.requested"})
    run.apply([happened("service.resolved", 1, T0), happened("service.resolved", 2, T0)])
    assert run.measures(T0) == {"open": 0}
    run.apply([happened("service.requested", n, T0 + n) for n in (1, 2, 3)])
    assert run.measures(T0 + 3) == {"open": 1}


def test_a_payment_gets_later_by_the_day_until_it_is_received() -> None:
    """Ten days late when told of, thirty exactly twenty days on; settled by the next payment."""
    run = run_of({"g": bands("late", stop=30, remind=5)}, late={"days_overdue": "payments"})
    assert run.measures(T0) == {"late": 0}
    run.apply([happened("payment.overdue", 1, T0 + HOUR, value=10)])
    assert run.measures(T0 + DAY + HOUR - 1) == {"late": 10}
    run.wake(T0 + 25 * DAY)
    run.apply([happened("payment.received", 1, T0 + 26 * DAY)])
    hour = HOUR / DAY
    assert moves(run) == [("remind", hour), ("stop", 20 + hour), ("floor", 26)]
    assert run.measures(T0 + 40 * DAY) == {"late": 0}
    run.apply([happened("payment.overdue", 2, T0 + 41 * DAY, value=3)])
    assert run.measures(T0 + 41 * DAY) == {"late": 3}


def test_a_payment_told_of_late_settles_only_what_was_overdue_before_it() -> None:
    run = run_of(late={"days_overdue": "payments"})
    run.apply([happened("payment.overdue", 1, T0 + 2 * DAY, value=1)])
    run.apply([happened("payment.received", 1, T0 + DAY, record_ms=T0 + 3 * DAY)])
    assert run.measures(T0 + 3 * DAY) == {"late": 2}


def test_repurchase_counts_orders_that_followed_another() -> None:
    """Two of three orders followed one: 66.67 %; in a window the first may lie before it."""
    run = run_of(
        ever={"repurchase_rate": "orders"},
        lately={"repurchase_rate": "orders", "window": "10d"},
    )
    assert run.measures(T0) == {"ever": None, "lately": None}
    run.apply([paid(1, T0)])
    assert run.measures(T0) == {"ever": 0, "lately": 0}
    run.apply([paid(2, T0 + 5 * DAY), paid(3, T0 + 6 * DAY)])
    assert run.measures(T0 + 6 * DAY) == {"ever": 6667, "lately": 6667}
    assert run.measures(T0 + 11 * DAY) == {"ever": 6667, "lately": 10_000}
    run.apply([cancelled(1, T0 + 12 * DAY)])
    assert run.measures(T0 + 12 * DAY) == {"ever": 5000, "lately": 5000}
    assert run.measures(T0 + 30 * DAY)["lately"] is None


def test_a_silence_is_known_once_an_order_ends_it() -> None:
    """Ended on day 400 after 400 days; forgotten when that order is 90 days old."""
    run = run_of({"g": bands("gap", back=365)}, gap={"longest_gap": "orders", "window": "90d"})
    run.apply([paid(1, T0)])
    run.wake(T0 + 399 * DAY)
    assert run.measures(T0 + 399 * DAY) == {"gap": None}
    run.apply([paid(2, T0 + 400 * DAY), paid(3, T0 + 410 * DAY)])
    assert run.measures(T0 + 410 * DAY) == {"gap": 400}
    run.reload()
    assert run.measures(T0 + 410 * DAY) == {"gap": 400}
    run.wake(T0 + 600 * DAY)
    assert moves(run) == [("floor", 0), ("back", 400), ("floor", 490)]


def test_a_cancelled_order_ends_no_silence() -> None:
    run = run_of(gap={"longest_gap": "orders", "window": "90d"})
    run.apply([paid(1, T0), paid(2, T0 + 20 * DAY), paid(3, T0 + 50 * DAY)])
    assert run.measures(T0 + 50 * DAY) == {"gap": 30}
    run.apply([cancelled(2, T0 + 51 * DAY)])
    assert run.measures(T0 + 51 * DAY) == {"gap": 50}


def test_the_stage_entered_last_is_told_by_its_name() -> None:
    """Inside an integer; in conditions, readings and reasons a name. Late news changes nothing."""
    funnel = {
        "type": "conditions",
        "levels": [
            {"level": "open", "when": {"measure": "stage", "is": ["demand", "contract"]}},
            {"level": "served", "when": {"measure": "stage", "is_known": True}},
        ],
    }
    run = run_of(
        {"funnel": funnel},
        stage={"last": "stage.changed"},
        dwell={"days_since": "stage.changed"},
    )
    run.apply([happened("stage.changed", 1, T0, value=0)])
    run.apply([happened("stage.changed", 2, T0 + 9 * DAY, value=2)])
    run.apply([happened("stage.changed", 3, T0 + DAY, value=5, record_ms=T0 + 10 * DAY)])
    assert moves(run) == [("open", 0), ("served", 9)]
    assert run.measures(T0 + 12 * DAY) == {"stage": "delivery", "dwell": 3}
    (reason,) = run.changes[-1].reasons
    assert (reason.unit, reason.before, reason.after) == ("text", "demand", "delivery")
    assert (reason.boundary, reason.crossed) == (None, None)


def test_refund_rate_average_order_and_referrals_need_no_measure_of_their_own() -> None:
    run = run_of(
        refund_rate={"ratio": {"of": "refunded", "to": "gross"}},
        average_order={"average": "revenue"},
        referrals={"count": "referral"},
    )
    run.apply([paid(1, T0, 300), paid(2, T0, 100), happened("referral", 1, T0)])
    run.apply([refunded(1, T0 + 1, 100)])
    assert run.measures(T0 + 1) == {"refund_rate": 2500, "average_order": 150, "referrals": 1}
