"""A customer's purchases as the models of lifetime value see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.calendar import DAY_MS
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from stream.series import Series


class Purchases(NamedTuple):
    """What is known of one customer's purchases, in the terms of Fader and Hardie.

    What is bought on one local day is one purchase. Age is told in two parts, both whole days
    of 24 hours, because only the second one grows by itself.

    Attributes:
        repeats: x, purchases after the first.
        active_days: t_x, from the first order to the newest.
        silent_days: T - t_x, since the newest order.
        repeat_minor: What the repeat purchases brought in all, less refunds; minor units.
    """

    repeats: int
    active_days: int
    silent_days: int
    repeat_minor: int


def purchases_of(orders: Series, now_ms: int) -> Purchases | None:
    """Return a customer's purchases at *now_ms*; None without an order that survives.

    The same events in any order give the same purchases.
    """
    last_ms = orders.last_ms()
    if last_ms == MISSING:
        return None
    totals = orders.totals
    repeats = orders.active_days() - 1
    repeat_minor = 0
    if repeats > 0:
        repeat_minor = max(totals.gross - totals.refunded - orders.first_day_net(), 0)
    return Purchases(
        repeats,
        (last_ms - totals.first_ms) // DAY_MS,
        max(now_ms - last_ms, 0) // DAY_MS,
        repeat_minor,
    )
