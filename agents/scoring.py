"""The scoring service: micro-batches from Kafka through the fold into the store.

One turn is: fetch, release what is complete, decode, load what is missing, fold, and
hand the commit to the store's thread, which writes it while the next turn is fetched
and folded. Whatever goes wrong with a commit, there is one way back: forget, open the
buckets again, and seek to the cursors that are stored beside the state.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from mode import Service

from agents import garbage
from agents.backlog import Backlog
from agents.committing import Committing, Rewind
from agents.deadlines import Deadlines
from agents.folding import Folding
from agents.halting import Halting
from agents.intake import Batch, Intake
from agents.kafka import consumer, heartbeat_ms, stop_quietly
from agents.opening import Opening, policies
from agents.ownership import Ownership, source_name
from agents.pacing import ROWS_EACH, Pacing
from agents.rereading import read_again
from agents.settings import INPUTS, SettingsError
from agents.store_thread import StoreThread
from agents.unwrapped import unwrapped
from agents.visiting import Visiting
from stream.editions import scorer_of
from stream.store import Outcome, StoreMismatch, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agents.metrics import Metrics
    from agents.reading import Reading
    from agents.settings import Settings
    from agents.tracing import Tracer
    from stream.editions import Edition
    from stream.plan import Plan
    from stream.store import Store

log = structlog.get_logger(__name__)

_HOLD_POLL_MS = 500
_FETCHED_AT_ONCE = 2_000
_STEP_MS = 5
_MOST_HELD = 400_000


class ScoringService(Service):
    """Reads the input topics and keeps every customer's state and grades.

    Guarantees, whatever is killed: each event is applied exactly once to the state of
    its customer, and each tier change enters the outbox exactly once.
    """

    part = "scoring"

    def __init__(
        self,
        settings: Settings,
        stores: tuple[Store, Store],
        first: Edition,
        metrics: Metrics,
        tracer: Tracer | None = None,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Score into the first of *stores*; the second only looks for deadlines and for visits.

        Both are the same store; each is used by one thread of this service and by no other.
        *first* is the policy in force until one is published.
        """
        super().__init__(**more)
        self._settings = settings
        store, second = stores
        self._store = StoreThread(store, "store")
        self._second = StoreThread(second, "deadlines")
        self._metrics = metrics
        self._ownership = Ownership(settings, store, scorer_of(first), first)
        self._folding = Folding(settings, store, self._ownership)
        self._intake = Intake(settings, metrics, self._ownership)
        self._reading: Reading | None = None
        self._commits = Committing(settings, self._store, metrics, tracer)
        self._pacing = Pacing(settings.flush_ms / 1000)
        self._deadlines = Deadlines(settings, self._second, self._ownership, self._pacing)
        self._backlog = Backlog(settings, self._second, self._ownership)
        self._visiting = Visiting(settings, self._second, self._ownership, metrics)
        self._generation = 0
        self._closed_why = ""
        self._reported_s = 0.0
        self._lock = asyncio.Lock()
        self.progressed_s = time.monotonic()
        self.ready = False

    # -- life -----------------------------------------------------------------

    async def on_start(self) -> None:
        """Connect to Kafka; partitions are asked for once the store answers."""
        group = self._settings.group("scoring")
        self._consumer = consumer(self._settings, group, key_deserializer=unwrapped)
        await self._consumer.start()
        self._opening = Opening(
            self._settings, self._store, self._ownership, self._consumer, self._metrics
        )
        self._halting = Halting(self._store, self._ownership, self._consumer)

    async def _join(self) -> None:
        """Check the store's bucket count, then ask for partitions; wait for the store to answer."""
        while not self.should_stop:
            try:
                await self._store.run(lambda: self._store.store.install(self._settings.buckets))
            except StoreUnavailable as exc:
                self._not_opened(exc)
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
        self._store.close()
        self._second.close()

    @Service.task
    async def _work(self) -> None:
        await self._join()
        while not self.should_stop:
            try:
                await self._turn()
            except Rewind as why:
                await self._rewind(str(why))
            except StoreUnavailable:
                await self._hold()
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
        self._metrics.rebalances.inc()
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
        if repr(exc) != self._closed_why:
            log.warning("buckets_not_opened", error=repr(exc))
        self._closed_why = repr(exc)
        self.progressed_s = time.monotonic()
        if isinstance(exc, StoreUnavailable):
            self._metrics.store_up.labels(self.part).set(0)

    async def _open(self, partitions: list[TopicPartition]) -> None:
        self._generation += 1
        self._reading = None
        await self._finish_quietly()
        self._reading, self._intake = await self._opening.open(partitions)
        self._commits.forget()
        self._visiting.forget()
        garbage.tidy_all()
        # Once more: what was fetched meanwhile was fetched from before the seek.
        self._generation += 1
        self.ready = True
        self._closed_why = ""
        log.info("buckets_opened", partitions=len(partitions), buckets=len(self._ownership.buckets))
        self._opening.tell_policies()

    def policies(self) -> dict[tuple[str, int], int]:
        """Return in how many own buckets each policy is in force, by name and version."""
        return policies(self._ownership)

    def at_home(self) -> list[int]:
        """Return the numbers of the buckets whose home is here."""
        return [bucket.number for bucket in self._ownership.at_home()]

    def in_charge(self) -> tuple[Plan, Edition] | None:
        """Return what is in force if this worker takes the censuses, else None."""
        first = TopicPartition(self._settings.topic("controls"), 0)
        if not self.ready or first not in self._ownership.assigned:
            return None
        bucket = self._ownership.buckets.get(0)
        return None if bucket is None else (bucket.scorer.plan, bucket.in_force.edition)

    # -- one turn -------------------------------------------------------------

    async def _turn(self) -> None:
        garbage.tidy()
        generation, batch = self._generation, Batch()
        # Deadlines and sweeps have something to do without records.
        driven = self._deadlines.pressing or bool(self._ownership.unswept())
        wait_ms = self._settings.batch_wait_ms if self._commits.settled and not driven else 0
        left = self._settings.batch_records
        while True:
            started = time.perf_counter()
            most = min(_FETCHED_AT_ONCE, left)  # see `Intake.sort`
            fetched = await self._consumer.getmany(timeout_ms=wait_ms, max_records=most)
            found = sum(map(len, fetched.values()))
            self._spent("fetch", started)
            async with self._lock:
                reading = self._reading
                if reading is None or self.should_stop:
                    return
                if generation != self._generation:
                    # A rebalance came between: what was fetched may be read again by its owner.
                    reading.seek_back()
                    return
                await self._take_in(reading, fetched, batch)
                left, wait_ms = left - found, 0 if found == most else _STEP_MS
                more = found == most or self._gathers(batch, driven=driven)
                if not more or not left or batch.editions or batch.halts:
                    self._pacing.applied_s = time.monotonic()
                    await self._apply(reading, batch)
                    return

    def _gathers(self, batch: Batch, *, driven: bool) -> bool:
        """Whether more records are waited for before *batch* is applied.

        Whatever comes while the last commit is being written goes into the next one; where there
        is something to do without records, it is done meanwhile.
        """
        if driven:
            return bool(batch.records) and self._rests()
        return not self._commits.settled or self._rests()

    def _rests(self) -> bool:
        return self._settings.clock == "wall" and self._pacing.rests(time.monotonic())

    async def _take_in(
        self, reading: Reading, fetched: Mapping[TopicPartition, list[Any]], batch: Batch
    ) -> None:
        """Put what may be processed by now into the batch."""
        started = time.perf_counter()
        runs = await reading.release(fetched)
        self._spent("merge", started)
        started = time.perf_counter()
        self._intake.sort(runs, time.time_ns() // 1_000_000, batch)
        self._spent("decode", started)

    async def _apply(self, reading: Reading, batch: Batch) -> None:
        """Fold the batch, and what time and sweeps ask for beside it, and begin to commit it."""
        self._intake.place(batch)
        flushing = self._pacing.flush_is_due(time.monotonic())
        if flushing:
            # Where commits overlap without end, clocks and sweeps still come on.
            await self._commits.land()
        due, visits, swept = await self._look(reading, batch)
        passing = self._folding.uncached(visits)
        await self._load(batch, due, visits)
        started = time.perf_counter()
        self._folding.apply(batch, due, visits, reading)
        if swept:
            self._visiting.finish()
        self._spent("fold", started)
        started = time.perf_counter()
        refused = await read_again(self._settings, self._folding.refused(batch))
        closed = self._folding.close(batch, reading, refused, swept=swept)
        if flushing:
            self._pacing.flushed_s = time.monotonic()
            touched = [one.commit.bucket for one in closed]
            closed += self._folding.flush(self._commits.done, touched, reading, swept=swept)
        self._folding.forget(passing)
        self._spent("encode", started)
        await self._commits.land()
        if flushing:
            await self._look_back({one.commit.bucket for one in closed})
        await self._halting.halt(batch)
        if batch.halts:
            self._metrics.halted.set(len(self._intake.halted))
        if closed:
            self._commits.launch(closed, batch, due)
        else:
            self._commits.done.update(batch.positions)
        await self._housekeeping(reading)

    async def _look(
        self, reading: Reading, batch: Batch
    ) -> tuple[dict[int, list[tuple[str, int]]], dict[int, list[str]], bool]:
        """Return what no record asks for: deadlines and visits, and whether all of the former."""
        started = time.perf_counter()
        live = bool(batch.records) and self._settings.clock == "wall"
        room = ROWS_EACH * self._settings.sweep_limit
        if self._deadlines.pressing or self._ownership.unswept():
            room = await self._backlog.room(self._commits.rows, live=live)
        due, swept = await self._deadlines.due(
            reading, room, live=live, settled=self._commits.settled
        )
        room -= ROWS_EACH * sum(map(len, due.values()))
        visits = await self._visiting.next(room, live=live, settled=self._commits.settled)
        self._spent("look", started)
        return due, visits, swept

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
            await self._store.run(partial(self._ownership.open_foreign, foreign))
            self._folding.drop_applied(batch)
        wanted = self._folding.wanted(batch, due, visits, careful=self._commits.careful)
        if any(wanted):
            adopt = await self._store.run(partial(self._folding.load, wanted))
            adopt()
        self._spent("load", started)

    async def _finish_quietly(self) -> None:
        try:
            await self._commits.land()
        except (StoreUnavailable, Rewind) as exc:
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

    async def _hold(self) -> None:
        """Keep the group membership alive until the store answers, then start over."""
        self._metrics.store_up.labels(self.part).set(0)
        self.ready = False
        self._commits.give_up()
        self._consumer.pause(*self._consumer.assignment())
        while not self.should_stop:
            with suppress(KafkaError):
                await self._consumer.getmany(timeout_ms=_HOLD_POLL_MS)
            self.progressed_s = time.monotonic()
            if self.should_stop:
                return
            try:
                await self._store.run(self._store.store.ping)
            except StoreUnavailable:
                continue
            break
        self._consumer.resume(*self._consumer.assignment())
        await self._rewind("STORE_UNAVAILABLE")

    # -- the rest -------------------------------------------------------------

    async def _look_back(self, touched: set[int]) -> None:
        """Notice a store that has forgotten, also where there is nothing to write.

        Looks at one bucket each time, of those that are not *touched* by the commits at hand.
        """
        quiet = [b for b in self._ownership.buckets.values() if b.number not in touched]
        if quiet:
            bucket = quiet[int(self._pacing.flushed_s) % len(quiet)]
            ask = partial(self._store.store.heads, [bucket.number])
            (head,) = await self._store.run(ask)
            if head.version < bucket.version:
                raise Rewind(Outcome.STALE.name)

    async def _housekeeping(self, reading: Reading) -> None:
        held = reading.held_records()
        if held > _MOST_HELD:
            log.warning("many_records_held", records=held)
        # Forgetting is safe at any time: a later load queues behind the commit under way.
        cached = self._ownership.trim(self._settings.cached_customers)
        self._metrics.cached_customers.set(cached)
        report_ms = self._settings.report_ms
        if (
            report_ms
            and self._commits.done
            and time.monotonic() - self._reported_s >= report_ms / 1000
        ):
            await self._tell_kafka()
        for base in INPUTS:
            self._metrics.lag.labels(base).set(reading.lag(base))
        self._metrics.held.set(held)
        self._metrics.clock_age.set(reading.clock_age_s(time.time_ns() // 1_000_000))
        halted = self._intake.halted
        lately = self._pacing.flushed_s + 1 > time.monotonic()
        if halted and lately and await self._halting.released(halted):
            raise Rewind("RELEASED")

    async def _tell_kafka(self) -> None:
        """Write the group's offsets, for lag monitors only: the store's cursors decide."""
        self._reported_s = time.monotonic()
        offsets = {
            tp: OffsetAndMetadata(self._commits.done[source], "")
            for tp, base in self._ownership.assigned.items()
            if (source := source_name(base, tp.partition)) in self._commits.done
        }
        try:
            await self._consumer.commit(offsets)
        except KafkaError as exc:
            log.info("offsets_not_reported", error=repr(exc))

    def _spent(self, stage: str, started: float) -> None:
        self._metrics.stage_seconds.labels(stage).inc(time.perf_counter() - started)


class _Rebalance(ConsumerRebalanceListener):
    def __init__(self, service: ScoringService) -> None:
        self._service = service

    async def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ANN401
        if revoked:
            await self._service.revoked()

    async def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ANN401
        await self._service.assigned(assigned)
