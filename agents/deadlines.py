"""Looks for customers whose deadline has come, by what the store knows of them."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from agents.pacing import ROWS_EACH, beside_live
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from agents.folding import Watermarks
    from agents.ownership import Ownership
    from agents.pacing import Pacing
    from agents.settings import Settings
    from agents.store_thread import StoreThread
    from stream.store import Store

_FEW = 8  # asked of each bucket beyond twice its share


class Deadlines:
    """Asks the store every so often, on a connection of its own.

    It need not wait for the commit under way: what that commit changes is known in the cache
    already, and deadlines that it moves fire no more. Between two flushes those buckets are not
    asked whose earliest deadline is known and has not come; others may write deadlines, too.

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
        self._turn = 0

    async def due(
        self, reading: Watermarks, room: int, *, live: bool, settled: bool
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
        now_s = time.monotonic()
        if not limit or not self._pacing.look_is_due(now_s):
            return {}, False
        due: dict[int, list[tuple[str, int]]] = {}
        idle: list[int] = []
        asked = list(
            self._looked_into(reading, everywhere=self._pacing.flush_is_due(now_s)).items()
        )
        # Those who come last where there are more than *limit* come first in one of the next turns.
        self._turn += 1
        first = self._turn % len(asked) if asked else 0
        left, found_all = limit, True
        for watermark_ms, buckets in asked[first:] + asked[:first]:
            if not left:
                break
            # Where many have come, they have in every bucket, in some more than in others.
            each = 2 * left // len(buckets) + _FEW
            ask = partial(self._thread.store.due, buckets, watermark_ms, left, each)
            rows = await self._thread.run(ask)
            for bucket, customer_id, due_ms in rows:
                due.setdefault(bucket, []).append((customer_id, due_ms))
            idle += [bucket for bucket in buckets if bucket not in due]
            found_all = found_all and all(len(due.get(bucket, ())) < each for bucket in buckets)
            left -= len(rows)
        self.pressing = not (left and found_all)
        if not self.pressing:
            self._pacing.looked_s = time.monotonic()
            await self._look_ahead(idle)
        return due, not self.pressing and settled

    def _looked_into(self, reading: Watermarks, *, everywhere: bool) -> dict[int, list[int]]:
        """Return the buckets in which a deadline may have come, by the watermark."""
        asked: dict[int, list[int]] = {}
        for number in reading.numbers():
            watermark_ms = reading.watermark_ms(number)
            if watermark_ms is not None:
                for bucket in self._ownership.home(number):
                    if everywhere or self._ownership.buckets[bucket].due.from_ms <= watermark_ms:
                        asked.setdefault(watermark_ms, []).append(bucket)
        return asked

    async def _look_ahead(self, buckets: list[int]) -> None:
        """Find out until when there is nothing to be looked for in *buckets*."""
        if buckets:
            soonest = await self._thread.run(partial(self._thread.store.soonest, buckets))
            for number in buckets:
                self._ownership.buckets[number].due.looked_ahead(soonest.get(number, NEVER))
