"""Lifetime figures of one kind of event of one customer."""

from __future__ import annotations

from msgspec import Struct

from stream.sentinels import MISSING, NEVER


class Totals(Struct, array_like=True, gc=False):
    """What one kind of event amounts to over the customer's whole life.

    Attributes:
        count: Surviving events.
        gross: Sum of their values.
        refunded: Part of it that was given back.
        cost: Sum of costs of surviving orders.
        peak: Largest single value ever, surviving or not.
        first_ms: Instant of the earliest event ever.
        first_value: Its value.
        dropped_ms: Newest surviving bucket among those dropped for age.
        dropped_last_ms: Newest event among those dropped for age, surviving or not.
        dropped_latest: Its value.
        dropped_days: Days with a surviving event among those dropped for age. An event that
            came too late for its day's bucket counts as a day of its own.
        dropped_first_ms: Of the earliest of those days; `NEVER` while none was dropped.
        dropped_first_net: Its values less what was given back.
    """

    count: int = 0
    gross: int = 0
    refunded: int = 0
    cost: int = 0
    peak: int = MISSING
    first_ms: int = NEVER
    first_value: int = MISSING
    dropped_ms: int = MISSING
    dropped_last_ms: int = MISSING
    dropped_latest: int = MISSING
    dropped_days: int = 0
    dropped_first_ms: int = NEVER
    dropped_first_net: int = 0

    def note_first(self, at_ms: int, value: int) -> None:
        """Take an event as the first if it is the earliest (of equals: the smallest)."""
        if at_ms < self.first_ms or (at_ms == self.first_ms and value < self.first_value):
            self.first_ms, self.first_value = at_ms, value

    def note_dropped(self, at_ms: int, value: int, count: int, net: int) -> None:
        """Remember a bucket that is dropped: its newest event, *count* survivors worth *net*."""
        if count > 0:
            self.dropped_ms = max(self.dropped_ms, at_ms)
            self.dropped_days += 1
            first = min((self.dropped_first_ms, self.dropped_first_net), (at_ms, net))
            self.dropped_first_ms, self.dropped_first_net = first
        newest = max((self.dropped_last_ms, self.dropped_latest), (at_ms, value))
        self.dropped_last_ms, self.dropped_latest = newest
