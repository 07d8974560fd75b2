"""A replay log: wire records in the order in which they are sent. No files and no Kafka here.

The values are the very bytes that go to Kafka, so that an offline replay decodes what a live
one would.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from agents.settings import INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ORDERS = "orders"
Kind = Literal["paid", "refunded", "cancelled"]

_LONGEST_ID = 128
_RANKS = {topic: rank for rank, topic in enumerate(INPUTS)}
_encode = msgspec.json.Encoder().encode


class LogRecord(NamedTuple):
    """One record to replay.

    Attributes:
        topic: Base name of the input topic.
        key: Record key: the customer's id.
        value: Record value: one wire event as JSON.
        record_ms: Record time, which is the event's own.
    """

    topic: str
    key: bytes
    value: bytes
    record_ms: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One row of an order history, checked.

    Attributes:
        customer_id: 1 to 128 characters.
        order_id: 1 to 128 characters, unique per customer.
        kind: What happened to the order.
        occurred_at: RFC 3339 with a zone.
        occurred_ms: The same instant.
        amount_minor: Minor units of `currency`; 0 for a cancellation.
        currency: ISO 4217 code; "" for a cancellation.
        cost_minor: Minor units of `currency`; None where unknown.
        category: Product category; None where unknown.
    """

    customer_id: str
    order_id: str
    kind: Kind
    occurred_at: str
    occurred_ms: int
    amount_minor: int = 0
    currency: str = ""
    cost_minor: int | None = None
    category: str | None = None


def order_records(rows: Iterable[OrderRow]) -> list[LogRecord]:
    """Return the wire record of each row, in the order of *rows*.

    Event ids follow from the content, so that replaying a file twice repeats its events. An
    order is paid once and cancelled once, so the same row again is a repeat; every refund of
    an order is one more refund, also when it looks like another.
    """
    refunds: Counter[tuple[str, str]] = Counter()
    records = []
    for row in rows:
        nth = 0
        if row.kind == "refunded":
            refunds[row.customer_id, row.order_id] += 1
            nth = refunds[row.customer_id, row.order_id]
        records.append(
            LogRecord(ORDERS, row.customer_id.encode(), _value(row, nth), row.occurred_ms)
        )
    return records


def sorted_log(records: Iterable[LogRecord], as_of_ms: int | None = None) -> Sequence[LogRecord]:
    """Return *records* by instant, then by topic, then as they came.

    A worker merges the topics the same way. Records after *as_of_ms* are left out.
    """
    kept = (r for r in records if as_of_ms is None or r.record_ms <= as_of_ms)
    return sorted(kept, key=lambda record: (record.record_ms, _RANKS[record.topic]))


def event_id(customer_id: str, order_id: str, kind: str, nth: int = 0) -> str:
    """Return the id of an event that a row stands for; different rows have different ids.

    >>> event_id("c1", "o1", "paid"), event_id("c1", "o:1", "refunded", 2)
    ('c1:o1:paid', 'c1:o%3A1:refunded:2')
    """
    parts = [_escaped(customer_id), _escaped(order_id), kind, *([str(nth)] if nth else [])]
    text = ":".join(parts)
    if len(text) <= _LONGEST_ID:
        return text
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace(":", "%3A")


def _value(row: OrderRow, nth: int) -> bytes:
    event: dict[str, object] = {
        "schema_version": 1,
        "event_id": event_id(row.customer_id, row.order_id, row.kind, nth),
        "occurred_at": row.occurred_at,
        "customer_id": row.customer_id,
        "kind": f"order.{row.kind}",
        "order_id": row.order_id,
    }
    if row.kind != "cancelled":
        event |= {"amount_minor": row.amount_minor, "currency": row.currency}
    if row.cost_minor is not None:
        event["cost_minor"] = row.cost_minor
    if row.category is not None:
        event["category"] = row.category
    return _encode(event)
