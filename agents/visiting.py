"""Brings customers to new editions: whom to visit with a batch, and when a bucket is done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from agents.pacing import ROWS_EACH, beside_live
from agents.sweeping import VISIT, Sweep

if TYPE_CHECKING:
    from agents.metrics import Metrics
    from agents.ownership import Ownership
    from agents.settings import Settings
    from agents.store_thread import StoreThread
    from stream.store import Store

log = structlog.get_logger(__name__)


class Visiting:
    """Paces the sweeps of the buckets that this worker owns."""

    def __init__(
        self, settings: Settings, thread: StoreThread[Store], ownership: Ownership, metrics: Metrics
    ) -> None:
        """Ask through *thread* for the customers of *ownership*."""
        self._settings = settings
        self._thread = thread
        self._ownership = ownership
        self._metrics = metrics
        self.forget()

    def forget(self) -> None:
        """Start every sweep over, as the buckets were opened again."""
        self._sweep = Sweep(self._thread.store)

    async def next(self, room: int, *, live: bool, settled: bool) -> dict[int, list[str]]:
        """Return customers that a new edition is to be brought to with this batch, per bucket.

        No more than there is *room* for what they may have to announce, in rows; fewer with *live*
        records, which must wait for them.

        Sweeps begin only when *settled*: no commit is under way.
        """
        buckets = self._ownership.unswept()
        self._metrics.unswept.set(len(buckets))
        if not buckets:
            return {}
        most = self._settings.visit_limit
        limit = min(beside_live(most) if live else most, room // ROWS_EACH * VISIT)
        spared = self._sweep.spared
        visits = await self._thread.run(partial(self._sweep.next, buckets, limit, start=settled))
        spared = self._sweep.spared - spared
        self._metrics.spared.inc(spared)
        self._metrics.visits.inc(spared + sum(map(len, visits.values())))
        return visits

    def finish(self) -> None:
        """Take note of the buckets in which everyone was visited; every deadline has fired."""
        for bucket in self._ownership.unswept():
            if self._sweep.ended(bucket):
                bucket.finish()
                log.info(
                    "bucket_swept", bucket=bucket.number, edition=bucket.in_force.edition.number
                )
