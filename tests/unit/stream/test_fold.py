"""The fold: order of deadlines and events, refunds and their orders, and the fast path."""

from __future__ import annotations

import pytest

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

T0 = 852_076_800_000  # 1997-01-01T00:00:00Z


def history(run: Run) -> list[tuple[str, str | None, int, str]]:
    """Return grading, new tier, instant relative to `T0`, and cause of every change."""
    return [(c.grading, c.after, c.instant_ms - T0, c.cause.kind) for c in run.changes]


def test_a_deadline_at_the_instant_of_a_record_is_judged_with_it() -> None:
    """One evaluation, with the event as its cause, even where the event alone moves nothing."""
    plan = policy(
        {"orders": {"count": "orders"}, "visits": {"count": "visit", "window": "5d"}},
        {"loyal": bands("orders", gold=100), "seen": bands("visits", often=1)},
    )
    run = Run(plan)
    run.apply([happened("visit", 1, T0), paid(1, T0 + 4 * DAY)])
    run.apply([paid(2, T0 + 5 * DAY)])
    assert history(run)[2:] == [("seen", "floor", 5 * DAY, "order")]


def test_a_deadline_before_a_record_is_judged_at_its_own_instant() -> None:
    plan = policy(
        {"orders_5d": {"count": "orders", "window": "5d"}}, {"g": bands("orders_5d", up=1)}
    )
    run = Run(plan)
    run.apply([paid(1, T0), paid(2, T0 + 9 * DAY)])
    assert history(run) == [
        ("g", "up", 0, "order"),
        ("g", "floor", 5 * DAY, "time"),
        ("g", "up", 9 * DAY, "order"),
    ]


@pytest.mark.parametrize("since", ["first_order", "last_order"])
def test_the_first_order_sets_a_deadline_even_where_it_changes_no_grade(since: str) -> None:
    """An unknown tenure or recency and one of 0 days may earn the same; 7 days may not."""
    plan = policy(
        {"age": {"days_since": since}, "visits": {"count": "visit"}}, {"g": bands("age", old=7)}
    )
    run = Run(plan)
    run.apply([happened("visit", 1, T0), paid(1, T0 + DAY)])
    run.wake(T0 + 30 * DAY)
    assert history(run)[1:] == [("g", "old", 8 * DAY, "time")]


def test_the_first_order_after_all_others_were_cancelled_sets_a_deadline() -> None:
    plan = policy({"age": {"days_since": "last_order"}}, {"g": bands("age", old=7)})
    run = Run(plan)
    run.apply([paid(1, T0), cancelled(1, T0 + DAY), paid(2, T0 + 2 * DAY)])
    run.wake(T0 + 30 * DAY)
    assert history(run)[1:] == [("g", "old", 9 * DAY, "time")]


def test_orders_of_the_day_on_which_all_others_were_cancelled_set_a_deadline() -> None:
    """Two at once, which the fold may count in one step."""
    plan = policy({"age": {"days_since": "last_order"}}, {"g": bands("age", old=7)})
    run = Run(plan)
    run.apply([paid(1, T0), cancelled(1, T0 + HOUR)])
    run.apply([paid(2, T0 + 2 * HOUR), paid(3, T0 + 3 * HOUR)])
    run.wake(T0 + 30 * DAY)
    assert history(run)[1:] == [("g", "old", 7 * DAY + 3 * HOUR, "time")]


def test_an_earlier_order_of_the_same_day_moves_the_deadline_of_a_tenure() -> None:
    plan = policy({"age": {"days_since": "first_order"}}, {"g": bands("age", old=7)})
    run = Run(plan)
    run.apply([paid(1, T0 + 12 * HOUR), paid(2, T0 + 10 * HOUR, record_ms=T0 + 13 * HOUR)])
    run.wake(T0 + 30 * DAY)
    assert history(run)[1:] == [("g", "old", 7 * DAY + 10 * HOUR, "time")]


