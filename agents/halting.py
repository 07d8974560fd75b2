"""Partitions that stand still because of a record, until a person lets them go on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from agents.ownership import source_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import TopicPartition

    from agents.intake import Batch
    from agents.ownership import Ownership
    from agents.store_thread import StoreThread
    from stream.store import Store

log = structlog.get_logger(__name__)


class Halting:
    """Keeps halts in the store, where whoever owns the partition next finds them."""

    def __init__(
        self, thread: StoreThread[Store], ownership: Ownership, consumer: AIOKafkaConsumer
    ) -> None:
        """Halt partitions of *ownership*, that *consumer* reads."""
        self._thread = thread
        self._ownership = ownership
        self._consumer = consumer

    async def halt(self, batch: Batch) -> None:
        """Read no more from the partitions in which *batch* has found what cannot be passed."""
        for tp, (offset, why) in batch.halts.items():
            reason = f"offset {offset}: {why}"
            await self._thread.run(partial(self._thread.store.halt, self._source(tp), reason))
            self._consumer.pause(tp)
            log.error("partition_halted", topic=tp.topic, partition=tp.partition, why=reason)

    async def released(self, halted: Collection[TopicPartition]) -> bool:
        """Say whether one of the partitions that are *halted* was let go, and resume it."""
        halts = await self._thread.run(self._thread.store.halts)
        for tp in halted:
            if self._source(tp) not in halts:
                self._consumer.resume(tp)
                return True
        return False

    def _source(self, tp: TopicPartition) -> str:
        return source_name(self._ownership.assigned[tp], tp.partition)
