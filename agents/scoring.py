"""The scoring service: micro-batches from Kafka through the fold into the store.

One turn is: fetch, release what is complete, decode, load what is missing, fold, and
hand the commit to the store's thread, which writes it while the next turn is fetched
and folded. Whatever goes wrong with a commit, there is one way back: forget, open the
buckets again, and seek to the cursors that are stored beside the state.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from mode import Service

from agents.clock import StreamClock, newest_promise
from agents.intake import Batch, Intake
from agents.kafka import consumer, heartbeat_ms
from agents.letters import letter_row
from agents.merge import NO_TIME, Merge, Standing
from agents.ownership import Ownership, source_name
from agents.settings import INPUTS, SettingsError
from schemas.records import OrderCancelled, OrderPaid, OrderRefunded
from stream.ledger import ledger_key, period_of
from stream.store import Outcome, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agents.metrics import Metrics
    from agents.settings import Settings
    from stream.bucket import Arrival, Bucket
    from stream.fold import Scorer
    from stream.store import BucketCommit, CommitResult, Store

log = structlog.get_logger(__name__)
T = TypeVar("T")

_SWEEP_EVERY_S = 0.2
_HOLD_POLL_MS = 500
_CAREFUL_BATCHES = 50
_MOST_HELD = 400_000


@dataclass(slots=True)
class _Group:
    """One partition number over all input topics.

    Attributes:
        partitions: Its topic partitions.
        merge: Records read but not processed yet.
        clock: Stream time; unused on the wall clock.
        newest_ms: Record time of the newest record read, per topic partition.
        answers_ms: When the broker's last two answers were read, per topic partition.
        watermark_ms: All records up to this have been processed; None if unknown.
    """

    partitions: list[TopicPartition]
    merge: Merge
    clock: StreamClock = field(default_factory=StreamClock)
    newest_ms: dict[TopicPartition, int] = field(default_factory=dict)
    answers_ms: dict[TopicPartition, tuple[int, int]] = field(default_factory=dict)
    watermark_ms: int | None = None


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
        self, settings: Settings, store: Store, scorer: Scorer, metrics: Metrics, **more: Any  # noqa: ANN401
    ) -> None:
        """Score with *scorer* into *store*."""
        super().__init__(**more)
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._ownership = Ownership(settings, store, scorer)
        self._intake = Intake(settings, metrics, self._ownership)
        self._groups: dict[int, _Group] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._done: dict[str, int] = {}
        self._flight: _Flight | None = None
        self._generation = 0
        self._careful = 0
        self._report_offsets = False
        self._flushed_s = self._swept_s = 0.0
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "store")
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
        await self._consumer.stop()
        self._thread.shutdown(wait=True)

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
            self._groups = {}
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
        self._flight, self._done, self._groups, self._positions = None, {}, {}, {}
        topics = {self._settings.topic(base): rank for rank, base in enumerate(INPUTS)}
        for tp in partitions:
            group = self._groups.setdefault(tp.partition, _Group([], Merge(topics)))
            group.partitions.append(tp)
        first = await self._consumer.beginning_offsets(partitions) if partitions else {}
        for tp, cursor in resume.items():
            base = self._ownership.assigned[tp]
            if cursor is not None and cursor < first[tp]:
                self._metrics.gaps.labels(base).inc(first[tp] - cursor)
                log.error("input_gap", topic=tp.topic, partition=tp.partition, cursor=cursor)
            self._positions[tp] = max(first[tp], cursor or 0)
            self._consumer.seek(tp, self._positions[tp])
            if source_name(base, tp.partition) in halts:
                self._intake.halted.add(tp)
        if self._intake.halted:
            self._consumer.pause(*self._intake.halted)
        self._metrics.halted.set(len(self._intake.halted))
        self._metrics.owned_buckets.set(len(self._ownership.buckets))
        # Once more: what was fetched meanwhile was fetched from before the seek.
        self._generation += 1
        self.ready = True
        log.info("buckets_opened", partitions=len(partitions), buckets=len(self._ownership.buckets))

    def _partition_count(self) -> int:
        counts = {}
        for base in INPUTS:
            topic = self._settings.topic(base)
            counts[topic] = len(self._consumer.partitions_for_topic(topic) or ())
        distinct = set(counts.values())
        if len(distinct) != 1 or 0 in distinct or self._settings.buckets % distinct.copy().pop():
            said = ", ".join(f"{topic} {count}" for topic, count in counts.items())
            message = (
                f"partitions: {said} are not allowed; allowed: the same number for all, "
                f"which divides {self._settings.buckets} buckets (see `tierstream doctor`)"
            )
            raise SettingsError(message)
        return distinct.pop()

    # -- one turn -------------------------------------------------------------

    async def _turn(self) -> None:
        generation = self._generation
        waiting = self._flight is None or self._flight.answer.done()
        started = time.perf_counter()
        fetched = await self._consumer.getmany(
            timeout_ms=self._settings.batch_wait_ms if waiting else 0,
            max_records=self._settings.batch_records,
        )
        self._spent("fetch", started)
        async with self._lock:
            if generation != self._generation:
                # A rebalance came between: what was fetched may be read again by its owner.
                for tp, position in self._positions.items():
                    self._consumer.seek(tp, position)
                return
            if not self._groups:
                return
            wall_ms = time.time_ns() // 1_000_000
            runs = await self._release(fetched)
            started = time.perf_counter()
            batch = self._intake.sort(runs, wall_ms)
            self._spent("decode", started)
            due, swept = await self._due()
            await self._load(batch, due)
            commits = self._fold(batch, due, swept=swept)
            await self._land()
            await self._halt(batch)
            if commits:
                self._launch(commits, batch, due)
            else:
                self._done.update(batch.positions)
            await self._housekeeping()

    async def _release(
        self, fetched: Mapping[TopicPartition, list[Any]]
    ) -> list[tuple[TopicPartition, list[Any]]]:
        """Take in what was fetched and return the runs that may be processed now."""
        for tp, records in fetched.items():
            group = self._groups.get(tp.partition)
            if group is None or tp not in self._positions:
                continue
            position = self._positions[tp]
            if records[0].offset < position:
                records = [record for record in records if record.offset >= position]  # noqa: PLW2901
                if not records:
                    continue
            group.merge.add(tp, records)
            newest_ms = max(records[-1].timestamp, group.newest_ms.get(tp, NO_TIME))
            group.newest_ms[tp] = newest_ms
        runs: list[tuple[TopicPartition, list[Any]]] = []
        for group in self._groups.values():
            for tp in group.partitions:
                if tp in self._consumer.assignment():
                    self._positions[tp] = await self._consumer.position(tp)
            if self._settings.clock == "stream":
                runs += await self._release_promised(group, fetched)
            else:
                released = group.merge.release(self._standings(group))
                runs += released.runs
                group.watermark_ms = released.watermark_ms
                if released.idle:
                    group.watermark_ms = self._wall_watermark_ms(group)
        return runs

    def _standings(self, group: _Group) -> dict[TopicPartition, Standing]:
        standings = {}
        for tp in group.partitions:
            if tp in self._intake.halted:
                continue
            end = self._consumer.last_stable_offset(tp)
            caught_up = end is not None and self._positions[tp] >= end
            standings[tp] = Standing(caught_up, group.newest_ms.get(tp, NO_TIME))
        return standings

    def _wall_watermark_ms(self, group: _Group) -> int | None:
        """Return an instant before which the log was seen to hold nothing more, if it was.

        Not simply now: a worker that was frozen, or cut off from the broker, must read what
        came meanwhile before it lets that time pass. Nor the time of the last answer, which
        may have waited in the socket: it was asked for after the answer before it was read.
        """
        looked = []
        for tp in group.partitions:
            if tp not in self._intake.halted:
                before, last = group.answers_ms.get(tp, (0, 0))
                answer = self._consumer.last_poll_timestamp(tp) or 0
                if answer != last:
                    before, last = group.answers_ms[tp] = last, answer
                looked.append(before)
        seen_ms = min(looked, default=time.time_ns() // 1_000_000)
        return seen_ms - self._settings.clock_slack_ms if seen_ms else None

    async def _release_promised(
        self, group: _Group, fetched: Mapping[TopicPartition, list[Any]]
    ) -> list[tuple[TopicPartition, list[Any]]]:
        live = [tp for tp in group.partitions if tp not in self._intake.halted]
        for tp in live:
            if self._ownership.assigned[tp] == "controls" and tp in fetched:
                promised_ms = newest_promise(fetched[tp])
                if promised_ms is not None:
                    group.clock.promise(promised_ms, await self._consumer.end_offsets(live))
        group.clock.advance({tp: self._positions[tp] for tp in live})
        group.watermark_ms = group.clock.now_ms
        if group.watermark_ms is None:
            return []
        return group.merge.release_until(group.watermark_ms)

    async def _due(self) -> tuple[dict[int, list[tuple[str, int]]], bool]:
        """Return customers whose deadline has come, per bucket, as ``(customer, due_ms)``.

        Also returns whether these are all up to the watermarks; the rest comes next turn.
        """
        if time.monotonic() - self._swept_s < _SWEEP_EVERY_S:
            return {}, False
        limit = self._settings.sweep_limit
        by_watermark: dict[int, list[int]] = {}
        for number, group in self._groups.items():
            if group.watermark_ms is not None:
                home = self._ownership.home(number)
                by_watermark.setdefault(group.watermark_ms, []).extend(home)
        due: dict[int, list[tuple[str, int]]] = {}
        found = 0
        for watermark_ms, buckets in by_watermark.items():
            rows = await self._blocking(
                lambda b=buckets, w=watermark_ms: self._store.due(b, w, limit)
            )
            found = max(found, len(rows))
            for bucket, customer_id, due_ms in rows:
                due.setdefault(bucket, []).append((customer_id, due_ms))
        complete = found < limit
        if complete:
            self._swept_s = time.monotonic()
        return due, complete

    # -- loading and folding --------------------------------------------------

    async def _load(self, batch: Batch, due: Mapping[int, list[tuple[str, int]]]) -> None:
        """Bring in what the fold needs and the cache lacks."""
        started = time.perf_counter()
        foreign = [
            (bucket, source)
            for bucket, sources in batch.foreign.items()
            for source in sources
            if not self._ownership.is_open(bucket, source)
        ]
        if foreign:
            # Their cursors become known only now: records already applied are passed over.
            await self._blocking(lambda: self._ownership.open_foreign(foreign))
            self._drop_applied(batch)
        missing: dict[int, set[str]] = {}
        orders: dict[int, list[tuple[int, str]]] = {}
        careful = self._careful > 0
        for number, by_customer in batch.arrivals.items():
            bucket = self._ownership.buckets[number]
            absent = by_customer.keys() - bucket.customers.keys()
            if absent:
                missing[number] = absent
            for arrivals in by_customer.values():
                for arrival in arrivals:
                    if careful or type(arrival.event) is not OrderPaid:
                        wanted = _ledger_entries(arrival, bucket)
                        if wanted:
                            orders.setdefault(number, []).extend(wanted)
        for number, customers in due.items():
            cached = self._ownership.buckets[number].customers
            absent = {customer_id for customer_id, _ in customers if customer_id not in cached}
            if absent:
                missing.setdefault(number, set()).update(absent)
        if missing:
            ids = {number: sorted(customers) for number, customers in missing.items()}
            states = await self._blocking(lambda: self._store.load_states(ids))
            for number, customers in ids.items():
                bucket = self._ownership.buckets[number]
                for customer_id in customers:
                    bucket.adopt(customer_id, states.get(customer_id))
        if orders:
            entries = await self._blocking(lambda: self._store.load_orders(orders))
            for number, keys in orders.items():
                found = {key: entries[period, key] for period, key in keys if (period, key) in entries}
                self._ownership.buckets[number].know_orders(found)
        self._spent("load", started)

    def _drop_applied(self, batch: Batch) -> None:
        for number, sources in batch.foreign.items():
            cursors = self._ownership.buckets[number].cursors
            names = {
                (self._settings.topic(base), int(partition)): cursors.get(source, 0)
                for source in sources
                for base, partition in [source.rsplit("/", 1)]
            }
            by_customer = batch.arrivals.get(number, {})
            for customer_id, arrivals in by_customer.items():
                by_customer[customer_id] = [
                    arrival
                    for arrival in arrivals
                    if arrival.origin.offset  # type: ignore[attr-defined]
                    >= names.get((arrival.origin.topic, arrival.origin.partition), 0)  # type: ignore[attr-defined]
                ]

    def _fold(
        self, batch: Batch, due: Mapping[int, list[tuple[str, int]]], *, swept: bool
    ) -> list[BucketCommit]:
        """Apply the batch and the deadlines; return the commits, foreign buckets first."""
        started = time.perf_counter()
        partitions = self._ownership.partitions
        flush = swept and time.monotonic() - self._flushed_s >= self._settings.flush_ms / 1000
        buckets = self._ownership.buckets
        for number, by_customer in batch.arrivals.items():
            apply = buckets[number].apply_to
            for customer_id, arrivals in by_customer.items():
                apply(customer_id, arrivals)
        for number, customers in due.items():
            watermark_ms = self._groups[number % partitions].watermark_ms
            for customer_id, _ in customers:
                buckets[number].wake(customer_id, watermark_ms or 0)
        self._spent("fold", started)
        started = time.perf_counter()
        dirty = {number for number, bucket in buckets.items() if bucket.is_dirty}
        touched = dirty | batch.letters.keys()
        order = sorted(touched, key=lambda number: (number not in batch.foreign, number))
        commits = [self._close(buckets[number], batch, swept=swept) for number in order]
        if flush:
            commits += self._flush(touched, swept=swept)
        self._spent("encode", started)
        return commits

    def _close(self, bucket: Bucket, batch: Batch, *, swept: bool) -> BucketCommit:
        letters = list(batch.letters.get(bucket.number, ()))
        for arrival, reason, detail in bucket.tally.refusals:
            record = arrival.origin
            base = self._base(record.topic)  # type: ignore[attr-defined]
            letters.append(letter_row(record, base, reason, detail))  # type: ignore[arg-type]
            self._metrics.dead_letters.labels(reason).inc()
        self._count(bucket)
        number = bucket.number % self._ownership.partitions
        positions = {
            source: position
            for source, position in batch.positions.items()
            if source.endswith(f"/{number}") or source in batch.foreign.get(bucket.number, ())
        }
        group = self._groups.get(number)
        clock_ms = group.watermark_ms if group is not None and swept else None
        return bucket.commit(positions, clock_ms, letters)

    def _flush(self, touched: Iterable[int], *, swept: bool) -> list[BucketCommit]:
        """Return commits that only move the cursors (and clock) of quiet home buckets."""
        self._flushed_s = time.monotonic()
        self._report_offsets = True
        skipped = set(touched)
        commits = []
        for number, group in self._groups.items():
            clock_ms = group.watermark_ms if swept else None
            positions = {s: p for s, p in self._done.items() if s.endswith(f"/{number}")}
            for home in self._ownership.home(number):
                bucket = self._ownership.buckets[home]
                behind = {s: p for s, p in positions.items() if bucket.cursors.get(s, -1) < p}
                later = clock_ms is not None and clock_ms > (bucket.clock_ms or 0)
                if home not in skipped and (behind or (later and self._settings.clock == "stream")):
                    commits.append(bucket.commit(behind, clock_ms))
        return commits

    def _count(self, bucket: Bucket) -> None:
        tally, metrics = bucket.tally, self._metrics
        metrics.applied.inc(tally.applied)
        metrics.repeated.inc(tally.repeated)
        metrics.ignored.inc(tally.ignored)
        metrics.waiting.inc(tally.waiting)
        metrics.woken.inc(tally.woken)
        for change in tally.changes:
            metrics.changes.labels(change.grading, change.cause.kind, change.direction).inc()

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
                    if generation == self._generation:
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
            await self._blocking(lambda s=source, r=reason: self._store.halt(s, r))
            self._consumer.pause(tp)
            log.error("partition_halted", topic=tp.topic, partition=tp.partition, why=reason)
        if batch.halts:
            self._metrics.halted.set(len(self._intake.halted))

    async def _housekeeping(self) -> None:
        held = sum(group.merge.held_records() for group in self._groups.values())
        if held > _MOST_HELD:
            log.warning("many_records_held", records=held)
        # Forgetting is safe at any time: a later load queues behind the commit under way.
        cached = self._ownership.trim(self._settings.cached_customers)
        self._metrics.cached_customers.set(cached)
        if self._report_offsets and self._done:
            await self._tell_kafka()
        for base in INPUTS:
            self._metrics.lag.labels(base).set(self._lag(base))
        if self._intake.halted and self._flushed_s + 1 > time.monotonic():
            halts = await self._blocking(self._store.halts)
            for tp in self._intake.halted:
                if source_name(self._ownership.assigned[tp], tp.partition) not in halts:
                    self._consumer.resume(tp)
                    raise _Rewind("RELEASED")

    async def _tell_kafka(self) -> None:
        """Write the group's offsets, for lag monitors only: the store's cursors decide."""
        self._report_offsets = False
        offsets = {
            tp: OffsetAndMetadata(self._done[source], "")
            for tp, base in self._ownership.assigned.items()
            if (source := source_name(base, tp.partition)) in self._done
        }
        try:
            await self._consumer.commit(offsets)
        except KafkaError as exc:
            log.info("offsets_not_reported", error=repr(exc))

    def _lag(self, base: str) -> int:
        lag = 0
        for tp, position in self._positions.items():
            if self._ownership.assigned.get(tp) == base:
                lag += max(0, (self._consumer.highwater(tp) or 0) - position)
        return lag

    def _base(self, topic: str) -> str:
        return next(base for base in INPUTS if self._settings.topic(base) == topic)

    def _spent(self, stage: str, started: float) -> None:
        self._metrics.stage_seconds.labels(stage).inc(time.perf_counter() - started)

    async def _blocking(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc] - aiokafka is untyped
    def __init__(self, service: ScoringService) -> None:
        self._service = service

    async def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ANN401
        if revoked:
            await self._service.revoked()

    async def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ANN401
        await self._service.assigned(assigned)


def _ledger_entries(arrival: Arrival, bucket: Bucket) -> list[tuple[int, str]]:
    """Return where the ledger may hold the order that *arrival* speaks of."""
    event = arrival.event
    if isinstance(event, OrderPaid):
        return [(period_of(event.occurred_ms), ledger_key(event.customer_id, event.order_id))]
    if not isinstance(event, OrderRefunded | OrderCancelled):
        return []
    key = ledger_key(event.customer_id, event.order_id)
    newest = period_of(max(arrival.record_ms, event.occurred_ms)) + 1
    oldest = min(bucket.oldest_period(arrival.record_ms), newest)
    return [(period, key) for period in range(oldest, newest + 1)]

