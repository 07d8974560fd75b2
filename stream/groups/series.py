"""The events of one kind of a customer and of everyone under it, read like one series.

Day buckets leave a window by their own newest event, and which customer's they are does not
matter to a sum. So the buckets of all members stand side by side in one order of time, with
the same running totals over them as `stream.series.Series` keeps: every measure and every
deadline of a group is exact, and a member that joins, leaves or changes costs what has changed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

from stream.groups.around import SeriesAround
from stream.sentinels import MISSING, NEVER
from stream.totals import Totals
from stream.window import COUNT, LAST_MS, LATEST, PEAK, Span, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stream.series import Series

    Row = tuple[int, ...]

_OWN: tuple[str, ...] = ()


def summed(parts: Iterable[Totals]) -> Totals:
    """Return the lifetime figures of several customers together."""
    known = list(parts)
    first = min(((t.first_ms, t.first_value) for t in known), default=(NEVER, MISSING))
    dropped = max(
        ((t.dropped_last_ms, t.dropped_latest) for t in known), default=(MISSING, MISSING)
    )
    first_dropped = min(
        ((t.dropped_first_ms, t.dropped_first_net) for t in known), default=(NEVER, 0)
    )
    return Totals(
        count=sum(t.count for t in known),
        gross=sum(t.gross for t in known),
        refunded=sum(t.refunded for t in known),
        cost=sum(t.cost for t in known),
        peak=max((t.peak for t in known), default=MISSING),
        first_ms=first[0],
        first_value=first[1],
        dropped_ms=max((t.dropped_ms for t in known), default=MISSING),
        dropped_last_ms=dropped[0],
        dropped_latest=dropped[1],
        dropped_days=sum(t.dropped_days for t in known),
        dropped_first_ms=first_dropped[0],
        dropped_first_net=first_dropped[1],
    )


class GroupSeries(SeriesAround):
    """A customer's own series, and those of its members, under one roof.

    Reads like a series in `windows`, `totals`, `last_ms`, `latest`, `rows` and `changes_of`.
    """

    __slots__ = ("_parts", "_sorted")

    def __init__(
        self,
        own: Series,
        members: Mapping[tuple[str, ...], tuple[Totals, Iterable[Row]]],
        now_ms: int,
    ) -> None:
        """Put the figures of *members* beside *own*, whose windows have been rolled to *now_ms*."""
        self.own = own
        self.windows = [Window(Span(w.near_ms, w.far_ms)) for w in own.windows]
        self.near = [window for window in self.windows if window.near_ms == 0]
        self.next_roll_ms = self.joined_ms = NEVER
        # An order is never counted in passing: to the fold this looks like an empty series.
        self._closed, self._open, self._undo = b"", None, None
        self._day_start = self._day_end = 0
        self._parts = {
            member: (totals, frozenset(rows)) for member, (totals, rows) in members.items()
        }
        self._parts[_OWN] = own.totals, frozenset(map(tuple, own.rows()))
        self._sorted = sorted(row for _, rows in self._parts.values() for row in rows)
        for window in self.windows:
            self._fill(window, now_ms)
        self._settle()

    def clone(self) -> GroupSeries:
        """Return a copy that goes its own way; what never changes is shared."""
        twin = object.__new__(GroupSeries)
        twin.own = self.own.clone()
        twin.totals = self.totals
        twin.windows = [window.clone() for window in self.windows]
        twin.near = [window for window in twin.windows if window.near_ms == 0]
        twin.next_roll_ms, twin.joined_ms = self.next_roll_ms, self.joined_ms
        twin._closed, twin._open, twin._undo = b"", None, None
        twin._day_start = twin._day_end = 0
        twin._parts, twin._sorted = self._parts.copy(), self._sorted.copy()
        return twin

    # -- members --------------------------------------------------------------

    def put(
        self, member: tuple[str, ...], totals: Totals, rows: Iterable[Row], now_ms: int
    ) -> None:
        """Let *member* stand for these figures from now on; *member* is any name but ()."""
        self.roll(now_ms)
        self._put(member, totals, frozenset(rows), now_ms)

    def drop(self, member: tuple[str, ...], now_ms: int) -> None:
        """Count *member* no longer."""
        if member in self._parts:
            self.roll(now_ms)
            self._exchange(self._parts.pop(member)[1], frozenset(), now_ms)
            self._settle()

    def seat(self, own: Series, now_ms: int) -> None:
        """Let *own*, changed or another one, stand for the customer's own events."""
        self.roll(now_ms)
        self.own = own
        self._follow(now_ms)

    # -- time -----------------------------------------------------------------

    def roll(self, now_ms: int) -> None:
        """Let buckets enter and leave the windows up to *now_ms*."""
        self.own.roll(now_ms)
        if now_ms < self.next_roll_ms:
            return
        rows = self._sorted
        size = len(rows)
        for window in self.windows:
            peak_left = False
            while window.end < size and rows[window.end][LAST_MS] + window.near_ms <= now_ms:
                row = rows[window.end]
                window.take(row, 1)
                window.peak = max(window.peak, row[PEAK])
                window.end += 1
            while window.start < size and rows[window.start][LAST_MS] + window.far_ms <= now_ms:
                row = rows[window.start]
                window.take(row, -1)
                peak_left = peak_left or row[PEAK] >= window.peak
                window.start += 1
            if peak_left:
                self._find_peak(window)
        self._plan_roll()

    def changes_of(self, window: Window) -> Iterator[tuple[int, Sequence[int], int]]:
        """Yield ``(instant, bucket, sign)`` as time alone changes *window*, in order."""
        rows = self._sorted
        size = len(rows)
        leaving, entering = window.start, window.end
        while leaving < size:
            out_ms = rows[leaving][LAST_MS] + window.far_ms
            in_ms = rows[entering][LAST_MS] + window.near_ms if entering < size else NEVER
            if in_ms <= out_ms:
                yield in_ms, rows[entering], 1
                entering += 1
            else:
                yield out_ms, rows[leaving], -1
                leaving += 1

    # -- readings -------------------------------------------------------------

    def last_ms(self) -> int:
        """Return the instant of the newest surviving event of anyone, or `MISSING`."""
        for row in reversed(self._sorted):
            if row[COUNT] > 0:
                return max(self.totals.dropped_ms, row[LAST_MS])
        return self.totals.dropped_ms

    def latest(self) -> int:
        """Return the value of the newest event ever of anyone, or `MISSING`."""
        totals = self.totals
        newest = totals.dropped_last_ms, totals.dropped_latest
        for row in reversed(self._sorted):
            if row[LAST_MS] < newest[0]:
                break
            newest = max(newest, (row[LAST_MS], row[LATEST]))
        return newest[1]

    def active_days(self) -> int:
        """Return the days with a surviving event; those of two members are two."""
        return self.totals.dropped_days + sum(row[COUNT] > 0 for row in self._sorted)

    def rows(self) -> Iterator[list[int]]:
        """Yield the day buckets of everyone, oldest first; several may be of one day."""
        for row in self._sorted:
            yield list(row)

    def between(self, start: int, end: int) -> Iterator[Sequence[int]]:
        """Yield the day buckets with the indices from *start* up to *end*, as windows count."""
        return iter(self._sorted[start:end])

    # -- storage --------------------------------------------------------------

    def whole(self) -> tuple[Totals, bytes, list[int] | None]:
        """Return what the customer has itself, without its members."""
        return self.own.whole()

    # -- inside ---------------------------------------------------------------

    def _follow(self, now_ms: int) -> None:
        self._put(_OWN, self.own.totals, frozenset(map(tuple, self.own.rows())), now_ms)

    def _put(
        self, member: tuple[str, ...], totals: Totals, rows: frozenset[Row], now_ms: int
    ) -> None:
        before: frozenset[Row] = self._parts[member][1] if member in self._parts else frozenset()
        self._parts[member] = totals, rows
        self._exchange(before, rows, now_ms)
        self._settle()

    def _exchange(self, before: frozenset[Row], after: frozenset[Row], now_ms: int) -> None:
        """Put the buckets *after* in the place of *before*."""
        for row in before - after:
            self._remove(row)
        for row in after - before:
            self._insert(row, now_ms)

    def _remove(self, row: Row) -> None:
        index = bisect_left(self._sorted, row)
        del self._sorted[index]
        for window in self.windows:
            if index >= window.end:
                continue
            window.end -= 1
            if index < window.start:
                window.start -= 1
                continue
            window.take(row, -1)
            if row[PEAK] >= window.peak:
                self._find_peak(window)

    def _insert(self, row: Row, now_ms: int) -> None:
        self._sorted.insert(bisect_left(self._sorted, row), row)
        for window in self.windows:
            if row[LAST_MS] + window.far_ms <= now_ms:
                window.start += 1
                window.end += 1
            elif window.near_ms == 0 or row[LAST_MS] + window.near_ms <= now_ms:
                window.end += 1
                window.take(row, 1)
                window.peak = max(window.peak, row[PEAK])

    def _settle(self) -> None:
        self.totals = summed(totals for totals, _ in self._parts.values())
        self._plan_roll()

    def _plan_roll(self) -> None:
        rows = self._sorted
        size = len(rows)
        soonest = NEVER
        for window in self.windows:
            if window.start < size:
                soonest = min(soonest, rows[window.start][LAST_MS] + window.far_ms)
            if window.end < size:
                soonest = min(soonest, rows[window.end][LAST_MS] + window.near_ms)
        self.next_roll_ms = soonest

    def _fill(self, window: Window, now_ms: int) -> None:
        """Work out what an empty *window* holds at *now_ms*."""
        rows = self._sorted
        window.start = bisect_right(rows, now_ms - window.far_ms, key=itemgetter(LAST_MS))
        window.end = len(rows)
        if window.near_ms:
            window.end = bisect_right(rows, now_ms - window.near_ms, key=itemgetter(LAST_MS))
        for row in rows[window.start : window.end]:
            window.take(row, 1)
        self._find_peak(window)

    def _find_peak(self, window: Window) -> None:
        inside = self._sorted[window.start : window.end]
        window.peak = max((row[PEAK] for row in inside), default=MISSING)


def without_members(series: Series) -> Series:
    """Return what a customer has without those under it, of a series that may hold both."""
    return series.own if isinstance(series, GroupSeries) else series
