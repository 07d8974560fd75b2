"""Erasing a customer: what stays behind in its bucket, and what is told of it. Pure.

Nothing that stays names the customer: it is known by a hash of its id, which cannot be turned
back. Who knows the id can make the same hash, and that is what it is for: to pass over what
comes again of an erased customer, and to find its receipt.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Struct

from stream.arrivals import Payment
from stream.calendar import format_instant, to_instant_ms
from stream.outbox import CUSTOMER_TIERS, ERASURE_RECEIPTS, Row, encode_row, tombstone_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.records import CustomerErase
    from stream.arrivals import Arrival

_BYTES = 16
_PERSON = b"tierstream-erase"
_SEPARATOR = "\x1f"
_NAMELESS = "(erased)"


def pseudonym(customer_id: str) -> str:
    """Return what an erased customer is known by: BLAKE2b-128 of its id, in hexadecimal.

    >>> pseudonym("c1") == pseudonym("c1"), pseudonym("c1") == pseudonym("c2")
    (True, False)
    """
    return hashlib.blake2b(customer_id.encode(), digest_size=_BYTES, person=_PERSON).hexdigest()


def has_ended(ended: Mapping[str, int], customer_id: str, instant_ms: int) -> bool:
    """Say whether what became true of a customer at *instant_ms* is of a life that was erased.

    *ended* says by pseudonym up to when that life was told of (see `read_receipt`).
    """
    until_ms = ended.get(pseudonym(customer_id))
    return until_ms is not None and instant_ms <= until_ms


def receipt_id(event: CustomerErase) -> str:
    """Return the id of the receipt for a request: the same for the same request."""
    text = _SEPARATOR.join((event.customer_id, event.event_id))
    return hashlib.blake2b(text.encode(), digest_size=_BYTES, person=_PERSON).hexdigest()


class Erased(Struct, array_like=True, frozen=True):
    """What a bucket remembers of a customer that it erased, under its pseudonym, for good.

    Attributes:
        at_ms: Record time of the newest request.
        moves: How often it had changed its parent, one more for the erasure. Those it belongs to
            in a new life tell by this that they are told something newer.
        receipt: Id of the receipt for that request.
    """

    at_ms: int
    moves: int
    receipt: str


class Removal(Struct, frozen=True):
    """What one erasure removed; see `schemas.erasure_receipts.Removed`."""

    state: bool
    orders: int
    event_ids: int
    members: int
    parent: bool


class Erasures:
    """The customers that one bucket has erased, ever and in the batch at hand.

    About 70 bytes for each of them, and they are never forgotten: a log can be read again
    however old it is.
    """

    __slots__ = ("_fresh", "_known", "_receipts")

    def __init__(self, stored: Mapping[str, bytes]) -> None:
        """Start from what earlier commits stored, by pseudonym."""
        self._known = {subject: _decode(blob) for subject, blob in stored.items()}
        self._fresh: dict[str, bytes] = {}
        self._receipts: list[bytes] = []

    def of(self, customer_id: str) -> Erased | None:
        """Return what is remembered of a customer; None where it was never erased."""
        return self._known.get(pseudonym(customer_id)) if self._known else None

    def note(
        self, event: CustomerErase, record_ms: int, clock_ms: int, moves: int, removal: Removal
    ) -> bytes:
        """Take note that *event* was carried out; returns the tombstone to announce.

        *clock_ms* is how far the customer had come.
        """
        subject = pseudonym(event.customer_id)
        before = self._known.get(subject)
        at_ms = record_ms if before is None else max(record_ms, before.at_ms)
        erased = Erased(at_ms, moves, receipt_id(event))
        self._known[subject] = erased
        self._fresh[subject] = _encode(erased)
        self._receipts.append(_receipt(event, erased, max(at_ms, clock_ms), removal))
        return tombstone_row(CUSTOMER_TIERS, event.customer_id, record_ms)

    def seal(self) -> tuple[dict[str, bytes], list[bytes]]:
        """Return what to store and the receipts of this batch; start over."""
        fresh, receipts = self._fresh, self._receipts
        self._fresh, self._receipts = {}, []
        return fresh, receipts


def is_older(arrival: Arrival, erased_ms: int) -> bool:
    """Say whether *arrival* is of the life that ended at *erased_ms*: told or happened by then."""
    if arrival.record_ms <= erased_ms:
        return True
    if isinstance(arrival, Payment):
        return arrival.entry.at_ms <= erased_ms
    return arrival.event.occurred_ms <= erased_ms


class Receipt(NamedTuple):
    """What a receipt says of what was told of a customer.

    Attributes:
        subject: The customer's pseudonym.
        until_ms: What was told of it became true by then.
    """

    subject: str
    until_ms: int


class _Told(Struct):
    subject: str
    instant: datetime
    told_until: datetime | None = None


def read_receipt(value: bytes) -> Receipt:
    """Return what a record of `erasure-receipts` says. Raises `msgspec.MsgspecError`."""
    told = _told(value)
    return Receipt(told.subject, to_instant_ms(told.told_until or told.instant))


def ended_by(receipts: Iterable[bytes]) -> dict[str, int]:
    """Return who was erased, by pseudonym, and up to when it was told of; passes over others."""
    ended: dict[str, int] = {}
    for value in receipts:
        with suppress(msgspec.MsgspecError):
            subject, until_ms = read_receipt(value)
            ended[subject] = max(until_ms, ended.get(subject, until_ms))
    return ended


def _receipt(event: CustomerErase, erased: Erased, until_ms: int, removal: Removal) -> bytes:
    payload = {
        "id": erased.receipt,
        "subject": pseudonym(event.customer_id),
        "instant": format_instant(erased.at_ms),
        "told_until": format_instant(until_ms),
        "reason": event.reason.replace(event.customer_id, _NAMELESS),
        "removed": removal,
    }
    headers = [("content-type", b"application/json")]
    key = erased.receipt.encode()
    return encode_row(
        Row(ERASURE_RECEIPTS, key, msgspec.json.encode(payload), headers, erased.at_ms)
    )


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Erased).decode
_told = msgspec.json.Decoder(_Told).decode
