"""A series around a customer's own, for what counts for the customer and happened to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.series import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.ledger import OrderEntry
    from stream.totals import Totals


class SeriesAround(Series):
    """Reads like a series of more than the customer's own events; only those are added and stored.

    Attributes:
        own: What happened to the customer itself.
    """

    __slots__ = ("own",)

    own: Series

    def _follow(self, now_ms: int) -> None:
        """Read anew what has become of the customer's own events."""
        raise NotImplementedError

    # -- events of the customer's own -----------------------------------------

    def add(self, at_ms: int, now_ms: int, value: int, cost: int) -> None:
        """Count one event of the customer's own (see `Series.add`)."""
        self.own.add(at_ms, now_ms, value, cost)
        self._follow(now_ms)

    def add_recent(self, events: Sequence[OrderEntry], now_ms: int) -> bool:
        """Count nothing: where others count too, every event takes the long road."""
        del events, now_ms
        return False

    def undo(self) -> bool:
        """Take nothing back."""
        return False

    def adjust(self, at_ms: int, now_ms: int, change: tuple[int, int, int, int]) -> None:
        """Change a bucket of the customer's own (see `Series.adjust`)."""
        self.own.adjust(at_ms, now_ms, change)
        self._follow(now_ms)

    # -- storage --------------------------------------------------------------

    def pack(self) -> tuple[Totals, bytes, list[int] | None]:
        """Return what must be stored: the customer's own."""
        return self.own.pack()

    def restore(self, totals: Totals, closed: bytes, newest: list[int] | None, now_ms: int) -> None:
        """Take over what `pack` returned."""
        self.own.restore(totals, closed, newest, now_ms)
        self._follow(now_ms)
