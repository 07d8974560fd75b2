"""Looks for customers whose deadline has come, by what the store knows of them."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from agents.pacing import beside_live

if TYPE_CHECKING:
    from agents.ownership import Ownership
    from agents.pacing import Pacing
    from agents.reading import Reading
    from agents.settings import Settings
    from agents.store_thread import StoreThread
    from stream.store import Store


ROWS_EACH = 2  # a change, and where the customer stands now


class Deadlines:
    """Asks the store every so often, on a connection of its own.

    It need not wait for the commit under way: what that commit changes is known in the cache
    already, and deadlines that it moves fire no more.

    Attributes:
        pressing: Whether more have come than were fired with the last batch.
    """

    def __init__(
        self, settings: Settings, thread: StoreThread[Store], ownership: Ownership, pacing: Pacing
    ) -> None:
        """Ask through *thread* about the buckets of *ownership*, when *pacing* says so."""
        self._settings = settings
        self._thread = thread
        self._ownership = ownership
        self._pacing = pacing
        self.pressing = False

    async def due(
        self, reading: Reading, room: int, *, live: bool, settled: bool
    ) -> tuple[dict[int, list[tuple[str, int]]], bool]:
        """Return customers whose deadline has come, per bucket, as ``(customer, due_ms)``.

        No more than there is *room* for what they may have to announce, in rows; none at 0. Fewer
        with *live* records, which must wait for them.

        Also returns whether these are all up to the watermarks, so that the buckets' clocks
        may advance: not if there are more, nor while a commit may be adding some, that is
        unless *settled*.
        """
        most = self._settings.sweep_limit
        limit = min(beside_live(most) if live else most, room // ROWS_EACH)
        if not limit or not self._pacing.look_is_due(time.monotonic()):
            return {}, False
        by_watermark: dict[int, list[int]] = {}
        for number in reading.numbers():
            watermark_ms = reading.watermark_ms(number)
            if watermark_ms is not None:
                home = self._ownership.home(number)
                by_watermark.setdefault(watermark_ms, []).extend(home)
        due: dict[int, list[tuple[str, int]]] = {}
        found = 0
        for watermark_ms, buckets in by_watermark.items():
            ask = partial(self._thread.store.due, buckets, watermark_ms, limit)
            rows = await self._thread.run(ask)
            found = max(found, len(rows))
            for bucket, customer_id, due_ms in rows:
                due.setdefault(bucket, []).append((customer_id, due_ms))
        complete = found < limit
        self.pressing = not complete
        if complete:
            self._pacing.looked_s = time.monotonic()
        return due, complete and settled