def test_an_order_at_a_loss_brings_a_deadline_forward() -> None:
    """A later order lowers a contribution, so that less has to leave before it falls."""
    plan = policy(
        {"margin": {"sum": "contribution", "window": "10d"}}, {"g": bands("margin", up=0.60)}
    )
    run = Run(plan)
    run.apply([paid(1, T0, 40), paid(2, T0 + 2 * DAY, 70), paid(3, T0 + 3 * DAY, 0, cost_minor=20)])
    run.wake(T0 + 11 * DAY)
    assert history(run)[2:] == [("g", "floor", 10 * DAY, "time")]


def test_a_loss_that_leaves_raises_a_sum_to_which_an_order_was_added() -> None:
    plan = policy(
        {"margin": {"sum": "contribution", "window": "10d"}}, {"g": bands("margin", up=1)}
    )
    run = Run(plan)
    run.apply([paid(1, T0, 0, cost_minor=30), paid(2, T0 + DAY, 60), paid(3, T0 + 2 * DAY, 60)])
    run.wake(T0 + 10 * DAY)
    assert history(run)[1:] == [("g", "up", 10 * DAY, "time")]


@pytest.mark.parametrize("batch", [1, 2])
def test_orders_that_delay_their_day_delay_what_was_foreseen_of_a_prior_window(batch: int) -> None:
    """The day enters the prior window later, when what was there before has already left."""
    plan = policy(
        {
            "prior": {"sum": "revenue", "window": "3d", "before": "3d"},
            "visits": {"count": "visit"},
        },
        {"g": bands("prior", up=0.80), "seen": bands("visits", often=99)},
    )
    run = Run(plan)
    run.apply([paid(1, T0 + 5 * HOUR), paid(2, T0 + 3 * DAY + 4 * HOUR)])
    # All that was worked out is gone, and worked out anew without an order.
    run.reload()
    run.apply([happened("visit", 1, T0 + 3 * DAY + 5 * HOUR)])
    orders = [paid(3, T0 + 3 * DAY + 6 * HOUR), paid(4, T0 + 3 * DAY + 6 * HOUR)]
    run.apply(orders[:batch])
    run.wake(T0 + 7 * DAY)
    assert [change for change in history(run) if change[0] == "g"][1:] == [
        ("g", "up", 3 * DAY + 5 * HOUR, "interaction"),
        ("g", "floor", 6 * DAY + 5 * HOUR, "time"),
        ("g", "up", 6 * DAY + 6 * HOUR, "time"),
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {"last": "gross"},
        {"average": "gross"},
        {"average": "gross", "window": "9d"},
        {"sum": "contribution"},
        {"sum": "contribution", "window": "9d"},
        {"max": "gross", "window": "9d"},
        {"ratio": {"of": "cost", "to": "gross"}},
        {"days_since": "last_order"},
    ],
)
def test_the_orders_of_one_batch_are_judged_one_by_one(spec: dict[str, object]) -> None:
    """A reading may leave the range of its grade and be back when the batch ends."""
    unit = {"ratio": 10_000, "days_since": 1}.get(next(iter(spec)), 2)
    plan = policy({"m": spec}, {"g": bands("m", up=unit)})
    first = paid(0, T0, 100, cost_minor=0)
    batch = [
        paid(1, T0 + HOUR, 900, cost_minor=90),
        paid(2, T0 + 2 * HOUR, 1, cost_minor=5_000),
        paid(3, T0 + 3 * HOUR, 100, cost_minor=0),
        paid(4, T0 + 4 * HOUR, 90, cost_minor=0),
        paid(5, T0 + 5 * HOUR, 9_000, cost_minor=9),
        paid(6, T0 + 6 * HOUR, 100, cost_minor=9_000),
    ]
    together, apart = Run(plan), Run(plan)
    together.apply([first])
    together.apply(batch)
    for event in [first, *batch]:
        apart.apply([event])
    for run in (together, apart):
        run.wake(T0 + 30 * DAY)
    assert together.payloads() == apart.payloads()


