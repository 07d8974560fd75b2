"""The orders that a batch pays, changes, refers to or erases, as the ledger is to keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.ledger import OrderEntry, decode_entry, encode_entry, ledger_key, period_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class LedgerChanges(NamedTuple):
    """What a commit does to the ledger of its bucket, by period.

    Attributes:
        fresh: Entries, by ledger key, of orders that must not be in it yet.
        changed: Entries to write over those that are there.
        gone: Keys to take out.
        drop_periods: Periods to drop as a whole.
    """

    fresh: dict[int, dict[str, bytes]]
    changed: dict[int, dict[str, bytes]]
    gone: dict[int, list[str]]
    drop_periods: list[int]


class KnownOrders:
    """What one bucket knows of orders while a batch lasts, by ledger key.

    Attributes:
        stored: Entries that the ledger has, as far as the batch may refer to them.
        fresh: Entries of orders that the batch has paid.
    """

    __slots__ = ("_changed", "_gone", "_lowest_period", "_places", "fresh", "stored")

    def __init__(self) -> None:
        """Start with nothing known."""
        self.stored: dict[str, OrderEntry] = {}
        self.fresh: dict[str, OrderEntry] = {}
        self._changed: dict[str, OrderEntry] = {}
        self._gone: dict[int, set[str]] = {}
        self._places: dict[str, Sequence[tuple[int, str]]] = {}
        self._lowest_period: int | None = None

    def know(self, entries: Mapping[str, bytes]) -> None:
        """Add stored entries that the batch may refer to."""
        for key, stored in entries.items():
            self.stored[key] = decode_entry(stored)

    def know_places(self, customer_id: str, places: Sequence[tuple[int, str]]) -> None:
        """Say where all stored entries of a customer are: period and key."""
        self._places[customer_id] = places

    def of(self, customer_id: str) -> dict[str, OrderEntry]:
        """Return everything that is known of a customer's orders, by order id."""
        prefix = ledger_key(customer_id, "")
        return {
            key.removeprefix(prefix): entry
            for entries in (self.stored, self.fresh)
            for key, entry in entries.items()
            if key.startswith(prefix)
        }

    def take_to_change(self, key: str, reach_ms: int) -> OrderEntry | None:
        """Return the entry of an order that is about to be changed; None where there is none.

        Nor is one found of an order before *reach_ms*: whether an earlier policy has let it go
        depends on when that tidied.
        """
        entry = self.find(key, reach_ms)
        if entry is not None and key not in self.fresh:
            self._changed[key] = entry
        return entry

    def find(self, key: str, reach_ms: int) -> OrderEntry | None:
        """Return the same entry to who only looks at it."""
        entry = self.fresh.get(key) or self.stored.get(key)
        return None if entry is None or entry.at_ms < reach_ms else entry

    def drop(self, customer_id: str) -> int:
        """Take a customer out of the ledger; return how many orders there were."""
        prefix = ledger_key(customer_id, "")
        fresh = [key for key in self.fresh if key.startswith(prefix)]
        for entries in (self.stored, self.fresh, self._changed):
            for key in [key for key in entries if key.startswith(prefix)]:
                del entries[key]
        stored = 0
        for period, key in self._places.get(customer_id, ()):
            keys = self._gone.setdefault(period, set())
            stored += key not in keys
            keys.add(key)
        return len(fresh) + stored

    def seal(self, newest_ms: int, refund_ms: int) -> LedgerChanges:
        """Return what to do to the ledger; start over, but for the periods that are dropped.

        Args:
            newest_ms: The furthest that a customer of the batch has come; 0 where there is none.
            refund_ms: How long a refund may look for its order.
        """
        fresh, changed = _by_period(self.fresh), _by_period(self._changed)
        for period, keys in self._gone.items():
            # Paid again in a new life: the store may not call them known.
            again = {key: fresh[period].pop(key) for key in keys & fresh.get(period, {}).keys()}
            if again:
                changed.setdefault(period, {}).update(again)
        gone = {period: sorted(keys) for period, keys in self._gone.items()}
        drop_periods = self._old_periods(newest_ms, refund_ms)
        self.stored, self.fresh, self._changed = {}, {}, {}
        self._places, self._gone = {}, {}
        return LedgerChanges(fresh, changed, gone, drop_periods)

    def _old_periods(self, now_ms: int, refund_ms: int) -> list[int]:
        """Return the ledger periods that fell out of reach since the last commit."""
        if not now_ms:
            return []
        lowest = oldest_period(now_ms, refund_ms)
        known = self._lowest_period
        if known is not None and lowest <= known:
            return []
        self._lowest_period = lowest
        first = lowest - 12 if known is None else known
        fresh = {period_of(e.at_ms) for e in [*self.fresh.values(), *self._changed.values()]}
        return [period for period in range(max(first, 0), lowest) if period not in fresh]


def oldest_period(now_ms: int, refund_ms: int) -> int:
    """Return the oldest ledger period that a refund may still refer to.

    One more is kept: *now_ms* is that of the customer furthest ahead, and what a refund
    finds must not depend on the others of its bucket.
    """
    return period_of(now_ms - refund_ms) - 1


def _by_period(entries: Mapping[str, OrderEntry]) -> dict[int, dict[str, bytes]]:
    if not entries:
        return {}
    instants = [entry.at_ms for entry in entries.values()]
    first, last = period_of(min(instants)), period_of(max(instants))
    if first == last:  # nearly always
        return {first: dict(zip(entries, map(encode_entry, entries.values()), strict=True))}
    periods: dict[int, dict[str, bytes]] = {}
    for key, entry in entries.items():
        periods.setdefault(period_of(entry.at_ms), {})[key] = encode_entry(entry)
    return periods
