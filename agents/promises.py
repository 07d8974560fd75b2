"""Promises about stream time behind the cursors: they are not read again, but still hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.structs import TopicPartition

from agents.clock import newest_promise
from agents.replay.reading import read, reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.settings import Settings


async def promised_before(
    settings: Settings, positions: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Return the latest instant that was promised before each position, in ms; none where none was.

    Args:
        settings: Where Kafka is.
        positions: Partitions of the topic of controls, each with an offset.

    Raises:
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    newest: dict[TopicPartition, int] = {}
    async with reader(settings) as client:
        firsts = await client.beginning_offsets(list(positions))
        ends = await client.end_offsets(list(positions))
        stretches = {tp: (firsts[tp], min(upto, ends[tp])) for tp, upto in positions.items()}
        async for record in read(client, stretches):
            instant_ms = newest_promise([record])
            if instant_ms is not None:
                tp = TopicPartition(record.topic, record.partition)
                newest[tp] = max(newest.get(tp, instant_ms), instant_ms)
    return newest
