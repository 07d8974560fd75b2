"""What we rely on from any Kafka broker: topics, records, offsets, times, sizes, restarts.

These are tests of the parts, not of tierstream: they say which promises of the protocol the
embedded broker keeps, and they fail when a new version of it, of Kafka or of aiokafka stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from tests.integration.kafka import admin, consumer, create_topic, producer, read
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.embedded import LocalServer

pytestmark = pytest.mark.integration

MEGABYTE = 1 << 20


async def test_a_topic_has_the_partitions_it_was_created_with(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """Created through the admin client, visible to it and to consumers."""
    await create_topic(kafka_bootstrap, topic_prefix + "t", partitions=8)
    async with admin(kafka_bootstrap) as client:
        assert topic_prefix + "t" in await client.list_topics()
        (description,) = await client.describe_topics([topic_prefix + "t"])
    assert {p["partition"] for p in description["partitions"]} == set(range(8))
    async with consumer(kafka_bootstrap, topic_prefix + "t") as client:
        assert client.partitions_for_topic(topic_prefix + "t") == set(range(8))


async def test_creating_a_topic_again_is_refused_by_code_36(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """TOPIC_ALREADY_EXISTS, so that `topics create` may be run twice."""
    await create_topic(kafka_bootstrap, topic_prefix + "t")
    with pytest.raises(AssertionError, match="36"):
        await create_topic(kafka_bootstrap, topic_prefix + "t")


async def test_a_compacted_topic_keeps_its_configuration(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """The configuration is accepted and can be read back."""
    wanted = {"cleanup.policy": "compact", "max.message.bytes": "2000000"}
    await create_topic(kafka_bootstrap, topic_prefix + "t", configs=wanted)
    async with admin(kafka_bootstrap) as client:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic_prefix + "t")
        (response,) = await client.describe_configs([resource])
    configs = {entry[0]: entry[1] for entry in response.resources[0][4]}
    assert {name: configs.get(name) for name in wanted} == wanted


async def test_a_record_comes_back_as_it_was_sent(kafka_bootstrap: str, topic_prefix: str) -> None:
    """Partition, key, value, headers in order, and the timestamp of 1997."""
    topic = topic_prefix + "t"
    await create_topic(kafka_bootstrap, topic, partitions=4)
    headers = [("ce_id", b"1"), ("empty", b""), ("ce_id", "zwölf".encode())]
    async with producer(kafka_bootstrap) as client:
        sent = await client.send_and_wait(
            topic, b"v", key=b"k", partition=3, timestamp_ms=852_076_800_000, headers=headers
        )
        await client.send_and_wait(topic, None, key=b"k", partition=3, timestamp_ms=0)
    record, tombstone = await read(kafka_bootstrap, topic, 2, partitions=[3])
    assert (sent.partition, sent.offset) == (3, 0)
    assert (record.key, record.value, record.timestamp) == (b"k", b"v", 852_076_800_000)
    assert record.timestamp_type == 0
    assert list(record.headers) == headers
    assert (tombstone.key, tombstone.value, tombstone.timestamp) == (b"k", None, 0)


async def test_compressed_batches_pass(kafka_bootstrap: str, topic_prefix: str) -> None:
    """Gzip, the one codec that needs no further package."""
    topic = topic_prefix + "t"
    await create_topic(kafka_bootstrap, topic)
    async with producer(kafka_bootstrap, compression_type="gzip", linger_ms=50) as client:
        for number in range(200):
            await client.send(topic, b"%d" % number, timestamp_ms=number)
    records = await read(kafka_bootstrap, topic, 200)
    expected = [(b"%d" % number, number, number) for number in range(200)]
    assert [(r.value, r.offset, r.timestamp) for r in records] == expected


async def test_offsets_and_high_watermark_agree(kafka_bootstrap: str, topic_prefix: str) -> None:
    """beginning, end, highwater and getmany tell one story; getmany keeps to its maximum."""
    topic, partition = topic_prefix + "t", TopicPartition(topic_prefix + "t", 1)
    await create_topic(kafka_bootstrap, topic, partitions=2)
    async with producer(kafka_bootstrap) as client:
        for number in range(250):
            await client.send(topic, b"%d" % number, partition=1)
    async with consumer(kafka_bootstrap) as client:
        client.assign([TopicPartition(topic, 0), partition])
        ends = await client.end_offsets([TopicPartition(topic, 0), partition])
        begins = await client.beginning_offsets([partition])
        values: list[bytes] = []

        async def all_read() -> bool:
            batches = await client.getmany(timeout_ms=100, max_records=100)
            assert sum(map(len, batches.values())) <= 100
            values.extend(record.value for batch in batches.values() for record in batch)
            return len(values) == 250

        await wait_for_async(all_read, "250 records")
        assert client.highwater(partition) == 250
        assert await client.position(partition) == 250
    assert (ends[TopicPartition(topic, 0)], ends[partition], begins[partition]) == (0, 250, 0)
    assert values == [b"%d" % number for number in range(250)]


async def test_seeking_reads_on_from_any_offset(kafka_bootstrap: str, topic_prefix: str) -> None:
    """Back and forth, as a worker does that follows the cursor in Redis."""
    partition = TopicPartition(topic_prefix + "t", 0)
    await create_topic(kafka_bootstrap, partition.topic)
    async with producer(kafka_bootstrap) as client:
        for number in range(20):
            await client.send_and_wait(partition.topic, b"%d" % number)
    async with consumer(kafka_bootstrap) as client:
        client.assign([partition])
        for offset in (15, 3, 19, 0):
            client.seek(partition, offset)
            record = await client.getone()
            assert (record.offset, record.value) == (offset, b"%d" % offset)


async def test_offsets_are_found_by_time(kafka_bootstrap: str, topic_prefix: str) -> None:
    """The first record at or after the instant; None when there is none."""
    partition = TopicPartition(topic_prefix + "t", 0)
    await create_topic(kafka_bootstrap, partition.topic)
    async with producer(kafka_bootstrap) as client:
        for number in range(10):
            await client.send_and_wait(partition.topic, b"v", timestamp_ms=1_000 * (number + 1))
    async with consumer(kafka_bootstrap) as client:
        client.assign([partition])
        found = {
            instant: (await client.offsets_for_times({partition: instant}))[partition]
            for instant in (1, 4_000, 4_001, 10_001)
        }
    assert {at: answer and tuple(answer) for at, answer in found.items()} == {
        1: (0, 1_000),
        4_000: (3, 4_000),
        4_001: (4, 5_000),
        10_001: None,
    }


async def test_the_producer_refuses_what_is_over_its_own_limit(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """The client's max_request_size, one MiB unless told otherwise, counts before sending."""
    await create_topic(kafka_bootstrap, topic_prefix + "t")
    async with producer(kafka_bootstrap) as client:
        with pytest.raises(MessageSizeTooLargeError):
            await client.send_and_wait(topic_prefix + "t", b"x" * (10 * MEGABYTE))


