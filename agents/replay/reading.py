"""Reading a stretch of a topic from its first to its last record, once, without a group."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka.structs import TopicPartition

from agents import kafka

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from agents.settings import Settings

Span = tuple[int, int]
"""Offset of the first record, and the offset after the last one."""

_FETCH_MS = 500
_TAIL = 20


class MissingTopicError(Exception):
    """A topic does not exist; the message is one line that says what to do."""


@asynccontextmanager
async def reader(settings: Settings) -> AsyncIterator[Any]:
    """Give a consumer without a group, nothing assigned to it."""
    client = kafka.consumer(settings)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def partitions_of(settings: Settings, topics: Iterable[str]) -> dict[str, int]:
    """Return the number of partitions of each of *topics*, by full name.

    Raises:
        MissingTopicError: One does not exist.
    """
    names = list(topics)
    admin = kafka.admin(settings)
    await admin.start()
    try:
        # Asking for a topic by name may create it: look among those that there are.
        existing = set(await admin.list_topics())
        missing = [name for name in names if name not in existing]
        if missing:
            raise MissingTopicError(
                f"{settings.kafka} has no topic {', '.join(missing)}; run: tierstream topics create"
            )
        described = await admin.describe_topics(names)
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def spans(client: Any, counts: Mapping[str, int]) -> dict[TopicPartition, Span]:  # noqa: ANN401
    """Return what every partition holds now, given the number of partitions by topic."""
    partitions = [
        TopicPartition(name, number) for name, count in counts.items() for number in range(count)
    ]
    firsts = await client.beginning_offsets(partitions)
    ends = await client.end_offsets(partitions)
    return {tp: (firsts[tp], ends[tp]) for tp in partitions}


async def read(client: Any, stretches: Mapping[TopicPartition, Span]) -> AsyncIterator[Any]:  # noqa: ANN401
    """Yield the committed records of *stretches*: in offset order per partition, else mixed."""
    # Nothing may be assigned just before the client is stopped: its fetcher can miss being
    # cancelled while it takes over an assignment (see aio-libs/aiokafka#1007).
    unread = {tp: end for tp, (first, end) in stretches.items() if first < end}
    if not unread:
        return
    client.assign(list(unread))
    for tp in unread:
        client.seek(tp, stretches[tp][0])
    while unread:
        fetched = await client.getmany(timeout_ms=_FETCH_MS)
        for tp, records in fetched.items():
            for record in records:
                if record.offset < stretches[tp][1]:
                    yield record
        for tp, end in list(unread.items()):
            # Past the marks of transactions, which are offsets without a record.
            if await client.position(tp) >= end:
                del unread[tp]


async def without_marks(
    settings: Settings, held: Mapping[TopicPartition, Span]
) -> dict[TopicPartition, Span]:
    """Return *held* up to the last committed record of each partition.

    Behind it there may be marks of transactions, and records of aborted ones: offsets that
    nobody ever applies. A mark may be written after its transaction was said to be committed,
    and so behind records that were sent later.
    """
    found = {}
    async with reader(settings) as client:
        for tp, (first, end) in held.items():
            last, tail = first, _TAIL
            while last == first and first < end:
                start = max(first, end - tail)
                async for record in read(client, {tp: (start, end)}):
                    last = record.offset + 1
                if start == first:
                    break
                tail *= _TAIL
            found[tp] = first, last
    return found
