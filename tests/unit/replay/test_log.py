"""The replay log: event ids that follow from content, wire bytes, and the order of sending."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from agents.replay.log import LogRecord, OrderRow, event_id, order_records, sorted_log
from agents.replay.orders_csv import read_orders
from agents.replay.producer import steps
from schemas.decode import decode_order
from schemas.records import OrderCancelled, OrderPaid, OrderRefunded
from tests.unit.replay.histories import HISTORY, written

if TYPE_CHECKING:
    from pathlib import Path

DAY_MS = 86_400_000
ids = st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable())


def record(at_ms: int, topic: str = "orders", value: bytes = b"") -> LogRecord:
    return LogRecord(topic, b"c", value, at_ms)


def test_every_row_becomes_a_wire_event_that_the_contract_accepts(tmp_path: Path) -> None:
    rows = list(read_orders(written(tmp_path, HISTORY)))
    events = [decode_order(record.value) for record in order_records(rows)]
    kinds = [OrderPaid, OrderPaid, OrderPaid, OrderRefunded, OrderRefunded, OrderCancelled]
    assert [type(event) for event in events] == kinds
    assert [event.occurred_ms for event in events] == [row.occurred_ms for row in rows]


def test_the_same_refund_twice_is_two_refunds_but_the_same_order_twice_is_a_repeat() -> None:
    paid = OrderRow("c", "o", "paid", "2024-01-01T00:00:00Z", 0, 100, "USD")
    refund = OrderRow("c", "o", "refunded", "2024-01-01T00:00:00Z", 0, 10, "USD")
    first, second, *refunds = order_records([paid, paid, refund, refund])
    assert first == second
    assert len({decode_order(r.value).event_id for r in refunds}) == 2


@given(ids, ids, ids, ids)
def test_different_orders_never_share_an_event_id(a: str, b: str, c: str, d: str) -> None:
    one, other = event_id(a, b, "paid"), event_id(c, d, "paid")
    assert (one == other) == ((a, b) == (c, d))
    assert 1 <= len(one) <= 128


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["orders", "interactions"]))))
def test_records_of_one_instant_are_sorted_by_topic_and_then_stay_as_they_came(
    places: list[tuple[int, str]],
) -> None:
    """As a worker merges its topics; otherwise live and offline would differ."""
    records = [record(at, topic, bytes([n])) for n, (at, topic) in enumerate(places)]
    log = sorted_log(records)
    keys = [(r.record_ms, r.topic == "interactions", r.value) for r in log]
    assert keys == sorted(keys)


def test_records_after_the_last_instant_asked_for_are_left_out() -> None:
    assert [r.record_ms for r in sorted_log([record(3), record(1), record(2)], 2)] == [1, 2]


@given(
    st.lists(st.integers(0, 40 * DAY_MS), min_size=1, max_size=60).map(sorted), st.integers(1, 20)
)
def test_no_step_ends_with_a_promise_that_a_later_record_breaks(
    instants: list[int], least: int
) -> None:
    """`clock.advanced` says that no earlier record will come: never true within a day."""
    log = [record(at) for at in instants]
    as_of_ms = instants[-1] + 5
    cut = list(steps(log, as_of_ms, least))
    assert [r for step, _ in cut for r in step] == log
    assert cut[-1][1] == as_of_ms
    for (step, clock_ms), (following, _) in itertools.pairwise(cut):
        assert step[-1].record_ms <= clock_ms < following[0].record_ms
        assert step[-1].record_ms // DAY_MS < following[0].record_ms // DAY_MS
        assert len(step) >= least
