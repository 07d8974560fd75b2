"""`tierstream doctor` and the safety of replays, against a real broker."""

from __future__ import annotations

import uuid
from zlib import crc32

import pytest

from agents import kafka
from agents.cli.checks_kafka import check_kafka
from agents.cli.topics import create
from agents.replay.export_live import Wanted, catch_up
from agents.replay.log import OrderRow, order_records
from agents.replay.producer import ReplayTargetError, replay_live
from agents.replay.reading import MissingTopicError, partitions_of, read, reader, spans
from agents.replay.retention import FOREVER, topic_configs
from agents.settings import Settings
from agents.topics import TopicPlan
from stream.adapters.memory_store import MemoryStore
from stream.calendar import DAY_MS, format_instant
from tests.unit.replay.histories import small_plan

pytestmark = pytest.mark.integration

PARTITIONS = 4
NEW_YEAR_MS = 852_076_800_000
LOG = order_records(
    OrderRow(f"c{n}", "1", "paid", format_instant(at), at, 100, "USD")
    for n in range(60)
    for at in [NEW_YEAR_MS + n * DAY_MS]
)


@pytest.fixture
def settings(kafka_bootstrap: str) -> Settings:
    return Settings(kafka=kafka_bootstrap, namespace=f"t{uuid.uuid4().hex[:8]}")


async def installed(settings: Settings, retention_ms: int | None = FOREVER) -> None:
    await create(settings, TopicPlan(PARTITIONS), retention_ms)


async def levels(settings: Settings) -> dict[str, str]:
    return {f.what: f.level for f in await check_kafka(settings, 100)}


async def test_missing_topics_are_told_and_created_ones_are_fine(settings: Settings) -> None:
    assert (await levels(settings))["topics"] == "fail"
    await installed(settings)
    found = await levels(settings)
    assert set(found.values()) == {"ok"}, found


async def test_records_where_java_would_not_put_them_are_told_with_their_share(
    settings: Settings,
) -> None:
    """The default partitioner of librdkafka is CRC-32: it puts customers elsewhere."""
    await installed(settings)
    client = kafka.producer(settings)
    await client.start()
    try:
        for record in LOG:
            await client.send_and_wait(
                settings.topic("orders"),
                record.value,
                key=record.key,
                partition=crc32(record.key) % PARTITIONS,
            )
    finally:
        await client.stop()
    found = {f.what: f for f in await check_kafka(settings, 100)}
    wrong = sum(kafka.partition_of(r.key, PARTITIONS) != crc32(r.key) % PARTITIONS for r in LOG)
    assert found["partitioner"].level == "warn"
    assert f"{100 * wrong / len(LOG):.0f} % of 60" in found["partitioner"].text
    assert found["keys"].level == "ok"


async def test_a_replay_is_placed_keyed_and_timed_as_producers_should(settings: Settings) -> None:
    await installed(settings)
    sent = await replay_live(settings, LOG, step_records=10)
    assert (sent.records, sent.clock_records) == (60, 6 * PARTITIONS)
    assert (await levels(settings))["partitioner"] == "ok"
    async with reader(settings) as client:
        held = await spans(client, await partitions_of(settings, [settings.topic("orders")]))
        records = [record async for record in read(client, held)]
    times = {(record.key, record.timestamp, record.value) for record in records}
    assert times == {(r.key, r.record_ms, r.value) for r in LOG}


async def test_a_replay_refuses_topics_that_would_delete_its_records(settings: Settings) -> None:
    """Kafka deletes by the records' own timestamps, and those of a replay are old."""
    await installed(settings, 30 * DAY_MS)
    with pytest.raises(ReplayTargetError, match="--retention forever"):
        await replay_live(settings, LOG)
    assert (await levels(settings))["retention"] == "warn"


async def test_setting_the_retention_leaves_compaction_alone(settings: Settings) -> None:
    await installed(settings)
    configs = await topic_configs(settings, map(settings.topic, ("orders", "customer-tiers")))
    assert configs[settings.topic("orders")]["retention.ms"] == "-1"
    assert configs[settings.topic("customer-tiers")]["cleanup.policy"] == "compact"


async def test_a_replay_into_missing_topics_creates_none(settings: Settings) -> None:
    with pytest.raises(MissingTopicError, match="tierstream topics create"):
        await replay_live(settings, LOG)
    assert (await levels(settings))["topics"] == "fail"


async def test_an_export_says_what_it_waits_for(settings: Settings) -> None:
    """Without a worker nothing is applied; the line names how far a partition is."""
    await installed(settings)
    await replay_live(settings, LOG)
    said: list[str] = []
    with pytest.raises(Exception, match="is a worker running"):
        await catch_up(settings, MemoryStore(), small_plan(), Wanted(within_s=0.0), said.append)
    assert len(said) == 1
    assert "input records to be applied" in said[0]
