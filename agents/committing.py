"""Commits on their way to the store: one batch at a time, written while the next is folded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from stream.store import Outcome

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from agents.closing import Closed
    from agents.intake import Batch
    from agents.metrics import Metrics
    from agents.settings import Settings
    from agents.store_thread import StoreThread
    from agents.tracing import Tracer
    from stream.store import CommitResult, Store

_CAREFUL_BATCHES = 50


class Rewind(Exception):  # noqa: N818 - not an error: the way back
    """Start over from what the store holds."""


@dataclass(slots=True)
class _Flight:
    """A commit that the store's thread is working on.

    Attributes:
        closed: What is written.
        answer: Resolves to the outcomes, in the same order.
        positions: Next offsets per source once it is written.
        instants_ms: Record time of each of its records.
        due_ms: Deadlines that it fires.
        started_s: When it was handed over.
        records: How many there were.
        rows: What it announces.
        began_ns: When they were sorted, by the wall clock.
        traces: Their trace contexts.
    """

    closed: Sequence[Closed]
    answer: asyncio.Future[list[CommitResult]]
    positions: dict[str, int]
    instants_ms: list[int]
    due_ms: list[int]
    started_s: float
    records: int
    rows: int
    began_ns: int
    traces: list[bytes]


class Committing:
    """Hands commits to the store's thread and acts on what came of them.

    Attributes:
        done: Offsets per source below which everything has been written.
    """

    def __init__(
        self,
        settings: Settings,
        thread: StoreThread[Store],
        metrics: Metrics,
        tracer: Tracer | None = None,
    ) -> None:
        """Commit through *thread*."""
        self._settings = settings
        self._thread = thread
        self._metrics = metrics
        self._tracer = tracer
        self._flight: _Flight | None = None
        self._careful = 0
        self.done: dict[str, int] = {}

    @property
    def settled(self) -> bool:
        """Whether no commit is under way."""
        return self._flight is None or self._flight.answer.done()

    @property
    def rows(self) -> int:
        """How many rows are on their way to the outboxes."""
        return 0 if self._flight is None else self._flight.rows

    @property
    def careful(self) -> bool:
        """Whether orders must be looked up: not long ago one was taken for new that was not."""
        return self._careful > 0

    def forget(self) -> None:
        """Start over with nothing done."""
        self._flight, self.done = None, {}

    def give_up(self) -> None:
        """Let go of the commit under way: whether it was written is not known."""
        self._flight = None

    def launch(
        self, closed: Sequence[Closed], batch: Batch, due: Mapping[int, list[tuple[str, int]]]
    ) -> None:
        """Begin to write what was folded of *batch* and of the customers that are *due*."""
        self._metrics.batch_records.observe(batch.records)
        commits = [one.commit for one in closed]
        self._flight = _Flight(
            closed=closed,
            answer=self._thread.run(partial(self._thread.store.commit, commits)),
            positions=batch.positions,
            instants_ms=batch.instants_ms,
            due_ms=[due_ms for customers in due.values() for _, due_ms in customers],
            started_s=time.perf_counter(),
            records=batch.records,
            rows=sum(len(commit.outbox) for commit in commits),
            began_ns=batch.began_ns,
            traces=list(batch.traces.values()),
        )

    async def land(self) -> None:
        """Wait for the commit under way and act on its outcome.

        Raises:
            Rewind: It was refused.
            StoreUnavailable: The store did not answer.
        """
        flight, self._flight = self._flight, None
        if flight is None:
            return
        started = time.perf_counter()
        results = await flight.answer
        spent_s = time.perf_counter() - started
        self._metrics.stage_seconds.labels("commit").inc(spent_s)
        self._metrics.commit_latency.observe(time.perf_counter() - flight.started_s)
        bad = None
        for one, result in zip(flight.closed, results, strict=True):
            self._metrics.commits.labels(result.outcome.name).inc()
            if result.outcome is Outcome.OK:
                one.tell(self._metrics)
            else:
                bad = result.outcome
        if bad is Outcome.KNOWN_ORDER:
            self._careful = _CAREFUL_BATCHES
        elif self._careful:
            self._careful -= 1
        if bad is not None:
            raise Rewind(bad.name)
        self.done.update(flight.positions)
        if self._tracer is not None:
            self._tracer.note("score", flight.began_ns, flight.traces, records=flight.records)
        if self._settings.clock == "wall":
            now_s = time.time()
            flight.instants_ms.sort()
            self._metrics.scoring_latency.observe_since(flight.instants_ms, now_s * 1000)
            for due_ms in flight.due_ms:
                self._metrics.lateness.observe(max(0.0, now_s - due_ms / 1000))
