"""One round's servers: a fresh broker with the workload in it, and an empty Redis."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Literal

from agents.embedded import EmbeddedBroker, EmbeddedRedis, EmbeddedServerError
from agents.kafka import producer
from agents.settings import from_environment
from agents.topics import TopicPlan, create_topics
from tests.bench.processes import cpu_s
from tests.bench.workload import PARTITIONS
from tests.brokers.apache_kafka import ApacheKafka, jars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aiokafka import AIOKafkaProducer

    from agents.embedded import LocalServer
    from agents.settings import Settings
    from tests.bench.workload import Order

BrokerName = Literal["embedded", "apache"]

_REQUEST_BYTES = 900_000
_IN_FLIGHT = 20
_OPEN_FOR_MS = 900_000  # the most that Apache Kafka allows by default
_QUIET_SHARE = 0.1
_QUIET_WITHIN_S = 30.0


class Arena:
    """Where a round takes place: servers, and the workload in the topic `orders`.

    The warm-up can be read at once. The timed part lies behind it in an open transaction: it is
    there, but becomes visible to readers of committed records only with `reveal`.

    Attributes:
        settings: Of a worker; its topics exist.
        broker: The broker.
        redis: Redis, empty.
    """

    def __init__(self, settings: Settings, broker: LocalServer, redis: EmbeddedRedis) -> None:
        self.settings = settings
        self.broker = broker
        self.redis = redis
        self._loop = asyncio.new_event_loop()
        self._writer: AIOKafkaProducer | None = None

    def fill(self, orders: Sequence[Order], warmup: int) -> None:
        """Write the first *warmup* records, then the others in a transaction of their own."""
        self._loop.run_until_complete(self._fill(orders, warmup))

    def reveal(self) -> None:
        """Make the timed part visible; returns once the broker has said so. Once is enough."""
        writer, self._writer = self._writer, None
        if writer is not None:
            self._loop.run_until_complete(writer.commit_transaction())
            self._loop.run_until_complete(writer.stop())

    def close(self) -> None:
        """Give up the connections."""
        self.reveal()
        self._loop.close()

    async def _fill(self, orders: Sequence[Order], warmup: int) -> None:
        await create_topics(self.settings, TopicPlan(partitions=PARTITIONS))
        topic = self.settings.topic("orders")
        writer = producer(
            self.settings,
            transactional_id="bench",
            transaction_timeout_ms=_OPEN_FOR_MS,
            max_request_size=1_000_000,
            max_batch_size=_REQUEST_BYTES,
        )
        await writer.start()
        self._writer = writer
        await writer.begin_transaction()
        await _write(writer, topic, islice(orders, warmup))
        await writer.commit_transaction()
        await writer.begin_transaction()
        await _write(writer, topic, islice(orders, warmup, None))


def available_broker() -> BrokerName:
    """Return Apache Kafka where it can be had (Java, and Maven once), else the embedded broker.

    The embedded broker rewrites all it holds about once a second while anything changes: with a
    day's backlog in it that takes a processor away from the worker, but not from the drain.
    """
    try:
        jars()
    except EmbeddedServerError:
        return "embedded"
    return "apache" if shutil.which("java") else "embedded"


@contextmanager
def arena(broker_name: BrokerName, orders: Sequence[Order], warmup: int) -> Iterator[Arena]:
    """Start the servers, write *orders*, and wait until the broker has nothing left to do."""
    broker: LocalServer = ApacheKafka() if broker_name == "apache" else EmbeddedBroker()
    with broker, EmbeddedRedis() as redis:
        settings = from_environment(kafka=broker.address, redis=redis.url)
        place = Arena(settings, broker, redis)
        try:
            place.fill(orders, warmup)
            await_quiet(broker)
            yield place
        finally:
            place.close()


async def _write(writer: AIOKafkaProducer, topic: str, orders: Iterable[Order]) -> None:
    builders = {number: writer.create_batch() for number in range(PARTITIONS)}
    sent: list[asyncio.Future[object]] = []
    for order in orders:
        row = {"key": order.key, "value": order.value, "timestamp": order.record_ms}
        if builders[order.partition].append(**row) is not None:
            continue
        full, builders[order.partition] = builders[order.partition], writer.create_batch()
        builders[order.partition].append(**row)
        sent.append(await writer.send_batch(full, topic, partition=order.partition))
        if len(sent) >= _IN_FLIGHT:
            await asyncio.gather(*sent)
            sent = []
    for number, builder in builders.items():
        if builder.record_count():
            sent.append(await writer.send_batch(builder, topic, partition=number))
    await asyncio.gather(*sent)


def await_quiet(server: LocalServer) -> None:
    """Wait until *server* uses less than a tenth of a processor; give up after half a minute."""
    give_up = time.monotonic() + _QUIET_WITHIN_S
    before = cpu_s(server.pid)
    while time.monotonic() < give_up:
        time.sleep(1.0)
        now = cpu_s(server.pid)
        if now - before < _QUIET_SHARE:
            return
        before = now
