"""Short ways to say what the integration tests say often to Kafka. No claims here."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.kafka import stop_quietly
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[Any]:
    """An admin client, closed at the end."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def producer(bootstrap: str, **settings: Any) -> AsyncIterator[Any]:
    """A started producer, stopped (and so flushed) at the end."""
    client = AIOKafkaProducer(bootstrap_servers=bootstrap, **settings)
    try:
        await client.start()
        yield client
    finally:
        await client.stop()


@asynccontextmanager
async def consumer(bootstrap: str, *topics: str, **settings: Any) -> AsyncIterator[Any]:
    """A started consumer that begins at the earliest record, stopped at the end."""
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **settings}
    client = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, **settings)
    try:
        await client.start()
        yield client
    finally:
        await stop_quietly(client)


async def create_topic(
    bootstrap: str, name: str, partitions: int = 1, configs: Mapping[str, str] | None = None
) -> None:
    """Create a topic with one replica that keeps its records, however old they say they are."""
    kept = {"retention.ms": "-1", **(configs or {})}
    async with admin(bootstrap) as client:
        topic = NewTopic(name, partitions, 1, topic_configs=kept)
        response = await client.create_topics([topic])
    errors = {entry[0]: entry[1:] for entry in response.topic_errors}
    assert errors[name][0] == 0, errors


async def read(
    bootstrap: str, topic: str, count: int, partitions: Iterable[int] = (0,), **settings: Any
) -> list[Any]:
    """Return the first *count* records of some partitions, in the order they came."""
    records: list[Any] = []
    async with consumer(bootstrap, **settings) as client:
        client.assign([TopicPartition(topic, number) for number in partitions])

        async def enough() -> bool:
            for batch in (await client.getmany(timeout_ms=100)).values():
                records.extend(batch)
            return len(records) >= count

        await wait_for_async(enough, f"{count} records of {topic}")
    return records
