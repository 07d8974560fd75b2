"""Promises about stream time behind the cursors: they are not read again, but still hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.clock import newest_promise
from agents.kafka import consumer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka.structs import TopicPartition

    from agents.settings import Settings

_POLL_MS = 200


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
    client = consumer(settings)
    await client.start()
    try:
        client.assign(list(positions))
        await client.seek_to_beginning(*positions)
        ends = await client.end_offsets(list(positions))
        upto = {tp: min(position, ends[tp]) for tp, position in positions.items()}
        newest: dict[TopicPartition, int] = {}
        left = set(positions)
        while left := {tp for tp in left if await client.position(tp) < upto[tp]}:
            for tp, records in (await client.getmany(*left, timeout_ms=_POLL_MS)).items():
                instant_ms = newest_promise(r for r in records if r.offset < upto[tp])
                if instant_ms is not None:
                    newest[tp] = max(newest.get(tp, instant_ms), instant_ms)
        return newest
    finally:
        await client.stop()
