"""What orders, refunds and cancellations do to what is kept of a customer. No grades here.

A refund may come before its order: it waits in the customer's state, but no longer than refunds
may look for orders at all (``refund_ms``, of the plan).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.arrivals import Payment
    from stream.customer import Customer
    from stream.ledger import OrderEntry


def count_order(customer: Customer, now_ms: int, payment: Payment, refund_ms: int) -> None:
    """Count a paid order, and what has been waiting for it."""
    entry = payment.entry
    customer.orders.add(entry.at_ms, now_ms, entry.paid_minor, entry.cost_minor)
    _forget_waiting(customer, now_ms, refund_ms)
    waiting = customer.pending.pop(payment.order_id, None)
    if waiting is None or now_ms - entry.at_ms > refund_ms:
        return
    refunded_minor, cancelled, _ = waiting
    _refund(customer, now_ms, entry, refunded_minor)
    if cancelled:
        _cancel(customer, now_ms, entry)


def take_back(customer: Customer, now_ms: int, entry: OrderEntry, amount_minor: int | None) -> None:
    """Refund *amount_minor* of an order, or cancel it where that is None; *entry* is changed."""
    if amount_minor is None:
        _cancel(customer, now_ms, entry)
    else:
        _refund(customer, now_ms, entry, amount_minor)


def let_wait(
    customer: Customer, now_ms: int, order_id: str, amount_minor: int | None, refund_ms: int
) -> None:
    """Keep a refund, or a cancellation where *amount_minor* is None, until its order comes."""
    _forget_waiting(customer, now_ms, refund_ms)
    waiting = customer.pending.setdefault(order_id, [0, 0, now_ms])
    if amount_minor is None:
        waiting[1] = 1
    else:
        waiting[0] += amount_minor


def _forget_waiting(customer: Customer, now_ms: int, refund_ms: int) -> None:
    """Drop refunds that have waited longer than a refund may look for its order."""
    oldest_ms = now_ms - refund_ms
    pending = customer.pending
    for order_id in [key for key, waiting in pending.items() if waiting[2] < oldest_ms]:
        del pending[order_id]


def _refund(customer: Customer, now_ms: int, entry: OrderEntry, amount_minor: int) -> None:
    granted = entry.refund(amount_minor)
    customer.orders.adjust(entry.at_ms, now_ms, (0, 0, granted, 0))


def _cancel(customer: Customer, now_ms: int, entry: OrderEntry) -> None:
    if entry.cancelled:
        return
    customer.orders.adjust(
        entry.at_ms,
        now_ms,
        (-1, -entry.paid_minor, -entry.refunded_minor, -entry.cost_minor),
    )
    entry.cancelled = True
