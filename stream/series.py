"""Rolling windows over day buckets, for one kind of event of one customer.

A day bucket holds what one local calendar day's events add up to. All of a day's
events leave a window together, exactly *length* after the last of them: a customer
with at most one event a day is therefore exact to the millisecond, and nothing
special happens at midnight. Arrival order does not matter: late events go to
their own day, and the same events in any order give the same buckets.
"""

from __future__ import annotations

from copy import copy
from itertools import chain
from typing import TYPE_CHECKING

from stream.calendar import DAY_MS
from stream.ledger import OrderEntry
from stream.sentinels import MISSING, NEVER
from stream.totals import Totals
from stream.window import (
    COST,
    COUNT,
    GROSS,
    LAST_MS,
    LATEST,
    PEAK,
    REFUNDED,
    ROW,
    ROW_BYTES,
    Span,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.calendar import LocalDays

# A local day may have 25 hours, in places even 31, so a bucket is kept that much longer
# than any window.
_LONGEST_DAY_MS = 2 * DAY_MS


# Closed buckets, open bucket, then what add_recent changed and by how much.
_Undo = tuple[bytes, list[int], tuple[int, int, int, int], tuple[int, int, int], list[int]]


class Series:
    """Day buckets of one kind of event, with any number of windows over them.

    `roll` must be called before windows are read at a later instant; instants
    given to one series never decrease.

    Attributes:
        totals: Lifetime figures.
        windows: Running totals in the order of the spans given.
        next_roll_ms: No window changes, and no bucket becomes useless, before this instant.
        joined_ms: Of what `add_recent` counted last: the instant from which the day that
            it joined would have aged without it.
    """

    __slots__ = (
        "_closed",
        "_counted",
        "_day_end",
        "_day_start",
        "_days",
        "_open",
        "_retention_ms",
        "_undo",
        "joined_ms",
        "near",
        "next_roll_ms",
        "totals",
        "windows",
    )

    def __init__(self, spans: Sequence[Span], retention_ms: int, days: LocalDays) -> None:
        """Keep buckets for at least *retention_ms*, and over every span."""
        self._days = days
        self._retention_ms = max([retention_ms, *(span.far_ms for span in spans)])
        self._closed = b""
        # Closed buckets as they were when their active days were last counted, and the count.
        self._counted = b"", 0
        self._open: list[int] | None = None
        self._day_start = self._day_end = 0
        self._undo: _Undo | None = None
        self.totals = Totals()
        self.windows = [Window(span) for span in spans]
        self.near = [window for window in self.windows if window.near_ms == 0]
        self.next_roll_ms = NEVER
        self.joined_ms = NEVER

    def clone(self) -> Series:
        """Return a copy that goes its own way; what never changes is shared.

        Attribute by attribute: `copy.copy` takes five times as long with slots.
        """
        twin = object.__new__(Series)
        twin._days, twin._retention_ms = self._days, self._retention_ms
        twin._closed, twin._counted = self._closed, self._counted
        twin._open = None if self._open is None else self._open.copy()
        twin._day_start, twin._day_end = self._day_start, self._day_end
        twin._undo = None
        twin.totals = copy(self.totals)
        twin.windows = [window.clone() for window in self.windows]
        twin.near = [window for window in twin.windows if window.near_ms == 0]
        twin.next_roll_ms, twin.joined_ms = self.next_roll_ms, self.joined_ms
        return twin

    # -- events ---------------------------------------------------------------

    def add(self, at_ms: int, now_ms: int, value: int, cost: int) -> None:
        """Count one event of *value* that happened at *at_ms*; any order is fine.

        Windows must have been rolled to *now_ms*.
        """
        event = OrderEntry(at_ms, value, cost)
        if not self.add_recent((event,), now_ms):
            self._add_late(event, now_ms)

    def add_recent(self, events: Sequence[OrderEntry], now_ms: int) -> bool:
        """Count events of one day, the newest or a later one; else do nothing.

        The common case, at a cost that does not depend on how much is kept: an event
        survives already, and none of these is the earliest of all. Returns whether they
        were counted; `undo` takes all of them back.
        """
        newest, totals, opening_ms = self._open, self.totals, events[0].at_ms
        if newest is None or not totals.count:
            return False
        recent_ms = now_ms - DAY_MS
        opens = opening_ms >= self._day_end
        if opens:
            # A day that is of no use any more as soon as it is closed goes the way that drops it.
            if opening_ms <= recent_ms or self._dropped_at_ms(newest) <= now_ms:
                return False
            start, end = self._days.bounds_ms(opening_ms)
            last_ms = latest = peak = MISSING
        else:
            if newest[LAST_MS] <= recent_ms:
                return False
            start, end = max(self._day_start, totals.first_ms + 1), self._day_end
            last_ms, latest, peak = newest[LAST_MS], newest[LATEST], newest[PEAK]
        gross = cost = 0
        for event in events:
            at_ms, value = event.at_ms, event.paid_minor
            if not start <= at_ms < end:
                return False
            if at_ms > last_ms or (at_ms == last_ms and value > latest):
                last_ms, latest = at_ms, value
            if value > peak:
                peak = value
            gross += value
            cost += event.cost_minor
        count = len(events)
        self._undo = (
            self._closed,
            newest if opens else newest.copy(),
            (self._day_start, self._day_end, self.next_roll_ms, totals.peak),
            (count, gross, cost),
            [window.peak for window in self.near],
        )
        if opens:
            self.joined_ms = opening_ms
            self._open_day([last_ms, count, gross, 0, cost, peak, latest], start, end)
        else:
            self.joined_ms = newest[LAST_MS]
            newest[LAST_MS], newest[LATEST], newest[PEAK] = last_ms, latest, peak
            newest[COUNT] += count
            newest[GROSS] += gross
            newest[COST] += cost
        totals.count += count
        totals.gross += gross
        totals.cost += cost
        if peak > totals.peak:
            totals.peak = peak
        for window in self.near:
            window.count += count
            window.gross += gross
            window.cost += cost
            if peak > window.peak:
                window.peak = peak
        return True

    def undo(self) -> bool:
        """Take the last `add_recent` back; return False if something happened since."""
        if self._undo is None:
            return False
        closed, newest, scalars, (count, gross, cost), peaks = self._undo
        opened = closed is not self._closed
        self._undo, self._closed, self._open = None, closed, newest
        totals = self.totals
        self._day_start, self._day_end, self.next_roll_ms, totals.peak = scalars
        totals.count -= count
        totals.gross -= gross
        totals.cost -= cost
        for window, peak in zip(self.near, peaks, strict=True):
            window.end -= opened
            window.count -= count
            window.gross -= gross
            window.cost -= cost
            window.peak = peak
        return True

    def adjust(self, at_ms: int, now_ms: int, change: tuple[int, int, int, int]) -> None:
        """Change the bucket of an event that happened at *at_ms* (a refund, a cancellation).

        *change* holds differences of count, gross, refunded and cost. Lifetime totals
        always change; a bucket that was dropped for age does not.
        """
        count, gross, refunded, cost = change
        totals = self.totals
        totals.count += count
        totals.gross += gross
        totals.refunded += refunded
        totals.cost += cost
        start, end = self._days.bounds_ms(at_ms)
        rows = list(self.rows())
        for row in rows:
            if start <= row[LAST_MS] < end:
                row[COUNT] += count
                row[GROSS] += gross
                row[REFUNDED] += refunded
                row[COST] += cost
                self._replace(rows, now_ms)
                return

    # -- time -----------------------------------------------------------------

    def roll(self, now_ms: int) -> None:
        """Let buckets enter and leave the windows up to *now_ms*."""
        self._undo = None
        if now_ms < self.next_roll_ms:
            return
        size = self._size()
        for window in self.windows:
            peak_left = False
            while window.end < size:
                row = self._row(window.end)
                if row[LAST_MS] + window.near_ms > now_ms:
                    break
                window.take(row, 1)
                window.peak = max(window.peak, row[PEAK])
                window.end += 1
            while window.start < size:
                row = self._row(window.start)
                if row[LAST_MS] + window.far_ms > now_ms:
                    break
                window.take(row, -1)
                peak_left = peak_left or row[PEAK] >= window.peak
                window.start += 1
            if peak_left:
                window.peak = self._peak_of(window)
        self._drop_old(now_ms)
        self.next_roll_ms = self._next_roll()

    def changes_of(self, window: Window) -> Iterator[tuple[int, Sequence[int], int]]:
        """Yield ``(instant, bucket, sign)`` as time alone changes *window*, in order.

        Describes the future if no further event comes. Two buckets may enter and
        leave at one instant.
        """
        size = self._size()
        leaving, entering = window.start, window.end
        if entering >= size:  # nearly always: whatever changes, leaves
            far_ms = window.far_ms
            for row in self.between(leaving, size):
                yield row[LAST_MS] + far_ms, row, -1
            return
        while leaving < size:
            out_ms = self._row(leaving)[LAST_MS] + window.far_ms
            in_ms = self._row(entering)[LAST_MS] + window.near_ms if entering < size else NEVER
            if in_ms <= out_ms:
                yield in_ms, self._row(entering), 1
                entering += 1
            else:
                yield out_ms, self._row(leaving), -1
                leaving += 1

    # -- readings -------------------------------------------------------------

    def last_ms(self) -> int:
        """Return the instant of the newest surviving event, or `MISSING`."""
        newest = self._open
        if newest is not None and newest[COUNT] > 0 and newest[LAST_MS] > self.totals.dropped_ms:
            return newest[LAST_MS]
        return self._newest_surviving_ms()

    def latest(self) -> int:
        """Return the value of the newest event ever, surviving or not, or `MISSING`."""
        newest, totals = self._open, self.totals
        if newest is not None and newest[LAST_MS] > totals.dropped_last_ms:
            return newest[LATEST]
        return totals.dropped_latest

    def active_days(self) -> int:
        """Return the number of days, over the whole life, on which an event survives.

        Costs nothing to events: closed buckets are counted here, and only what came or went
        since the last time.
        """
        closed = self._closed
        counted, days = self._counted
        if counted is not closed:
            if closed.startswith(counted):
                days += _active(closed[len(counted) :])
            elif counted.startswith(closed):
                days -= _active(counted[len(closed) :])
            else:
                days = _active(closed)
            self._counted = closed, days
        newest = self._open
        today = newest is not None and newest[COUNT] > 0
        return self.totals.dropped_days + days + today

    def first_day_net(self) -> int:
        """Return the values less what was given back on the earliest day with a survivor."""
        totals = self.totals
        for row in self.rows():
            if row[LAST_MS] >= totals.dropped_first_ms:
                break
            if row[COUNT] > 0:
                return row[GROSS] - row[REFUNDED]
        return totals.dropped_first_net

    def rows(self) -> Iterator[list[int]]:
        """Yield every kept day bucket, oldest first, as lists of seven integers."""
        for row in ROW.iter_unpack(self._closed):
            yield list(row)
        if self._open is not None:
            yield list(self._open)

    def between(self, start: int, end: int) -> Iterator[Sequence[int]]:
        """Return the day buckets with the indices from *start* up to *end*, as windows count."""
        size = len(self._closed) // ROW_BYTES
        closed = ROW.iter_unpack(self._closed[start * ROW_BYTES : min(end, size) * ROW_BYTES])
        if self._open is None or not start <= size < end:
            return closed
        return chain(closed, (self._open,))

    # -- storage --------------------------------------------------------------

    def pack(self) -> tuple[Totals, bytes, list[int] | None]:
        """Return what must be stored: lifetime totals, closed buckets, open bucket."""
        return self.totals, self._closed, self._open

    def whole(self) -> tuple[Totals, bytes, list[int] | None]:
        """Return what the customer has itself, in the form of `pack`, under whichever id."""
        return self.pack()

    def terms(self) -> tuple[list[Span], int, LocalDays]:
        """Return what an empty series like this one is made of."""
        spans = [Span(window.near_ms, window.far_ms) for window in self.windows]
        return spans, self._retention_ms, self._days

    def restore(self, totals: Totals, closed: bytes, newest: list[int] | None, now_ms: int) -> None:
        """Take over what `pack` returned, and bring the windows to *now_ms*."""
        self.totals = totals
        self._closed = closed
        self._open = newest
        if newest is not None:
            self._day_start, self._day_end = self._days.bounds_ms(newest[LAST_MS])
        self._rebuild(now_ms)

    # -- inside ---------------------------------------------------------------

    def _open_day(self, row: list[int], start_ms: int, end_ms: int) -> None:
        if self._open is not None:
            if not self._closed:
                self.next_roll_ms = min(self.next_roll_ms, self._dropped_at_ms(self._open))
            self._closed += ROW.pack(*self._open)
        self._open, self._day_start, self._day_end = row, start_ms, end_ms
        for window in self.windows:
            if window.near_ms == 0:
                window.end += 1
            changes_ms = row[LAST_MS] + (window.near_ms or window.far_ms)
            self.next_roll_ms = min(self.next_roll_ms, changes_ms)

    def _add_late(self, event: OrderEntry, now_ms: int) -> None:
        self._undo = None
        at_ms, value, cost = event.at_ms, event.paid_minor, event.cost_minor
        totals = self.totals
        totals.count += 1
        totals.gross += value
        totals.cost += cost
        totals.peak = max(totals.peak, value)
        totals.note_first(at_ms, value)
        start, end = self._days.bounds_ms(at_ms)
        if end + self._retention_ms <= now_ms:
            totals.note_dropped(at_ms, value, 1, value)
            return
        rows = list(self.rows())
        position = 0
        while position < len(rows) and rows[position][LAST_MS] < start:
            position += 1
        if position < len(rows) and rows[position][LAST_MS] < end:
            row = rows[position]
            newest = max((row[LAST_MS], row[LATEST]), (at_ms, value))
            row[LAST_MS], row[LATEST] = newest
            row[COUNT] += 1
            row[GROSS] += value
            row[COST] += cost
            row[PEAK] = max(row[PEAK], value)
        else:
            rows.insert(position, [at_ms, 1, value, 0, cost, value, value])
        self._replace(rows, now_ms)

    def _replace(self, rows: list[list[int]], now_ms: int) -> None:
        self._undo = None
        self._open = rows.pop()
        self._day_start, self._day_end = self._days.bounds_ms(self._open[LAST_MS])
        self._closed = b"".join(ROW.pack(*row) for row in rows)
        self._rebuild(now_ms)

    def _rebuild(self, now_ms: int) -> None:
        self._undo = None
        self._drop_old(now_ms)
        rows: list[Sequence[int]] = [*ROW.iter_unpack(self._closed)]
        if self._open is not None:
            rows.append(self._open)
        for window in self.windows:
            window.rebuild(rows, now_ms)
        self.next_roll_ms = self._next_roll()

    def _drop_old(self, now_ms: int) -> None:
        limit = now_ms - self._retention_ms - _LONGEST_DAY_MS
        dropped = 0
        for row in ROW.iter_unpack(self._closed):
            if row[LAST_MS] > limit:
                break
            dropped += 1
            net = row[GROSS] - row[REFUNDED]
            self.totals.note_dropped(row[LAST_MS], row[LATEST], row[COUNT], net)
        if dropped:
            self._closed = self._closed[dropped * ROW_BYTES :]
            for window in self.windows:
                window.start -= dropped
                window.end -= dropped

    def _dropped_at_ms(self, row: Sequence[int]) -> int:
        """Return when a closed bucket is of no use any more."""
        return row[LAST_MS] + self._retention_ms + _LONGEST_DAY_MS

    def _next_roll(self) -> int:
        size = self._size()
        soonest = self._dropped_at_ms(self._row(0)) if self._closed else NEVER
        for window in self.windows:
            if window.start < size:
                soonest = min(soonest, self._row(window.start)[LAST_MS] + window.far_ms)
            if window.end < size:
                soonest = min(soonest, self._row(window.end)[LAST_MS] + window.near_ms)
        return soonest

    def _size(self) -> int:
        return len(self._closed) // ROW_BYTES + (self._open is not None)

    def _row(self, index: int) -> Sequence[int]:
        offset = index * ROW_BYTES
        if offset < len(self._closed):
            return ROW.unpack_from(self._closed, offset)
        if self._open is None:
            raise IndexError(index)
        return self._open

    def _peak_of(self, window: Window) -> int:
        return max((self._row(i)[PEAK] for i in range(window.start, window.end)), default=MISSING)

    def _newest_surviving_ms(self) -> int:
        for index in range(self._size() - 1, -1, -1):
            row = self._row(index)
            if row[COUNT] > 0:
                return max(self.totals.dropped_ms, row[LAST_MS])
        return self.totals.dropped_ms


def _active(closed: bytes) -> int:
    return sum(row[COUNT] > 0 for row in ROW.iter_unpack(closed))
