"""Orders that several ids of one customer know of, counted once. Pure.

An order is paid under one id and refunded under another, or paid under both. Each id by itself
has counted what it knows; what is missing to what one id would have counted is an adjustment of
the order's day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.identity.facts import Crossing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stream.groups.kin import Path
    from stream.identity.facts import Adjustment, Waiting
    from stream.ledger import OrderEntry


class Books(NamedTuple):
    """What one id knows of orders.

    Attributes:
        orders: Those it paid, by order id.
        pending: Refunds and cancellations of orders that it does not know.
    """

    orders: Mapping[str, OrderEntry]
    pending: Waiting

    def knows(self, order_id: str) -> bool:
        """Say whether it knows of an order at all."""
        return order_id in self.orders or order_id in self.pending


def find(
    books: Mapping[Path, Books], known: Mapping[str, Crossing], refund_ms: int
) -> dict[str, Crossing]:
    """Return the orders that several of *books* know of.

    What was *known* before stays for good while all of its holders do, though they let go of an
    order once refunds cannot find it any more.

    Args:
        books: By path, in a fixed order; of equals the first counts.
        known: What was found last.
        refund_ms: How far a refund may be from its order.
    """
    holders: dict[str, list[Path]] = {}
    for path, book in books.items():
        for order_id in sorted(book.orders.keys() | book.pending.keys()):
            holders.setdefault(order_id, []).append(path)
    found = {
        order_id: crossing
        for order_id, paths in holders.items()
        if len(paths) > 1
        for crossing in [_crossing(order_id, paths, books, refund_ms)]
        if crossing is not None
    }
    for order_id, crossing in known.items():
        there = [path for path in crossing.holders if path in books]
        if len(there) < len(crossing.holders):
            continue
        if not all(books[path].knows(order_id) for path in there):
            found[order_id] = crossing
    return found


def adjustments(crossings: Mapping[str, Crossing]) -> list[Adjustment]:
    """Return what all of them change."""
    return [change for crossing in crossings.values() for change in crossing.adjustments]


def _crossing(
    order_id: str, paths: list[Path], books: Mapping[Path, Books], refund_ms: int
) -> Crossing | None:
    paid = [entry for path in paths if (entry := books[path].orders.get(order_id)) is not None]
    if not paid:
        return None
    first = min(paid, key=lambda entry: entry.at_ms)
    waiting = [
        wait
        for path in paths
        if (wait := books[path].pending.get(order_id)) is not None
        and abs(wait[2] - first.at_ms) <= refund_ms
    ]
    cancelled = any(entry.cancelled for entry in paid) or any(wait[1] for wait in waiting)
    refunded = sum(entry.refunded_minor for entry in paid) + sum(wait[0] for wait in waiting)
    changes = list(_taken_out(paid))
    if not cancelled:
        refunded = min(refunded, first.paid_minor)
        changes.append((first.at_ms, 1, first.paid_minor, refunded, first.cost_minor))
    return Crossing(paths, changes)


def _taken_out(paid: list[OrderEntry]) -> Iterator[Adjustment]:
    for entry in paid:
        if not entry.cancelled:
            yield entry.at_ms, -1, -entry.paid_minor, -entry.refunded_minor, -entry.cost_minor