# -- refunds ----------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["order", "refund"])
def test_a_refund_counts_wherever_it_stands_relative_to_its_order(first: str) -> None:
    """In the order's bucket, and never more than was paid."""
    plan = policy({"net": {"sum": "revenue"}, "back": {"sum": "refunded", "window": "3d"}})
    events = [
        paid(1, T0, 100, record_ms=T0 + DAY),
        refunded(1, T0 + DAY, 70),
        refunded(1, T0 + DAY, 70, event_id="again"),
    ]
    run = Run(plan)
    run.apply(events if first == "order" else events[::-1])
    assert run.measures(T0 + DAY) == {"net": 0, "back": 100}
    assert run.measures(T0 + 3 * DAY) == {"net": 0, "back": 0}


def test_a_refund_finds_its_order_up_to_the_last_of_the_refund_days() -> None:
    plan = policy({"net": {"sum": "revenue"}}, refund_days=10)
    run = Run(plan)
    run.apply([paid(1, T0), refunded(1, T0 + 10 * DAY, 30)])
    run.apply([refunded(1, T0 + 10 * DAY + 1, 30, event_id="late")])
    assert run.measures(T0 + 11 * DAY) == {"net": 70}


def test_a_refund_that_comes_too_late_counts_nowhere_whether_or_not_its_order_is_kept() -> None:
    """The ledger drops whole periods, at commits: what it still holds must not decide anything."""
    plan = policy({"net": {"sum": "revenue"}, "age": {"days_since": "last_order"}}, refund_days=10)
    kept, dropped = Run(plan), Run(plan)
    log = [paid(1, T0), paid(2, T0 + 200 * DAY), cancelled(1, T0 + 200 * DAY)]
    kept.apply(log)
    for event in log:
        dropped.apply([event])
    assert (
        kept.measures(T0 + 201 * DAY)
        == dropped.measures(T0 + 201 * DAY)
        == {
            "net": 200,
            "age": 1,
        }
    )


def test_a_refund_whose_order_never_comes_is_forgotten_after_the_refund_days() -> None:
    """So that state stays bounded, and a customer returns to the fast path."""
    plan = policy({"net": {"sum": "revenue"}}, refund_days=10)
    run = Run(plan)
    run.apply([refunded(9, T0, 30), paid(1, T0 + 10 * DAY)])
    assert run.customer.pending
    run.apply([paid(2, T0 + 10 * DAY + 1)])
    assert not run.customer.pending


def test_a_cancelled_order_leaves_no_trace_in_counts_and_sums() -> None:
    plan = policy(
        {
            "orders": {"count": "orders"},
            "gross": {"sum": "gross"},
            "back": {"sum": "refunded"},
            "margin": {"sum": "contribution"},
            "age": {"days_since": "last_order"},
        }
    )
    run = Run(plan)
    run.apply(
        [
            paid(1, T0, 100, cost_minor=40),
            paid(2, T0 + DAY, 50, cost_minor=70),
            refunded(2, T0 + DAY, 20),
            cancelled(2, T0 + 2 * DAY),
            cancelled(2, T0 + 2 * DAY, event_id="twice"),
        ]
    )
    assert run.measures(T0 + 2 * DAY) == {
        "orders": 1,
        "gross": 100,
        "back": 0,
        "margin": 60,
        "age": 2,
    }


def test_largest_first_and_last_amounts_are_not_undone() -> None:
    """They say what was paid, not what was kept."""
    plan = policy(
        {
            "largest": {"max": "gross"},
            "largest_9d": {"max": "gross", "window": "9d"},
            "first": {"first": "gross"},
            "last": {"last": "gross"},
            "tenure": {"days_since": "first_order"},
        }
    )
    run = Run(plan)
    run.apply([paid(1, T0, 300), paid(2, T0 + DAY, 50), paid(3, T0 + 2 * DAY, 90)])
    run.apply(
        [refunded(1, T0 + 3 * DAY, 300), cancelled(3, T0 + 3 * DAY), cancelled(1, T0 + 3 * DAY)]
    )
    assert run.measures(T0 + 4 * DAY) == {
        "largest": 300,
        "largest_9d": 300,
        "first": 300,
        "last": 90,
        "tenure": 4,
    }
