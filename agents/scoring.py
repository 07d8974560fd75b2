"""The scoring service: micro-batches from Kafka through the fold into the store.

One turn is: fetch, release what is complete, decode, load what is missing, fold, and
hand the commit to the store's thread, which writes it while the next turn is fetched
and folded. Whatever goes wrong with a commit, there is one way back: forget, open the
buckets again, and seek to the cursors that are stored beside the state.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from mode import Service

from agents.folding import Folding
from agents.intake import Batch, Intake
from agents.kafka import consumer, heartbeat_ms, stop_quietly
from agents.ownership import Ownership, source_name
from agents.preflight import check_partitions
from agents.reading import Reading
from agents.settings import INPUTS, SettingsError
from agents.sweeping import Sweep
from stream.editions import scorer_of
from stream.store import Outcome, StoreMismatch, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from agents.metrics import Metrics
    from agents.settings import Settings
    from stream.editions import Edition
    from stream.plan import Plan
    from stream.store import BucketCommit, CommitResult, Store

log = structlog.get_logger(__name__)
T = TypeVar("T")

_SWEEP_EVERY_S = 0.2
_HOLD_POLL_MS = 500
_CAREFUL_BATCHES = 50
_MOST_HELD = 400_000


@dataclass(slots=True)
class _Flight:
    """A commit that the store's thread is working on.

    Attributes:
        answer: Resolves to the outcomes.
        positions: Next offsets per source once it is written.
        oldest_ms: Record time of its oldest record.
        due_ms: Deadlines that it fires.
        started_s: When it was handed over.
    """

    answer: asyncio.Future[list[CommitResult]]
    positions: dict[str, int]
    oldest_ms: int | None
    due_ms: list[int]
    started_s: float


class _Rewind(Exception):  # noqa: N818 - not an error: the way back
    """Start over from what the store holds."""


class ScoringService(Service):
    """Reads the input topics and keeps every customer's state and grades.

    Guarantees, whatever is killed: each event is applied exactly once to the state of
    its customer, and each tier change enters the outbox exactly once.
    """

    def __init__(
        self,
        settings: Settings,
        stores: tuple[Store, Store],
        first: Edition,
        metrics: Metrics,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Score into the first of *stores*; the second only looks for deadlines and for visits.

        Both are the same store; each is used by one thread of this service and by no other.
        *first* is the policy in force until one is published.
        """
        super().__init__(**more)
        self._settings = settings
        store, self._deadlines = stores
        self._store = store
        self._metrics = metrics
        self._ownership = Ownership(settings, store, scorer_of(first), first)
        self._folding = Folding(settings, store, self._ownership, metrics)
        self._intake = Intake(settings, metrics, self._ownership)
        self._reading: Reading | None = None
        self._done: dict[str, int] = {}
        self._flight: _Flight | None = None
        self._sweep = Sweep(self._deadlines)
        self._generation = 0
        self._careful = 0
        self._flushed_s = self._swept_s = self._reported_s = 0.0
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "store")
        self._sweeper = ThreadPoolExecutor(1, "deadlines")
        self.progressed_s = time.monotonic()
        self.ready = False

    # -- life -----------------------------------------------------------------

    async def on_start(self) -> None:
        """Connect to Kafka; partitions are asked for once the store answers."""
        self._consumer = consumer(self._settings, self._settings.group("scoring"))
        await self._consumer.start()

    async def _join(self) -> None:
        """Check the store's bucket count, then ask for partitions; wait for the store to answer."""
        while not self.should_stop:
            try:
                await self._blocking(lambda: self._store.install(self._settings.buckets))
            except StoreUnavailable as exc:
                self._not_opened(exc)
                self.progressed_s = time.monotonic()
                await self.sleep(_HOLD_POLL_MS / 1000)
            else:
                break
        topics = [self._settings.topic(base) for base in INPUTS]
        self._consumer.subscribe(topics, listener=_Rebalance(self))

    async def on_stop(self) -> None:
        """Finish the commit under way and leave the group."""
        self.ready = False
        async with self._lock:
            await self._finish_quietly()
        await stop_quietly(self._consumer)
        self._thread.shutdown(wait=True)
        self._sweeper.shutdown(wait=True)

    @Service.task
    async def _work(self) -> None:
        await self._join()
        while not self.should_stop:
            try:
                await self._turn()
            except _Rewind as why:
                await self._rewind(str(why))
            except StoreUnavailable as exc:
                await self._hold(exc)
            except KafkaError as exc:
                log.warning("kafka_error", error=repr(exc))
                await self.sleep(_HOLD_POLL_MS / 1000)
                await self._rewind("KAFKA")
            self.progressed_s = time.monotonic()

    # -- rebalance ------------------------------------------------------------

    async def revoked(self) -> None:
        """Finish what is under way; the partitions go to someone else."""
        async with self._lock:
            self.ready = False
            self._generation += 1
            await self._finish_quietly()
            self._ownership.leave()
            self._reading = None
            self._metrics.owned_buckets.set(0)

    async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Open the buckets of *partitions* and seek to their cursors."""
        mine = list(partitions)
        while not self.should_stop:
            try:
                async with self._lock:
                    await self._open(mine)
            except (StoreUnavailable, KafkaError) as exc:
                self._not_opened(exc)
                await self.sleep(_HOLD_POLL_MS / 1000)
            except (StoreMismatch, SettingsError) as exc:
                # Raised here it would end in aiokafka's log; nothing but a person can help.
                log.error("cannot_work", why=str(exc))  # noqa: TRY400 - one clear line
                await self.crash(exc)
                return
            else:
                return

    def _not_opened(self, exc: Exception) -> None:
        log.warning("buckets_not_opened", error=repr(exc))
        if isinstance(exc, StoreUnavailable):
            self._metrics.store_up.set(0)

    async def _open(self, partitions: list[TopicPartition]) -> None:
        self._generation += 1
        count = self._partition_count()
        resume = await self._blocking(lambda: self._ownership.open(partitions, count))
        halts = await self._blocking(self._store.halts)
        self._metrics.store_up.set(1)
        self._intake = Intake(self._settings, self._metrics, self._ownership)
        self._flight, self._done = None, {}
        self._sweep = Sweep(self._deadlines)
        first = await self._consumer.beginning_offsets(partitions) if partitions else {}
        positions = {}
        for tp, cursor in resume.items():
            base = self._ownership.assigned[tp]
            if cursor is not None and cursor < first[tp]:
                self._metrics.gaps.labels(base).inc(first[tp] - cursor)
                log.error("input_gap", topic=tp.topic, partition=tp.partition, cursor=cursor)
            positions[tp] = max(first[tp], cursor or 0)
            if source_name(base, tp.partition) in halts:
                self._intake.halted.add(tp)
        self._reading = Reading(
            self._settings, self._ownership, self._consumer, positions, self._intake.halted
        )
        self._reading.seek_back()
        if self._settings.clock == "stream":
            await self._reading.recall()
        if self._intake.halted:
            self._consumer.pause(*self._intake.halted)
        self._metrics.halted.set(len(self._intake.halted))
        self._metrics.owned_buckets.set(len(self._ownership.buckets))
        # Once more: what was fetched meanwhile was fetched from before the seek.
        self._generation += 1
        self.ready = True
        log.info("buckets_opened", partitions=len(partitions), buckets=len(self._ownership.buckets))
        self._tell_policy()

    def _tell_policy(self) -> None:
        """Say which policy is in force: a published one stands before the worker's own."""
        for (name, version), buckets in self.policies().items():
            own = self._ownership.scorer.plan
            log.info(
                "policy_in_force",
                policy=name,
                version=version,
                buckets=buckets,
                published=(name, version) != (own.name, own.version),
                own=f"{own.name} version {own.version}",
            )

    def policies(self) -> dict[tuple[str, int], int]:
        """Return in how many own buckets each policy is in force, by name and version."""
        plans = [bucket.scorer.plan for bucket in self._ownership.buckets.values()]
        return dict(Counter((plan.name, plan.version) for plan in plans))

    def in_charge(self) -> tuple[Plan, Edition] | None:
        """Return what is in force if this worker takes the censuses, else None."""
        first = TopicPartition(self._settings.topic("controls"), 0)
        if not self.ready or first not in self._ownership.assigned:
            return None
        bucket = self._ownership.buckets.get(0)
        return None if bucket is None else (bucket.scorer.plan, bucket.in_force.edition)

    def _partition_count(self) -> int:
        topics = [self._settings.topic(base) for base in INPUTS]
        found = {topic: self._consumer.partitions_for_topic(topic) for topic in topics}
        counts = {topic: len(partitions or ()) for topic, partitions in found.items()}
        return check_partitions(self._settings, counts)

    # -- one turn -------------------------------------------------------------

    async def _turn(self) -> None:
        generation = self._generation
        waiting = self._flight is None or self._flight.answer.done()
        started = time.perf_counter()
        idle = waiting and not self._ownership.unswept()
        fetched = await self._consumer.getmany(
            timeout_ms=self._settings.batch_wait_ms if idle else 0,
            max_records=self._settings.batch_records,
        )
        self._spent("fetch", started)
        async with self._lock:
            reading = self._reading
            if reading is None or self.should_stop:
                return
            if generation != self._generation:
                # A rebalance came between: what was fetched may be read again by its owner.
                reading.seek_back()
                return
            runs = await reading.release(fetched)
            started = time.perf_counter()
            batch = self._intake.sort(runs, time.time_ns() // 1_000_000)
            self._spent("decode", started)
            due, swept = await self._due(reading)
            visits = await self._visits()
            passing = self._folding.uncached(visits)
            await self._load(batch, due, visits)
            started = time.perf_counter()
            self._folding.apply(batch, due, visits, reading)
            if swept:
                self._finish_sweeps()
            self._spent("fold", started)
            started = time.perf_counter()
            commits = self._folding.close(batch, reading, swept=swept)
            if time.monotonic() - self._flushed_s >= self._settings.flush_ms / 1000:
                self._flushed_s = time.monotonic()
                touched = [commit.bucket for commit in commits]
                commits += self._folding.flush(self._done, touched, reading, swept=swept)
            self._folding.forget(passing)
            self._spent("encode", started)
            await self._land()
            await self._halt(batch)
            if commits:
                self._launch(commits, batch, due)
            else:
                self._done.update(batch.positions)
            await self._housekeeping(reading)

    async def _due(self, reading: Reading) -> tuple[dict[int, list[tuple[str, int]]], bool]:
        """Return customers whose deadline has come, per bucket, as ``(customer, due_ms)``.

        Also returns whether these are all up to the watermarks, so that the buckets' clocks
        may advance: not if there are more, nor while a commit may be adding some.
        """
        if time.monotonic() - self._swept_s < _SWEEP_EVERY_S:
            return {}, False
        settled = self._flight is None or self._flight.answer.done()
        limit = self._settings.sweep_limit
        by_watermark: dict[int, list[int]] = {}
        for number in reading.numbers():
            watermark_ms = reading.watermark_ms(number)
            if watermark_ms is not None:
                home = self._ownership.home(number)
                by_watermark.setdefault(watermark_ms, []).extend(home)
        due: dict[int, list[tuple[str, int]]] = {}
        found = 0
        for watermark_ms, buckets in by_watermark.items():
            # On a connection of its own: it need not wait for the commit under way. What that
            # commit changes is known here already, and deadlines that it moves fire no more.
            rows = await asyncio.get_running_loop().run_in_executor(
                self._sweeper, self._deadlines.due, buckets, watermark_ms, limit
            )
            found = max(found, len(rows))
            for bucket, customer_id, due_ms in rows:
                due.setdefault(bucket, []).append((customer_id, due_ms))
        complete = found < limit
        if complete:
            self._swept_s = time.monotonic()
        return due, complete and settled

    async def _visits(self) -> dict[int, list[str]]:
        """Return customers that a new edition is to be brought to with this batch, per bucket."""
        buckets = self._ownership.unswept()
        self._metrics.unswept.set(len(buckets))
        if not buckets:
            return {}
        landed = self._flight is None or self._flight.answer.done()
        visits = await asyncio.get_running_loop().run_in_executor(
            self._sweeper,
            partial(self._sweep.next, buckets, self._settings.visit_limit, start=landed),
        )
        self._metrics.visits.inc(sum(map(len, visits.values())))
        return visits

    def _finish_sweeps(self) -> None:
        """Take note of the buckets in which everyone was visited; every deadline has fired."""
        for bucket in self._ownership.unswept():
            if self._sweep.ended(bucket):
                bucket.finish()
                log.info(
                    "bucket_swept", bucket=bucket.number, edition=bucket.in_force.edition.number
                )

    async def _load(
        self,
        batch: Batch,
        due: Mapping[int, list[tuple[str, int]]],
        visits: Mapping[int, Sequence[str]],
    ) -> None:
        """Bring in what the fold needs and the cache lacks."""
        started = time.perf_counter()
        foreign = self._folding.foreign(batch)
        if foreign:
            await self._blocking(partial(self._ownership.open_foreign, foreign))
            self._folding.drop_applied(batch)
        wanted = self._folding.wanted(batch, due, visits, careful=self._careful > 0)
        if any(wanted):
            adopt = await self._blocking(partial(self._folding.load, wanted))
            adopt()
        self._spent("load", started)

    # -- committing -----------------------------------------------------------

    def _launch(
        self, commits: list[BucketCommit], batch: Batch, due: Mapping[int, list[tuple[str, int]]]
    ) -> None:
        self._metrics.batch_records.observe(batch.records)
        self._flight = _Flight(
            answer=asyncio.get_running_loop().run_in_executor(
                self._thread, self._store.commit, commits
            ),
            positions=batch.positions,
            oldest_ms=batch.oldest_ms,
            due_ms=[due_ms for customers in due.values() for _, due_ms in customers],
            started_s=time.perf_counter(),
        )

    async def _land(self) -> None:
        """Wait for the commit under way and act on its outcome."""
        flight, self._flight = self._flight, None
        if flight is None:
            return
        started = time.perf_counter()
        results = await flight.answer
        self._spent("commit", started)
        self._metrics.commit_latency.observe(time.perf_counter() - flight.started_s)
        bad = None
        for result in results:
            self._metrics.commits.labels(result.outcome.name).inc()
            if result.outcome is not Outcome.OK:
                bad = result.outcome
        if bad is Outcome.KNOWN_ORDER:
            self._careful = _CAREFUL_BATCHES
        elif self._careful:
            self._careful -= 1
        if bad is not None:
            raise _Rewind(bad.name)
        self._done.update(flight.positions)
        if self._settings.clock == "wall":
            now_s = time.time()
            if flight.oldest_ms is not None:
                self._metrics.scoring_latency.observe(max(0.0, now_s - flight.oldest_ms / 1000))
            for due_ms in flight.due_ms:
                self._metrics.lateness.observe(max(0.0, now_s - due_ms / 1000))

    async def _finish_quietly(self) -> None:
        try:
            await self._land()
        except (StoreUnavailable, _Rewind) as exc:
            log.info("commit_given_up", why=str(exc))

    # -- the way back ---------------------------------------------------------

    async def _rewind(self, why: str) -> None:
        """Forget, open the buckets again and seek to their cursors, until that has worked."""
        log.warning("rewound", why=why)
        self._metrics.rewinds.labels(why).inc()
        generation = self._generation
        if why == Outcome.FENCED.name:
            # Someone else has opened our partitions. If that is right, the group tells us with
            # the next heartbeat; opening them again at once would only fence the new owner.
            await self.sleep(heartbeat_ms(self._settings) / 1000)
        while not self.should_stop and generation == self._generation:
            try:
                async with self._lock:
                    if generation == self._generation and not self.should_stop:
                        await self._open(list(self._ownership.assigned))
            except (StoreUnavailable, KafkaError) as exc:
                self._not_opened(exc)
                generation = self._generation
                await self.sleep(_HOLD_POLL_MS / 1000)
            else:
                return

    async def _hold(self, exc: StoreUnavailable) -> None:
        """Keep the group membership alive until the store answers, then start over."""
        log.warning("store_unavailable", error=str(exc), outcome_unknown=exc.outcome_unknown)
        self._metrics.store_up.set(0)
        self.ready = False
        self._flight = None
        self._consumer.pause(*self._consumer.assignment())
        while not self.should_stop:
            with suppress(KafkaError):
                await self._consumer.getmany(timeout_ms=_HOLD_POLL_MS)
            self.progressed_s = time.monotonic()
            if self.should_stop:
                return
            try:
                await self._blocking(self._store.ping)
            except StoreUnavailable:
                continue
            break
        self._consumer.resume(*self._consumer.assignment())
        await self._rewind("STORE_UNAVAILABLE")

    # -- the rest -------------------------------------------------------------

    async def _halt(self, batch: Batch) -> None:
        for tp, (offset, why) in batch.halts.items():
            base = self._ownership.assigned[tp]
            source = source_name(base, tp.partition)
            reason = f"offset {offset}: {why}"
            await self._blocking(partial(self._store.halt, source, reason))
            self._consumer.pause(tp)
            log.error("partition_halted", topic=tp.topic, partition=tp.partition, why=reason)
        if batch.halts:
            self._metrics.halted.set(len(self._intake.halted))

    async def _housekeeping(self, reading: Reading) -> None:
        held = reading.held_records()
        if held > _MOST_HELD:
            log.warning("many_records_held", records=held)
        # Forgetting is safe at any time: a later load queues behind the commit under way.
        cached = self._ownership.trim(self._settings.cached_customers)
        self._metrics.cached_customers.set(cached)
        report_ms = self._settings.report_ms
        if report_ms and self._done and time.monotonic() - self._reported_s >= report_ms / 1000:
            await self._tell_kafka()
        for base in INPUTS:
            self._metrics.lag.labels(base).set(reading.lag(base))
        if self._intake.halted and self._flushed_s + 1 > time.monotonic():
            halts = await self._blocking(self._store.halts)
            for tp in self._intake.halted:
                if source_name(self._ownership.assigned[tp], tp.partition) not in halts:
                    self._consumer.resume(tp)
                    raise _Rewind("RELEASED")

    async def _tell_kafka(self) -> None:
        """Write the group's offsets, for lag monitors only: the store's cursors decide."""
        self._reported_s = time.monotonic()
        offsets = {
            tp: OffsetAndMetadata(self._done[source], "")
            for tp, base in self._ownership.assigned.items()
            if (source := source_name(base, tp.partition)) in self._done
        }
        try:
            await self._consumer.commit(offsets)
        except KafkaError as exc:
            log.info("offsets_not_reported", error=repr(exc))

    def _spent(self, stage: str, started: float) -> None:
        self._metrics.stage_seconds.labels(stage).inc(time.perf_counter() - started)

    async def _blocking(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


class _Rebalance(ConsumerRebalanceListener):
    def __init__(self, service: ScoringService) -> None:
        self._service = service

    async def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ANN401
        if revoked:
            await self._service.revoked()

    async def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ANN401
        await self._service.assigned(assigned)
