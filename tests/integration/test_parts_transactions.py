"""What the outbox relay relies on: idempotence, transactions, fencing, offsets with metadata."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from tests.integration.kafka import admin, consumer, create_topic, producer, read
from tests.waiting import wait_for_async

pytestmark = pytest.mark.integration


async def test_an_idempotent_producer_writes_in_order_once(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """Many unawaited sends arrive complete and in order."""
    topic = topic_prefix + "t"
    await create_topic(kafka_bootstrap, topic)
    async with producer(kafka_bootstrap, enable_idempotence=True) as client:
        pending = [await client.send(topic, b"%d" % number) for number in range(2_000)]
        await asyncio.gather(*pending)
    records = await read(kafka_bootstrap, topic, 2_000)
    assert [record.value for record in records] == [b"%d" % number for number in range(2_000)]


async def test_read_committed_sees_committed_records_only(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """An aborted transaction leaves nothing for read_committed, and hides nothing after it."""
    topic = topic_prefix + "t"
    await create_topic(kafka_bootstrap, topic)
    async with producer(kafka_bootstrap, transactional_id=topic_prefix + "x") as client:
        async with client.transaction():
            await client.send(topic, b"kept")
        await client.begin_transaction()
        await client.send_and_wait(topic, b"aborted")
        await client.abort_transaction()
        async with client.transaction():
            await client.send(topic, b"kept too")
    committed = await read(kafka_bootstrap, topic, 2, isolation_level="read_committed")
    everything = await read(kafka_bootstrap, topic, 3)
    assert [record.value for record in committed] == [b"kept", b"kept too"]
    assert [record.value for record in everything] == [b"kept", b"aborted", b"kept too"]


async def test_read_committed_waits_for_an_open_transaction(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """Records behind an open transaction stay hidden until its outcome is known."""
    partition = TopicPartition(topic_prefix + "t", 0)
    await create_topic(kafka_bootstrap, partition.topic)
    async with (
        producer(kafka_bootstrap, transactional_id=topic_prefix + "x") as slow,
        producer(kafka_bootstrap) as plain,
        consumer(kafka_bootstrap, isolation_level="read_committed") as client,
    ):
        client.assign([partition])
        await slow.begin_transaction()
        await slow.send_and_wait(partition.topic, b"open")
        await plain.send_and_wait(partition.topic, b"behind")

        async def has_read() -> bool:
            assert await client.getmany(timeout_ms=500) == {}
            return client.last_stable_offset(partition) is not None

        await wait_for_async(has_read, "the broker's answer")
        assert client.last_stable_offset(partition) == 0
        await slow.commit_transaction()
        first, second = await client.getone(), await client.getone()
    assert [first.value, second.value] == [b"open", b"behind"]


async def go_on(client: Any, topic: str) -> None:
    """Send and commit; a broker may notice the fence at either."""
    await client.send_and_wait(topic, b"too late")
    await client.commit_transaction()


async def test_a_second_producer_fences_the_first(kafka_bootstrap: str, topic_prefix: str) -> None:
    """Same transactional id: the older one cannot commit any more, its records are aborted."""
    topic, name = topic_prefix + "t", topic_prefix + "x"
    await create_topic(kafka_bootstrap, topic)
    async with producer(kafka_bootstrap, transactional_id=name) as older:
        await older.begin_transaction()
        await older.send_and_wait(topic, b"older")
        async with producer(kafka_bootstrap, transactional_id=name) as younger:
            async with younger.transaction():
                await younger.send(topic, b"younger")
            with pytest.raises(ProducerFenced):
                await go_on(older, topic)
    (record,) = await read(kafka_bootstrap, topic, 1, isolation_level="read_committed")
    assert record.value == b"younger"


@pytest.mark.parametrize("size", [0, 200, 3_000])
async def test_a_transaction_commits_an_offset_and_its_metadata(
    kafka_bootstrap: str, topic_prefix: str, size: int
) -> None:
    """The relay's marker: written with the records, readable without being in the group."""
    topic, group = topic_prefix + "t", topic_prefix + "g"
    marker = TopicPartition(topic_prefix + "outbox", 2)
    text = ("ä{[:]}" * 1_000)[: size // 2].ljust(size, "7")[:size]
    await create_topic(kafka_bootstrap, topic)
    await create_topic(kafka_bootstrap, marker.topic, partitions=4)
    async with producer(kafka_bootstrap, transactional_id=topic_prefix + "x") as client:
        async with client.transaction():
            await client.send(topic, b"v")
            await client.send_offsets_to_transaction({marker: OffsetAndMetadata(41, text)}, group)
        await client.begin_transaction()
        await client.send_offsets_to_transaction({marker: OffsetAndMetadata(99, "no")}, group)
        await client.abort_transaction()
    async with admin(kafka_bootstrap) as client:
        offsets = await client.list_consumer_group_offsets(group)
        named = await client.list_consumer_group_offsets(group, partitions=[marker])
    assert offsets[marker] == named[marker] == OffsetAndMetadata(41, text)


async def test_a_committed_marker_is_seen_by_the_next_producer_at_once(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """After its commit returned, and after a successor took over, never the value before it."""
    group, marker = topic_prefix + "g", TopicPartition(topic_prefix + "outbox", 0)
    await create_topic(kafka_bootstrap, marker.topic)
    async with admin(kafka_bootstrap) as reader:
        for row in range(1, 11):
            async with producer(kafka_bootstrap, transactional_id=topic_prefix + "x") as client:
                offsets = await reader.list_consumer_group_offsets(group, partitions=[marker])
                assert offsets[marker].offset == (row - 1 or -1)
                async with client.transaction():
                    await client.send_offsets_to_transaction({marker: row}, group)


async def test_a_consumer_commits_metadata_too(kafka_bootstrap: str, topic_prefix: str) -> None:
    """Group offsets outside transactions, as lag monitors read them."""
    group, partition = topic_prefix + "g", TopicPartition(topic_prefix + "t", 0)
    await create_topic(kafka_bootstrap, partition.topic)
    async with consumer(kafka_bootstrap, group_id=group) as client:
        client.assign([partition])
        await client.commit({partition: OffsetAndMetadata(5, "note")})
        assert await client.committed(partition) == 5
    async with admin(kafka_bootstrap) as client:
        offsets = await client.list_consumer_group_offsets(group)
    assert offsets == {partition: OffsetAndMetadata(5, "note")}
