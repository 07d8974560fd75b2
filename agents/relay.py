"""The relay: publishes outbox rows in order, each exactly once, whatever is killed.

Buckets are grouped into as many shards as the `outbox` topic has partitions; a consumer
group on that (always empty) topic spreads the shards over the relay's processes. A shard
is published by a transactional producer whose transaction also commits the marker
"published up to row n of each bucket". A new owner of a shard first fences the old one
by taking over its transactional id, then reads the marker, and goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from mode import Service

from agents.kafka import consumer, partition_of, producer, stop_quietly
from agents.markers import GROUP, decode_marker, encode_marker, read_markers
from agents.published import count_published
from agents.settings import OUTBOX
from agents.store_thread import StoreThread
from stream.groups.member_rows import GROUP_MEMBERS
from stream.outbox import DEAD_LETTERS, Row, decode_row
from stream.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiokafka import AIOKafkaProducer

    from agents.metrics import Metrics
    from agents.settings import Settings
    from agents.tracing import Tracer
    from stream.store import Store

log = structlog.get_logger(__name__)

# The keys of these say nothing about the bucket that the row is from.
_KEYED_APART = frozenset({DEAD_LETTERS, GROUP_MEMBERS})
_ROWS_PER_BUCKET = 500
_RETRY_S = 0.5
_IDLE_S = 0.05
_MANY_ROWS = 1_000
_MEASURE_EVERY_S = 2.0
_LARGEST_REQUEST = 2_000_000
_TRANSACTION_MS = 60_000


class _Shard:
    """One shard this process owns."""

    def __init__(self, number: int, buckets: Iterable[int]) -> None:
        self.number = number
        self.published: dict[int, int] = dict.fromkeys(buckets, 0)
        self.producer: AIOKafkaProducer | None = None


class Relay(Service):
    """Publishes what the scoring service has put into the outboxes.

    Guarantees: rows of a bucket come out in order, each in exactly one committed
    transaction. A reader that skips aborted transactions sees each row once.
    """

    part = "relay"

    def __init__(
        self,
        settings: Settings,
        store: Store,
        metrics: Metrics,
        tracer: Tracer | None = None,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Publish from *store*, which no other thread may use."""
        super().__init__(**more)
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._tracer = tracer
        self._shards: dict[int, _Shard] = {}
        self._partitions: dict[str, int] = {}
        self._lock = asyncio.Lock()
        self._thread = StoreThread(store, "outbox")
        self._marks_group = settings.group(GROUP)
        self._untidy: set[int] = set()
        self.progressed_s = time.monotonic()
        self.ready = False

    # -- life -----------------------------------------------------------------

    async def on_start(self) -> None:
        """Join the group that spreads the shards."""
        self._consumer = consumer(self._settings, self._settings.group("delivery"))
        await self._consumer.start()
        self._consumer.subscribe([self._settings.topic(OUTBOX)], listener=_Rebalance(self))

    async def on_stop(self) -> None:
        """Finish the transaction under way and leave the group."""
        self.ready = False
        async with self._lock:
            await self._leave()
        await stop_quietly(self._consumer)
        self._thread.close()

    @Service.task
    async def _work(self) -> None:
        while not self.should_stop:
            published = 0
            try:
                async with self._lock:
                    published = 0 if self.should_stop else await self._turn()
            except StoreUnavailable:
                self._metrics.store_up.labels(self.part).set(0)
                # It may have forgotten what was trimmed.
                self._untidy.update(self._shards)
                await self.sleep(_RETRY_S)
            except KafkaError as exc:
                log.warning("relay_restarted", error=repr(exc))
                self._metrics.relay_restarts.labels(type(exc).__name__).inc()
                await self.sleep(_RETRY_S)
            self.progressed_s = time.monotonic()
            if self.should_stop:
                return
            # Nothing ever arrives here: polling keeps the membership alive.
            rest_ms = 0 if published >= _MANY_ROWS else int(_IDLE_S * 1000)
            await self._consumer.getmany(timeout_ms=rest_ms)

    @Service.task
    async def _measure(self) -> None:
        """Tell how much waits, also while nothing can be published."""
        while not self.should_stop:
            buckets = [bucket for shard in self._shards.values() for bucket in shard.published]
            try:
                waiting = await self._thread.run(partial(self._waiting, buckets))
            except StoreUnavailable:
                self._metrics.store_up.labels(self.part).set(0)
            else:
                self._metrics.store_up.labels(self.part).set(1)
                self._metrics.outbox_rows.set(waiting)
            await self.sleep(_MEASURE_EVERY_S)

    def _waiting(self, buckets: Sequence[int]) -> int:
        self._store.ping()  # also where there is no bucket to ask about
        return sum(self._store.outbox_depth(buckets).values())

    # -- ownership ------------------------------------------------------------

    async def revoked(self) -> None:
        """Let the shards go; their next owner fences us anyway."""
        async with self._lock:
            self.ready = False
            await self._leave()

    async def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Take the shards over; their producers start with the next turn."""
        async with self._lock:
            shards = len(self._consumer.partitions_for_topic(self._settings.topic(OUTBOX)) or ())
            self._shards = {
                tp.partition: _Shard(
                    tp.partition, range(tp.partition, self._settings.buckets, shards)
                )
                for tp in partitions
            }
            self.ready = True

    async def _leave(self) -> None:
        shards, self._shards = self._shards, {}
        for shard in shards.values():
            await self._stop_producer(shard)

    async def _stop_producer(self, shard: _Shard) -> None:
        running, shard.producer = shard.producer, None
        if running is not None:
            try:
                await running.stop()
            except KafkaError as exc:
                log.info("producer_stopped_badly", shard=shard.number, error=repr(exc))

    async def _start_producer(self, shard: _Shard) -> AIOKafkaProducer:
        """Fence the last owner of *shard*, then read how far it came."""
        starting = producer(
            self._settings,
            transactional_id=f"{self._settings.group('relay')}-{shard.number}",
            transaction_timeout_ms=_TRANSACTION_MS,
            max_request_size=_LARGEST_REQUEST,
            max_batch_size=_LARGEST_REQUEST // 2,
        )
        await starting.start()
        try:
            markers = await read_markers(self._settings, [shard.number])
        except KafkaError:
            await starting.stop()
            raise
        shard.published = decode_marker(markers[shard.number], shard.published)
        cluster = await starting.client.fetch_all_metadata()
        for topic in cluster.topics():
            self._partitions[topic] = len(cluster.partitions_for_topic(topic) or ())
        self._untidy.add(shard.number)
        shard.producer = starting
        log.info("shard_opened", shard=shard.number, rows=sum(shard.published.values()))
        return starting

    # -- publishing -----------------------------------------------------------

    async def _turn(self) -> int:
        """Publish once what waits in every shard; return the number of rows.

        The shards' transactions run side by side: each has a producer of its own, and most of
        a transaction is waiting for the broker.
        """
        turns = [self._serve(shard) for shard in list(self._shards.values())]
        served = await asyncio.gather(*turns, return_exceptions=True)
        for outcome in served:
            if isinstance(outcome, BaseException):
                raise outcome
        counts = [outcome for outcome in served if not isinstance(outcome, BaseException)]
        return sum(counts)

    async def _serve(self, shard: _Shard) -> int:
        """Publish once what waits in *shard*; return the number of rows."""
        running = shard.producer or await self._start_producer(shard)
        if shard.number in self._untidy:
            await self._thread.run(partial(self._store.trim_outbox, shard.published))
            self._untidy.discard(shard.number)
        rows = await self._thread.run(
            partial(self._store.read_outbox, shard.published, _ROWS_PER_BUCKET)
        )
        found = {bucket: found for bucket, found in rows.items() if found}
        if not found:
            return 0
        try:
            published = await self._publish(shard, running, found)
        except KafkaError:
            # Committed or not, only the log knows: a new producer settles it, and
            # the marker then says.
            await self._stop_producer(shard)
            raise
        except (IllegalOperation, AssertionError) as exc:
            # The producer was fenced behind our back (this process was frozen, say), and its client
            # calls all further use of it a mistake of the caller: by this error, or by asserting.
            await self._stop_producer(shard)
            raise ProducerFenced(f"shard {shard.number}") from exc
        upto = {bucket: shard.published[bucket] for bucket in found}
        await self._thread.run(partial(self._store.trim_outbox, upto))
        return published

    async def _publish(
        self,
        shard: _Shard,
        running: AIOKafkaProducer,
        found: Mapping[int, Sequence[tuple[int, bytes]]],
    ) -> int:
        started, began_ns = time.perf_counter(), time.time_ns()
        published = shard.published | {bucket: rows[-1][0] for bucket, rows in found.items()}
        rows = [
            (bucket, decode_row(stored)) for bucket, some in found.items() for _, stored in some
        ]
        await running.begin_transaction()
        await self._send(running, rows)
        tp = TopicPartition(self._settings.topic(OUTBOX), shard.number)
        marker = OffsetAndMetadata(sum(published.values()), encode_marker(published))
        await running.send_offsets_to_transaction({tp: marker}, self._marks_group)
        await running.commit_transaction()
        shard.published = published
        self._metrics.publish_latency.observe(time.perf_counter() - started)
        wall = self._settings.clock == "wall"
        now_ms = time.time_ns() // 1_000_000 if wall else None
        count_published((row for _, row in rows), self._metrics, now_ms)
        if self._tracer is not None:
            self._tracer.note_published(began_ns, (row for _, row in rows), len(rows))
        return len(rows)

    async def _send(self, running: AIOKafkaProducer, rows: Iterable[tuple[int, Row]]) -> None:
        """Send *rows* in batches per partition, in order, and wait until all are acknowledged."""
        by_partition: dict[TopicPartition, list[Row]] = {}
        for bucket, row in rows:
            tp = TopicPartition(self._settings.topic(row.topic), self._place(bucket, row))
            by_partition.setdefault(tp, []).append(row)
        sent = []
        for tp, some in by_partition.items():
            builder = running.create_batch()
            for row in some:
                if _append(builder, row):
                    continue
                sent.append(await running.send_batch(builder, tp.topic, partition=tp.partition))
                builder = running.create_batch()
                if not _append(builder, row):
                    msg = f"a row of {tp.topic} is larger than a batch may be"
                    raise RuntimeError(msg)
            sent.append(await running.send_batch(builder, tp.topic, partition=tp.partition))
        await asyncio.gather(*sent)

    def _place(self, bucket: int, row: Row) -> int:
        """Return the partition of a row, as Java's partitioner would choose it from the key."""
        count = self._partitions[self._settings.topic(row.topic)]
        if row.topic not in _KEYED_APART and self._settings.buckets % count == 0:
            return bucket % count  # the same hash: all keys of a bucket agree
        return partition_of(row.key, count) if row.key else 0


def _append(builder: Any, row: Row) -> bool:  # noqa: ANN401 - aiokafka's builder is untyped
    # Brokers refuse times ahead of their own (message.timestamp.after.max.ms), and a row that is
    # refused would hold up all that follow: such a row is dated when it is published.
    timestamp_ms = min(row.timestamp_ms, time.time_ns() // 1_000_000)
    return (
        builder.append(key=row.key, value=row.value, timestamp=timestamp_ms, headers=row.headers)
        is not None
    )


class _Rebalance(ConsumerRebalanceListener):
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ANN401
        if revoked:
            await self._relay.revoked()

    async def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ANN401
        await self._relay.assigned(assigned)
