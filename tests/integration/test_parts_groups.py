"""What the scoring service relies on: how a group shares partitions, and shares them anew."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from tests.integration.kafka import consumer, create_topic
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.integration

TOPICS = ("orders", "interactions", "profiles", "controls")
PARTITIONS = 8


def shares(members: Iterable[Any]) -> list[dict[str, set[int]]]:
    """Return, per member, the partition numbers it holds of each topic."""
    held: list[dict[str, set[int]]] = []
    for member in members:
        numbers: dict[str, set[int]] = defaultdict(set)
        for partition in member.assignment():
            numbers[partition.topic].add(partition.partition)
        held.append(dict(numbers))
    return held


def shared_out(members: Iterable[Any], topics: Iterable[str]) -> bool:
    """Every member holds something, and together they hold every partition exactly once."""
    held = shares(members)
    return all(held) and all(
        sorted(number for share in held for number in share.get(topic, ())) == [*range(PARTITIONS)]
        for topic in topics
    )


async def join(stack: AsyncExitStack, bootstrap: str, prefix: str) -> Any:
    """Start one member of the group on the four topics."""
    member = consumer(
        bootstrap,
        *(prefix + topic for topic in TOPICS),
        group_id=prefix + "g",
        partition_assignment_strategy=(RangePartitionAssignor,),
        session_timeout_ms=6_000,
        heartbeat_interval_ms=200,
    )
    return await stack.enter_async_context(member)


async def test_the_range_assignor_gives_equal_numbers_of_every_topic(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """Partition n of the four topics goes to one member, before and after one has left."""
    topics = [topic_prefix + topic for topic in TOPICS]
    for topic in topics:
        await create_topic(kafka_bootstrap, topic, PARTITIONS)
    async with AsyncExitStack() as stack:
        members = [await join(stack, kafka_bootstrap, topic_prefix) for _ in range(3)]
        await wait_for_async(lambda: shared_out(members, topics), "three equal shares", 40)
        for share in shares(members):
            assert len({frozenset(share[topic]) for topic in topics}) == 1, share
        await members.pop().stop()
        await wait_for_async(lambda: shared_out(members, topics), "two equal shares", 40)
        for share in shares(members):
            assert len({frozenset(share[topic]) for topic in topics}) == 1, share


async def test_a_newcomer_starts_where_the_group_committed(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """Committed offsets pass from member to member."""
    topics = [topic_prefix + topic for topic in TOPICS]
    for topic in topics:
        await create_topic(kafka_bootstrap, topic, PARTITIONS)
    partition = TopicPartition(topics[0], 3)
    async with AsyncExitStack() as stack:
        first = await join(stack, kafka_bootstrap, topic_prefix)
        await wait_for_async(lambda: shared_out([first], topics), "the whole share", 40)
        await first.commit({partition: 17})
        await first.stop()
        second = await join(stack, kafka_bootstrap, topic_prefix)
        await wait_for_async(lambda: shared_out([second], topics), "the whole share", 40)
        assert await second.committed(partition) == 17


@pytest.mark.kafka  # the embedded broker never puts a killed member out
async def test_a_killed_members_share_is_taken_over(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    """No farewell, as after SIGKILL: the group moves on when the session has timed out."""
    topics = [topic_prefix + topic for topic in TOPICS]
    for topic in topics:
        await create_topic(kafka_bootstrap, topic, PARTITIONS)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("group_member.py"))),
        *(kafka_bootstrap, topic_prefix + "g", *topics),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"joined\n"
        async with AsyncExitStack() as stack:
            member = await join(stack, kafka_bootstrap, topic_prefix)
            await wait_for_async(lambda: 0 < len(member.assignment()) < 32, "a part", 40)
            process.kill()
            await wait_for_async(lambda: shared_out([member], topics), "the whole share", 40)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
