"""The whole log of one partition number, in the order in which a worker applies it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.structs import TopicPartition

from agents.clock import newest_promise
from agents.merge import Merge
from agents.ownership import source_name
from agents.reading import cut_after_edition
from agents.rebuilding.errors import RebuildError
from agents.replay.reading import read, reader, spans
from agents.replay.retention import topic_configs
from agents.settings import INPUTS
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agents.merge import Run
    from agents.settings import Settings

BATCH = 5_000


class Past(NamedTuple):
    """What happened up to an instant.

    Attributes:
        runs: Records in the order of processing.
        positions: Next offset to apply, by source.
        until_ms: Everything up to this instant is in it; None if nothing tells how far time is.
        records: How many there are.
    """

    runs: list[Run]
    positions: dict[str, int]
    until_ms: int | None
    records: int


async def check_kept(settings: Settings, counts: dict[str, int]) -> int:
    """Look whether the input topics still hold every record that they were ever given.

    Returns how many offsets that are.

    Raises:
        RebuildError: They do not.
    """
    configs = await topic_configs(settings, counts)
    for name, config in configs.items():
        if "compact" in config.get("cleanup.policy", ""):
            raise RebuildError(f"{name} is compacted: it does not hold every record any more")
    async with reader(settings) as client:
        held = await spans(client, counts)
    for tp, (first, _) in sorted(held.items()):
        if first:
            raise RebuildError(
                f"{tp.topic} partition {tp.partition} begins at offset {first}: what came before "
                "was deleted, and Redis cannot be rebuilt without it; restore a backup of Redis"
            )
    return sum(end for _, end in held.values())


async def read_past(
    settings: Settings,
    number: int,
    progress: Callable[[int], None] | None = None,
    start: Mapping[str, int] | None = None,
) -> Past:
    """Read what all input topics hold now of partition *number*.

    Args:
        settings: Where Kafka is. On the stream clock, what comes after the last instant that the
            log promises is left out.
        number: Of the partition.
        progress: Told how many records were read since it was last called.
        start: The first offset by source; without it, the log is read from its beginning.

    Raises:
        aiokafka.errors.KafkaError: The broker does not answer.
    """
    bases = {settings.topic(base): base for base in INPUTS}
    merge = Merge({topic: rank for rank, topic in enumerate(bases)})
    seen_ms = time.time_ns() // 1_000_000 - settings.clock_slack_ms
    promised_ms: int | None = None
    records = 0
    async with reader(settings) as client:
        partitions = [TopicPartition(topic, number) for topic in bases]
        held = {
            tp: ((start or {}).get(source_name(bases[tp.topic], number), first), end)
            for tp, (first, end) in (await spans(client, dict.fromkeys(bases, number + 1))).items()
            if tp in partitions
        }
        async for record in read(client, held):
            merge.add(TopicPartition(record.topic, number), [record])
            records += 1
            if progress is not None and records % BATCH == 0:
                progress(BATCH)
            if bases[record.topic] == "controls":
                instant_ms = newest_promise([record])
                promised_ms = max(filter(None, (promised_ms, instant_ms)), default=None)
    if progress is not None:
        progress(records % BATCH)
    until_ms = promised_ms if settings.clock == "stream" else seen_ms
    limit_ms = NEVER if settings.clock == "wall" else -1 if until_ms is None else until_ms
    runs = merge.release_until(limit_ms)
    positions = {}
    for tp, (_, end) in held.items():
        left = merge.held.get(tp)
        positions[source_name(bases[tp.topic], number)] = left[0].offset if left else end
    return Past(runs, positions, until_ms, records)


def batches(runs: list[Run], controls: str) -> Iterator[list[Run]]:
    """Cut *runs* into micro-batches; one ends where a control may begin an edition.

    Args:
        runs: In the order of processing.
        controls: Full name of the topic of controls.
    """
    while runs:
        taken, runs, _ = cut_after_edition(runs, controls)
        batch: list[Run] = []
        size = 0
        for tp, records in taken:
            for start in range(0, len(records), BATCH):
                part = records[start : start + BATCH]
                batch.append((tp, part))
                size += len(part)
                if size >= BATCH:
                    yield batch
                    batch, size = [], 0
        if batch:
            yield batch
