"""What each kind of event does to a customer, paid orders apart: which rule reads what of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.records import (
    IdentityLinked,
    Interaction,
    OrderCancelled,
    OrderRefunded,
    ProfileChanged,
)
from schemas.vocabulary import STAGES
from stream.decisions import DECISIONS, decide
from stream.ledger import ledger_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.arrivals import OtherEvent
    from stream.bucket.bucket import Bucket
    from stream.changes import Change
    from stream.customer import Customer
    from stream.fold import Scorer
    from stream.ledger import OrderEntry


def apply_event(
    bucket: Bucket, customer: Customer, record_ms: int, event: OtherEvent
) -> Sequence[Change] | None:
    """Apply anything but a paid order; None where no rule of the policy reads it."""
    scorer = bucket.scorer
    if isinstance(event, (OrderRefunded, OrderCancelled)):
        key = ledger_key(event.customer_id, event.order_id)
        entry = bucket.orders.take_to_change(key, bucket.in_force.reach_ms)
        if entry is None:
            bucket.tally.waiting += 1
        return refund(bucket, scorer, customer, record_ms, event, entry)
    if isinstance(event, IdentityLinked) and scorer.plan.shape.groups and customer.kin is not None:
        return bucket.kinship.link(customer, customer.kin, record_ms, event)
    return heed(scorer, customer, record_ms, event)


def heed(
    scorer: Scorer, customer: Customer, record_ms: int, event: OtherEvent
) -> Sequence[Change] | None:
    """Apply what touches neither the ledger nor other customers."""
    event_id = event.event_id
    if isinstance(event, Interaction) and event.kind in scorer.plan.shape.spans:
        details = event.details
        value = details.score if details.score is not None else details.days
        if details.stage is not None:
            value = STAGES.index(details.stage)
        return scorer.interact(
            customer, record_ms, event_id, event.kind, event.occurred_ms, value or 0
        )
    if isinstance(event, ProfileChanged) and not scorer.plan.attributes.isdisjoint(
        event.attributes
    ):
        return scorer.describe(customer, record_ms, event_id, event.attributes)
    if isinstance(event, DECISIONS):
        return decide(scorer, customer, record_ms, event)
    return None


def refund(
    bucket: Bucket,
    scorer: Scorer,
    customer: Customer,
    record_ms: int,
    event: OrderRefunded | OrderCancelled,
    entry: OrderEntry | None,
) -> Sequence[Change]:
    """Apply a refund or cancellation of *entry*; amounts are converted as is in force."""
    amount_minor = None
    if isinstance(event, OrderRefunded):
        convert = bucket.scorer.plan.converter.convert
        amount_minor = convert(event.amount_minor, event.currency)
    return scorer.refund(customer, record_ms, event.event_id, event.order_id, amount_minor, entry)
