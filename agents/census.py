"""Taking a census of the running system: counting in the store, and telling every partition.

On the stream clock a replay does it (`agents.replay.coordinator`), on the wall clock the worker
that reads partition 0 of `controls`.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.errors import KafkaError
from mode import Service

from agents.publishing import announce
from agents.replay.reading import MissingTopicError
from agents.store_thread import StoreThread
from stream.calendar import DAY_MS, format_instant
from stream.editions import decode_book
from stream.population.cadence import next_of
from stream.population.follow import Census, cuts_record, take_census
from stream.population.ordered import Ordered
from stream.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.metrics import Metrics
    from agents.scoring import ScoringService
    from agents.settings import Settings
    from stream.plan import Plan
    from stream.store import Store

log = structlog.get_logger(__name__)

WRITER = "census"
"""Only one may announce cuts at a time: a newer one fences those before it."""

_LOOK_EVERY_S = 2.0
_LONGEST_CADENCE_MS = 32 * DAY_MS


def count(store: Store, buckets: int, plan: Plan, before: Mapping[str, tuple[int, ...]]) -> Census:
    """Count everyone in the store's ranks; *before* are the cuts in force. Blocks."""
    everywhere = range(buckets)
    return take_census(
        plan, before, lambda ranking: Ordered.stored(store, everywhere, ranking.name)
    )


class CensusService(Service):
    """Takes the censuses on the wall clock, in whichever worker is in charge.

    In charge is who reads partition 0 of `controls`: never two for long, and who has lost it is
    fenced by who has it. What is announced is in the log, so that every worker, and whoever reads
    the log again, has the same cuts from the same place on. An instant that passes while nobody
    is in charge is made up for by one census later on.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        scoring: ScoringService,
        metrics: Metrics,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Count in *store*, which nobody else uses."""
        super().__init__(**more)
        self._settings = settings
        self._store = store
        self._scoring = scoring
        self._metrics = metrics
        self._done_ms = 0
        self._thread = StoreThread(store, "census")

    async def on_stop(self) -> None:
        """Let go of the store."""
        self._thread.close()

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(_LOOK_EVERY_S)
            try:
                await self._look(time.time_ns() // 1_000_000)
            except (StoreUnavailable, KafkaError, MissingTopicError) as exc:
                log.warning("census_not_taken", error=repr(exc))

    async def _look(self, now_ms: int) -> None:
        """Take the census that is due at *now_ms*, if one is and everyone has come so far."""
        charge = self._scoring.in_charge()
        if charge is None:
            return
        plan, edition = charge
        due_ms = last_of(plan, now_ms)
        if due_ms is None or max(edition.since_ms, self._done_ms) >= due_ms:
            return
        census = await self._thread.run(partial(self._count, plan, edition.cuts, due_ms))
        if census is None or not census.cuts:
            return
        await announce(self._settings, cuts_record(plan, census, due_ms), now_ms, WRITER)
        self._done_ms = due_ms
        self._metrics.censuses.inc()
        log.info("census_taken", instant=format_instant(due_ms), customers=census.customers)

    def _count(
        self, plan: Plan, before: Mapping[str, tuple[int, ...]], due_ms: int
    ) -> Census | None:
        """Count everyone; None while somebody is on the way to *due_ms*, or to an edition."""
        everywhere = range(self._settings.buckets)
        heads = self._store.heads(everywhere)
        if not all(decode_book(head.editions).swept for head in heads):
            return None
        if self._store.due(everywhere, due_ms, 1):
            return None
        return count(self._store, self._settings.buckets, plan, before)


def last_of(plan: Plan, now_ms: int) -> int | None:
    """Return the newest instant of a policy's cadence up to *now_ms*; None without a cadence."""
    last_ms = None
    instant_ms = next_of(plan, now_ms - _LONGEST_CADENCE_MS)
    while instant_ms <= now_ms:
        last_ms, instant_ms = instant_ms, next_of(plan, instant_ms)
    return last_ms
