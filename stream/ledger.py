"""The ledger of orders: what a refund or a cancellation needs to know of its order."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from stream.calendar import DAY_MS

PERIOD_MS = 32 * DAY_MS
_SEPARATOR = "\x1f"


def ledger_key(customer_id: str, order_id: str) -> str:
    """Return the key of an order within its bucket; order ids are unique per customer."""
    return f"{customer_id}{_SEPARATOR}{order_id}"


def period_of(at_ms: int) -> int:
    """Return the 32-day period that an order belongs to; whole periods are dropped for age."""
    return at_ms // PERIOD_MS


class OrderEntry(Struct, array_like=True, gc=False):
    """One order, in minor units of the reporting currency.

    Attributes:
        at_ms: When it was paid (event time); its day bucket follows from this.
        paid_minor: Amount paid.
        cost_minor: Cost, 0 where unknown.
        checksum: CRC-32 of the record that paid it, to tell a repeat from a conflict.
        refunded_minor: Refunded so far, at most what was paid.
        cancelled: No longer counts.
    """

    at_ms: int
    paid_minor: int
    cost_minor: int
    checksum: int = 0
    refunded_minor: int = 0
    cancelled: bool = False

    def refund(self, amount_minor: int) -> int:
        """Refund up to *amount_minor* and return what was really refunded.

        Never more than is left of what was paid; nothing once cancelled.
        """
        left = 0 if self.cancelled else self.paid_minor - self.refunded_minor
        granted = min(amount_minor, left)
        self.refunded_minor += granted
        return granted


encode_entry = msgspec.msgpack.Encoder().encode
"""Return the stored form of an `OrderEntry`; `decode_entry` is its inverse."""

decode_entry = msgspec.msgpack.Decoder(OrderEntry).decode
"""Rebuild an entry. Raises `msgspec.MsgspecError` where the bytes are not one."""
