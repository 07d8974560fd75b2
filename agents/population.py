"""How many customers stand where: counted bucket by bucket, at next to no cost."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from mode import Service
from msgspec import MsgspecError

from agents.store_thread import StoreThread
from stream.headcount import Headcount, headcount, top_fifth
from stream.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agents.metrics import Metrics
    from stream.store import Store

log = structlog.get_logger(__name__)

NOT_GRADED = "(not graded)"
_SHARE = 0.01
_FIRST_SHARE = 0.2
_BUCKETS_AT_ONCE = 16
_CUSTOMERS_AT_ONCE = 2_000
_PAUSE_S = 0.1
_IDLE_S = 1.0
_AGAIN_S = 10.0


class _Counted(NamedTuple):
    """A bucket's count, and when it was made (`time.monotonic`)."""

    found: Headcount
    at_s: float


class PopulationService(Service):
    """Counts the customers of the buckets that are at home in this worker, a few at a time.

    Every bucket has one home, so over all workers the figures add up to the population; while
    partitions move, a bucket may for a moment be counted by two workers or by none. Counting
    takes a hundredth of a processor, a fifth until each bucket was counted once.
    """

    def __init__(
        self,
        store: Store,
        at_home: Callable[[], Sequence[int]],
        metrics: Metrics,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Count in *store*, which nobody else uses; *at_home* says which buckets."""
        super().__init__(**more)
        self._thread = StoreThread(store, "population")
        self._at_home = at_home
        self._metrics = metrics
        self._counts: dict[int, _Counted] = {}
        metrics.count_age.set_function(self._age_s)

    async def on_stop(self) -> None:
        """Let go of the store."""
        self._thread.close()

    @Service.task
    async def _work(self) -> None:
        while not self.should_stop:
            try:
                rest_s = await self._turn()
            except (StoreError, MsgspecError) as exc:
                # Whoever scores must say so; figures alone are no reason to end the worker.
                log.info("population_not_counted", error=type(exc).__name__)
                rest_s = _AGAIN_S
            await self.sleep(rest_s)

    async def _turn(self) -> float:
        """Count the buckets whose counts are oldest; return how long to rest, in seconds."""
        mine = self._at_home()
        self._counts = {number: self._counts[number] for number in mine if number in self._counts}
        if not mine:
            self._tell(0)
            return _IDLE_S
        waiting = [number for number in mine if number not in self._counts]
        oldest = sorted(self._counts, key=lambda number: self._counts[number].at_s)
        counts, spent_s = await self._thread.run(partial(self._count, [*waiting, *oldest]))
        self._counts.update(counts)
        self._tell(len(mine) - len(self._counts))
        return max(_PAUSE_S, spent_s / (_FIRST_SHARE if waiting else _SHARE))

    def _count(self, numbers: Sequence[int]) -> tuple[dict[int, _Counted], float]:
        """Count some of the first of *numbers*; also return the processor time it took. Blocks."""
        started_s = time.thread_time()
        counts: dict[int, _Counted] = {}
        customers = 0
        for number in numbers[:_BUCKETS_AT_ONCE]:
            at_s = time.monotonic()
            found = headcount(self._thread.store.scan_states(number))
            counts[number] = _Counted(found, at_s)
            customers += found.customers
            if customers >= _CUSTOMERS_AT_ONCE:
                break
        return counts, time.thread_time() - started_s

    def _tell(self, uncounted: int) -> None:
        together = Headcount()
        for counted in self._counts.values():
            together.add(counted.found)
        metrics = self._metrics
        metrics.uncounted.set(uncounted)
        metrics.customers.set(together.customers)
        metrics.contribution.set(sum(total for _, total in together.contribution.values()))
        metrics.top_contribution.set(top_fifth(together.contribution))
        metrics.tier_customers.clear()
        for (grading, tier), customers in together.tiers.items():
            metrics.tier_customers.labels(grading, tier or NOT_GRADED).set(customers)

    def _age_s(self) -> float:
        oldest_s = min((counted.at_s for counted in self._counts.values()), default=None)
        return 0.0 if oldest_s is None else time.monotonic() - oldest_s
