"""Reading refused records once more: what goes to the dead letters is what the log holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from agents.replay.reading import read, reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.intake import Place
    from agents.settings import Settings
    from agents.unwrapped import Record


async def read_again(settings: Settings, places: Sequence[Place]) -> dict[Place, Record]:
    """Return the records at *places*; seldom asked for, so with a consumer of its own.

    Raises:
        KafkaError: They cannot be read, or are not there any more.
    """
    if not places:
        return {}
    spans: dict[TopicPartition, tuple[int, int]] = {}
    for tp, offset in places:
        first, end = spans.get(tp, (offset, offset + 1))
        spans[tp] = min(first, offset), max(end, offset + 1)
    wanted, found = set(places), {}
    async with reader(settings) as client:
        async for record in read(client, spans):
            place = TopicPartition(record.topic, record.partition), record.offset
            if place in wanted:
                found[place] = record
    gone = wanted - found.keys()
    if gone:
        raise OffsetOutOfRangeError(f"{len(gone)} refused records, gone meanwhile")
    return found
