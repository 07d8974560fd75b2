"""The events of one kind of a customer under all of its ids, as if they had carried one."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from stream.groups.around import SeriesAround
from stream.groups.series import summed
from stream.series import Series
from stream.window import COST, COUNT, GROSS, LAST_MS, LATEST, PEAK, REFUNDED, ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.groups.kin import Packed
    from stream.identity.facts import Adjustment
    from stream.totals import Totals


class UnionSeries(SeriesAround):
    """A customer's own series and those of its parts, day by day in one.

    Put together anew at every change: nothing remembers in which order things came. A clone of it
    is a plain series, for time and orders to pass over.
    """

    __slots__ = ("_adjustments", "_packed")

    def __init__(self, own: Series) -> None:
        """Start with *own* alone; `unite` must follow."""
        super().__init__(*own.terms())
        self.own = own
        self._packed: Sequence[Packed] = ()
        self._adjustments: Sequence[Adjustment] = ()

    def unite(
        self, packed: Sequence[Packed], adjustments: Sequence[Adjustment], now_ms: int
    ) -> None:
        """Let *packed* be what the parts have, and *adjustments* what they count in common."""
        self._packed, self._adjustments = packed, adjustments
        self.own.roll(now_ms)
        self._follow(now_ms)

    def roll(self, now_ms: int) -> None:
        """Let buckets enter and leave the windows up to *now_ms*."""
        self.own.roll(now_ms)
        super().roll(now_ms)

    # -- storage --------------------------------------------------------------

    def whole(self) -> tuple[Totals, bytes, list[int] | None]:
        """Return everything, in the same form."""
        return Series.pack(self)

    # -- inside ---------------------------------------------------------------

    def _follow(self, now_ms: int) -> None:
        days: dict[int, list[int]] = {}
        for row in chain(self.own.rows(), *(packed.rows() for packed in self._packed)):
            start, _ = self._days.bounds_ms(row[LAST_MS])
            days[start] = _together(days[start], row) if start in days else list(row)
        totals = summed([self.own.totals, *(packed.totals for packed in self._packed)])
        for at_ms, count, gross, refunded, cost in self._adjustments:
            totals.count += count
            totals.gross += gross
            totals.refunded += refunded
            totals.cost += cost
            day = days.get(self._days.bounds_ms(at_ms)[0])
            if day is not None:
                day[COUNT] += count
                day[GROSS] += gross
                day[REFUNDED] += refunded
                day[COST] += cost
        rows = [days[start] for start in sorted(days)]
        newest = rows.pop() if rows else None
        Series.restore(self, totals, _packed(rows), newest, now_ms)


def _together(day: Sequence[int], row: Sequence[int]) -> list[int]:
    """Return what the day buckets of two ids are as one."""
    last_ms, latest = max((day[LAST_MS], day[LATEST]), (row[LAST_MS], row[LATEST]))
    both = [0] * len(day)
    both[LAST_MS], both[LATEST], both[PEAK] = last_ms, latest, max(day[PEAK], row[PEAK])
    for figure in (COUNT, GROSS, REFUNDED, COST):
        both[figure] = day[figure] + row[figure]
    return both


def _packed(rows: Iterable[Sequence[int]]) -> bytes:
    return b"".join(ROW.pack(*row) for row in rows)
