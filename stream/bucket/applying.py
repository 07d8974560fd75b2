"""One customer's records in order: which are passed over, refused or applied, and by which rule."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from schemas.records import ConsentChanged, CustomerErase, IdentityMerged, IdentitySplit
from stream.arrivals import Payment
from stream.bucket.beside import heed_beside, mark_of, obey_beside, pay_beside
from stream.bucket.erasing import erase
from stream.bucket.events import apply_event
from stream.bucket.relatives import learn, move
from stream.bucket.screening import allowed, of_this_life
from stream.bucket.tally import Refusal
from stream.groups.member_rows import MemberTold, ParentGone, PartTold
from stream.identity.merging import objection
from stream.ledger import ledger_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.arrivals import Arrival
    from stream.bucket.bucket import Bucket
    from stream.changes import Change
    from stream.customer import Customer


def apply_some(  # noqa: C901, PLR0912, PLR0915 - for every record: written out on purpose
    bucket: Bucket, customer_id: str, arrivals: Sequence[Arrival]
) -> Sequence[Arrival]:
    """Apply records up to one after which they may mean something else; return the rest."""
    customer = bucket.brought(customer_id)
    if customer.erased_ms is not None:
        arrivals = _of_this_life(bucket, customer, customer.erased_ms, arrivals)
    if customer.consent is not None:
        arrivals = _passed(bucket, arrivals, allowed(arrivals, customer.consent))
    tally, checksums = bucket.tally, bucket.checksums
    fresh, known = bucket.orders.fresh, bucket.orders.stored
    pay = partial(_pay, bucket) if customer.shadow else bucket.scorer.pay
    tell = bucket.unwritten.tell
    prefix = ledger_key(customer_id, "")
    payments: list[Payment] = []
    passed_over = beside = 0
    erasing: tuple[int, CustomerErase] | None = None
    left = iter(arrivals)
    for arrival in left:
        if isinstance(arrival, Payment):
            event_id, entry = arrival.event_id, arrival.entry
            checksum = entry.checksum
            if event_id in checksums:
                _meet_again(bucket, arrival, "event_id", same=checksums[event_id] == checksum)
                passed_over += 1
                continue
            key = prefix + arrival.order_id
            if key in fresh or key in known:
                paid = fresh.get(key) or known[key]
                _meet_again(bucket, arrival, "order_id", same=paid.checksum == checksum)
                passed_over += 1
                continue
            fresh[key] = entry
            payments.append(arrival)
        else:
            if isinstance(arrival.event, CustomerErase):
                erasing = arrival.record_ms, arrival.event
                break
            event_id, checksum = arrival.event.event_id, arrival.checksum
            if event_id in checksums:
                _meet_again(bucket, arrival, "event_id", same=checksums[event_id] == checksum)
                passed_over += 1
                if isinstance(arrival.event, ConsentChanged):
                    break  # only what comes before it was looked through
                continue
            if payments:
                tell(pay(customer, payments))
                payments = []
            if isinstance(arrival.event, (MemberTold, ParentGone, PartTold)):
                passed_over += 1
                learn(bucket, customer, arrival.record_ms, arrival.event)
                continue
            if isinstance(arrival.event, (IdentityMerged, IdentitySplit)):
                why = objection(customer, arrival.event)
                if why is not None:
                    tally.refusals.append(Refusal(arrival, "conflict", why))
                    passed_over += 1
                    continue
                tell(move(bucket, customer, arrival.record_ms, arrival.event))
                checksums[event_id] = checksum
                continue
            if isinstance(arrival.event, ConsentChanged):
                tell(_consent(bucket, customer, arrival.record_ms, arrival.event))
                checksums[event_id] = checksum
                break
            shadow = customer.shadow
            heeded = shadow is not None and heed_beside(bucket, shadow, arrival, checksums)
            changes = apply_event(bucket, customer, arrival.record_ms, arrival.event)
            if changes is None:
                tally.ignored += 1
                passed_over += 1
                if heeded:
                    checksums[mark_of(event_id)] = checksum
                    beside += 1
                continue
            tell(changes)
        checksums[event_id] = checksum
    if payments:
        tell(pay(customer, payments))
    rest = list(left)
    applied = len(arrivals) - len(rest) - passed_over - (erasing is not None)
    if beside:
        bucket.unwritten.keep(customer)
    if applied or beside:
        bucket.seen.own(customer_id, applied + beside)
    if applied:
        tally.applied += applied
        bucket.unwritten.touch(customer)
        if bucket.grouping and customer.kin is not None:
            newest = next(reversed(checksums))  # remembered last
            bucket.kinship.note(customer, customer.kin, applied, newest)
        if customer.identity is not None:
            bucket.merging.note(customer, applied)
    if erasing is not None:
        erase(bucket, customer, *erasing)
    return rest


def _of_this_life(
    bucket: Bucket, customer: Customer, erased_ms: int, arrivals: Sequence[Arrival]
) -> Sequence[Arrival]:
    """Pass over what was told or happened before the customer was erased."""

    def refuses(told: MemberTold | PartTold) -> bool:
        if isinstance(told, PartTold):
            return bucket.merging.refuses(customer, told, erased_ms)
        return bucket.kinship.refuses(customer, told, erased_ms)

    return _passed(bucket, arrivals, of_this_life(arrivals, erased_ms, refuses))


def _passed(
    bucket: Bucket, arrivals: Sequence[Arrival], kept: Sequence[Arrival]
) -> Sequence[Arrival]:
    """Count what was passed over of *arrivals*; return what was *kept*."""
    bucket.tally.ignored += len(arrivals) - len(kept)
    return kept


def _consent(
    bucket: Bucket, customer: Customer, record_ms: int, event: ConsentChanged
) -> Sequence[Change]:
    changes = bucket.scorer.consent(
        customer, record_ms, event.event_id, event.occurred_ms, allowed=event.scoring
    )
    if customer.shadow is not None:
        obey_beside(customer.shadow, record_ms, event)
    if customer.kin is not None:
        bucket.kinship.set_apart(customer, customer.kin)
    bucket.merging.set_apart(customer)
    return changes


def _pay(bucket: Bucket, customer: Customer, payments: Sequence[Payment]) -> Sequence[Change]:
    """Apply paid orders to a customer that has a shadow."""
    if customer.shadow is not None:
        pay_beside(customer.shadow, payments)
    return bucket.scorer.pay(customer, payments)


def _meet_again(bucket: Bucket, arrival: Arrival, taken: str, *, same: bool) -> None:
    if same:
        bucket.tally.repeated += 1
    else:
        detail = f"{taken}: was taken already by another record"
        bucket.tally.refusals.append(Refusal(arrival, "conflict", detail))
