"""The relay's markers: up to which row each bucket's outbox has been published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.structs import TopicPartition

from agents.kafka import admin
from agents.settings import OUTBOX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agents.settings import Settings

GROUP = "outbox-marks"


def encode_marker(rows: Mapping[int, int]) -> str:
    """Return the marker of a shard: published rows by bucket, in hexadecimal.

    >>> encode_marker({0: 10, 8: 255})
    'a,ff'
    """
    return ",".join(f"{rows[bucket]:x}" for bucket in sorted(rows))


def decode_marker(text: str, buckets: Iterable[int]) -> dict[int, int]:
    """Rebuild what `encode_marker` wrote; an empty text is the marker before the first row.

    >>> decode_marker("a,ff", [0, 8])
    {0: 10, 8: 255}
    """
    ordered = sorted(buckets)
    if not text:
        return dict.fromkeys(ordered, 0)
    return dict(zip(ordered, (int(row, 16) for row in text.split(",")), strict=True))


async def read_markers(settings: Settings, shards: Iterable[int]) -> dict[int, str]:
    """Return the marker of each of *shards*, "" where nothing was published yet.

    Raises:
        aiokafka.errors.KafkaError: The broker does not answer, or refuses.
    """
    topic = settings.topic(OUTBOX)
    partitions = [TopicPartition(topic, shard) for shard in shards]
    client = admin(settings)
    try:
        await client.start()
        marks = await client.list_consumer_group_offsets(settings.group(GROUP), None, partitions)
    finally:
        await client.close()
    found = dict.fromkeys((tp.partition for tp in partitions), "")
    for tp, mark in marks.items():
        if mark.offset >= 0:
            found[tp.partition] = mark.metadata or ""
    return found


def published_rows(markers: Mapping[int, str], buckets: int) -> dict[int, int]:
    """Return the newest published row by bucket, given the markers of all shards.

    Raises:
        ValueError: The markers are of another number of buckets.
    """
    rows: dict[int, int] = {}
    for shard, text in markers.items():
        rows |= decode_marker(text, range(shard, buckets, len(markers)))
    return rows
