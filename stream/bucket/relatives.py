"""Customers that belong together: ids merge and part, and a customer hears what others tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.bucket.beside import taken_back
from stream.groups.member_rows import ParentGone, PartTold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.records import IdentityMerged, IdentitySplit
    from stream.bucket.bucket import Bucket
    from stream.changes import Change
    from stream.customer import Customer
    from stream.groups.member_rows import MemberTold


def move(
    bucket: Bucket, customer: Customer, record_ms: int, event: IdentityMerged | IdentitySplit
) -> Sequence[Change]:
    """Merge the customer into another id, or split it off again."""
    orders, moves = bucket.orders.of(customer.customer_id), _moves_before(bucket, customer)
    changes = bucket.merging.move(customer, record_ms, event, orders, moves)
    _part_from_shadow(bucket, customer)
    if customer.kin is not None:
        bucket.kinship.set_apart(customer, customer.kin)
    return changes


def learn(
    bucket: Bucket, customer: Customer, record_ms: int, told: MemberTold | ParentGone | PartTold
) -> None:
    """Apply what another customer tells: not de-duplicated, nor an event of its own."""
    changes: Sequence[Change] | None = None
    if isinstance(told, PartTold):
        changes = _hear(bucket, customer, record_ms, told)
    elif customer.kin is None:
        pass
    elif isinstance(told, ParentGone):
        changes = () if bucket.kinship.part(customer, customer.kin, record_ms, told) else None
    elif bucket.grouping:
        changes = bucket.kinship.learn(customer, customer.kin, record_ms, told)
    if changes is None:
        bucket.tally.ignored += 1
        return
    bucket.unwritten.tell(changes)
    bucket.tally.applied += 1
    bucket.unwritten.touch(customer)


def _hear(
    bucket: Bucket, customer: Customer, record_ms: int, told: PartTold
) -> Sequence[Change] | None:
    """Apply what another id of the customer tells, which its parent has to know as well."""
    orders, moves = bucket.orders.of(customer.customer_id), _moves_before(bucket, customer)
    changes = bucket.merging.learn(customer, record_ms, told, orders, moves)
    _part_from_shadow(bucket, customer)
    if changes is not None and bucket.grouping and customer.kin is not None:
        bucket.kinship.set_apart(customer, customer.kin)
        bucket.kinship.note(customer, customer.kin, 1, told.cause)
    return changes


def _part_from_shadow(bucket: Bucket, customer: Customer) -> None:
    """Let go of the shadow of an id that has a place among the ids of one customer."""
    before = customer.shadow
    if before is not None and customer.identity is not None:
        customer.shadow = None
        bucket.unwritten.rows += taken_back(customer, before, customer.clock_ms)
        bucket.unwritten.keep(customer)


def _moves_before(bucket: Bucket, customer: Customer) -> int:
    erased = bucket.erasures.of(customer.customer_id)
    return 0 if erased is None else erased.moves
