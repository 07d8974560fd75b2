"""The ledger of orders: what a refund or a cancellation needs to know of its order."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from stream.calendar import DAY_MS

_ENTRY = struct.Struct("<qqqqIB")
_PERIOD_MS = 32 * DAY_MS
_SEPARATOR = "\x1f"


def ledger_key(customer_id: str, order_id: str) -> str:
    """Return the key of an order within its bucket; order ids are unique per customer."""
    return f"{customer_id}{_SEPARATOR}{order_id}"


def period_of(at_ms: int) -> int:
    """Return the 32-day period that an order belongs to; whole periods are dropped for age."""
    return at_ms // _PERIOD_MS


@dataclass(slots=True)
class OrderEntry:
    """One order, in minor units of the reporting currency.

    Attributes:
        at_ms: When it was paid (event time); its day bucket follows from this.
        paid_minor: Amount paid.
        cost_minor: Cost, 0 where unknown.
        refunded_minor: Refunded so far, at most what was paid.
        cancelled: No longer counts.
        checksum: CRC-32 of the record that paid it, to tell a repeat from a conflict.
    """

    at_ms: int
    paid_minor: int
    cost_minor: int
    refunded_minor: int = 0
    cancelled: bool = False
    checksum: int = 0

    def refund(self, amount_minor: int) -> int:
        """Refund up to *amount_minor* and return what was really refunded.

        Never more than is left of what was paid; nothing once cancelled.
        """
        left = 0 if self.cancelled else self.paid_minor - self.refunded_minor
        granted = min(amount_minor, left)
        self.refunded_minor += granted
        return granted

    def encode(self) -> bytes:
        """Return the stored form; `decode` is its inverse."""
        return _ENTRY.pack(
            self.at_ms,
            self.paid_minor,
            self.cost_minor,
            self.refunded_minor,
            self.checksum,
            self.cancelled,
        )

    @classmethod
    def decode(cls, stored: bytes) -> OrderEntry:
        """Rebuild an entry. Raises `struct.error` where *stored* is not one."""
        at_ms, paid, cost, refunded, checksum, cancelled = _ENTRY.unpack(stored)
        return cls(at_ms, paid, cost, refunded, bool(cancelled), checksum)
