"""Lets the shadows of a bucket's customers take in, on their own, what the customers do."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from schemas.records import OrderCancelled, OrderRefunded
from stream.arrivals import Payment
from stream.bucket.events import heed, refund
from stream.ledger import ledger_key
from stream.outbox import TIER_DIFFERENCES, tombstone_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.records import ConsentChanged
    from stream.arrivals import Notice
    from stream.bucket.bucket import Bucket
    from stream.customer import Customer
    from stream.shadow import Shadow

_READ_BY_IT_ALONE = "\x1fshadow\x1f"


def mark_of(event_id: str) -> str:
    """Return the id by which an event is known that only a shadow's policy reads.

    Apart from the event's own, which another event of that id may have in the policy in force.
    """
    return _READ_BY_IT_ALONE + event_id


def pay_beside(shadow: Shadow, payments: Sequence[Payment]) -> None:
    """Take in paid orders that are about to be applied, which is when the ledger's may change."""
    copies = [
        Payment(paid.record_ms, paid.event_id, paid.order_id, copy(paid.entry)) for paid in payments
    ]
    shadow.scorer.pay(shadow.customer, copies)


def heed_beside(bucket: Bucket, shadow: Shadow, arrival: Notice, known: Mapping[str, int]) -> bool:
    """Take in any other event that is about to be applied; return whether the policy reads it.

    *known* are the ids of events that were taken in before.
    """
    event = arrival.event
    if mark_of(event.event_id) in known:
        return False
    if isinstance(event, (OrderRefunded, OrderCancelled)):
        key = ledger_key(event.customer_id, event.order_id)
        entry = copy(bucket.orders.find(key, bucket.in_force.reach_ms))
        refund(bucket, shadow.scorer, shadow.customer, arrival.record_ms, event, entry)
        return True
    return heed(shadow.scorer, shadow.customer, arrival.record_ms, event) is not None


def obey_beside(shadow: Shadow, record_ms: int, event: ConsentChanged) -> None:
    """Take in what the customer has said about being scored."""
    shadow.scorer.consent(
        shadow.customer, record_ms, event.event_id, event.occurred_ms, allowed=event.scoring
    )


def taken_back(customer: Customer, before: Shadow | None, at_ms: int) -> list[bytes]:
    """Return the rows that take back what was told of a shadow, *before*, that has ended by now.

    None where another has taken its place: what there is to tell of that replaces it.
    """
    if before is None or not before.told or customer.shadow is before:
        return []
    if customer.shadow is not None:
        customer.shadow.told = before.told
        return []
    return [tombstone_row(TIER_DIFFERENCES, customer.customer_id, at_ms)]