async def test_a_topic_that_allows_it_takes_ten_megabytes(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """And a consumer with small fetch limits still gets it: limits never stop progress."""
    topic = topic_prefix + "t"
    await create_topic(kafka_bootstrap, topic, configs={"max.message.bytes": str(16 * MEGABYTE)})
    async with producer(kafka_bootstrap, max_request_size=16 * MEGABYTE) as client:
        await client.send_and_wait(topic, b"x" * (10 * MEGABYTE))
        await client.send_and_wait(topic, b"after")
    small, large = await read(kafka_bootstrap, topic, 2), 10 * MEGABYTE
    assert [len(record.value) for record in small] == [large, 5]


async def test_a_topic_refuses_a_record_over_its_limit(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """MESSAGE_TOO_LARGE from the broker, one MiB unless the topic says otherwise."""
    await create_topic(kafka_bootstrap, topic_prefix + "t")
    async with producer(kafka_bootstrap, max_request_size=16 * MEGABYTE) as client:
        with pytest.raises(MessageSizeTooLargeError):
            await client.send_and_wait(topic_prefix + "t", b"x" * (10 * MEGABYTE))


async def test_clients_live_through_a_restart_of_the_broker(
    new_broker: Callable[[], LocalServer], topic_prefix: str
) -> None:
    """Records, offsets and clients survive an orderly restart on the same address."""
    broker, topic = new_broker(), topic_prefix + "t"
    await create_topic(broker.address, topic)
    async with producer(broker.address) as sender, consumer(broker.address) as reader:
        reader.assign([TopicPartition(topic, 0)])
        await sender.send_and_wait(topic, b"before")
        assert (await reader.getone()).value == b"before"
        broker.restart()

        async def sent() -> bool:
            try:
                await sender.send_and_wait(topic, b"after")
            except KafkaError:
                return False
            return True

        await wait_for_async(sent, "a record to be accepted after the restart", 40)
        record = await reader.getone()
        assert (record.value, record.offset) == (b"after", 1)
