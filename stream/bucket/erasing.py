"""Erasing a customer: nothing of it is left here, a receipt says so, and a new life may begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.erasure import Removal, receipt_id
from stream.outbox import TIER_DIFFERENCES, forecast_row, tombstone_row

if TYPE_CHECKING:
    from schemas.records import CustomerErase
    from stream.bucket.bucket import Bucket
    from stream.customer import Customer


def erase(bucket: Bucket, customer: Customer, record_ms: int, event: CustomerErase) -> None:
    """Carry a request out: nothing of the customer is left, and a new life may begin."""
    customer_id = customer.customer_id
    before = bucket.erasures.of(customer_id)
    if before is not None and before.receipt == receipt_id(event):
        bucket.tally.repeated += 1
        return
    moves, members, parent = 0 if before is None else before.moves, 0, False
    if customer.identity is not None:
        moves = max(moves, customer.identity.moves + 1)
        bucket.merging.erase(customer, record_ms, event)
    if customer.kin is not None:
        moves = max(moves, customer.kin.moves + 1)
        members, parent = bucket.kinship.erase(customer, customer.kin, record_ms, receipt_id(event))
    known = customer_id in bucket.unwritten.customers or customer.clock_ms > 0
    removal = Removal(
        state=known,
        orders=bucket.orders.drop(customer_id),
        event_ids=bucket.seen.forget(customer_id),
        members=members,
        parent=parent,
    )
    # What was announced of the life that ended comes out first, then the tombstone; also
    # where it ends in the very batch in which somebody was to be warned.
    plan = bucket.in_force.plan_of(customer.edition)
    bucket.tally.warnings += customer.untold
    bucket.unwritten.rows += [forecast_row(warning, plan) for warning in customer.untold]
    bucket.unwritten.rows.append(
        bucket.erasures.note(event, record_ms, customer.clock_ms, moves, removal)
    )
    if customer.shadow is not None and customer.shadow.told:
        row = tombstone_row(TIER_DIFFERENCES, customer_id, record_ms)
        bucket.unwritten.rows.append(row)
    bucket.unwritten.drop(customer_id)
    bucket.standings.untold.pop(customer_id, None)
    bucket.erased[customer_id] = None
    bucket.adopt(customer_id, None)
    bucket.tally.applied += 1
