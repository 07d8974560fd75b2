"""Opening buckets: fence whoever had them, and read on where what they store says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import structlog

from agents.intake import Intake
from agents.ownership import Ownership, source_name
from agents.preflight import check_partitions
from agents.reading import Reading
from agents.rebuilding.lost import check_state
from agents.settings import INPUTS

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import TopicPartition

    from agents.metrics import Metrics
    from agents.settings import Settings
    from agents.store_thread import StoreThread
    from stream.store import Store

log = structlog.get_logger(__name__)


class Opened(NamedTuple):
    """What reads the partitions that were opened, and sorts what is read."""

    reading: Reading
    intake: Intake


class Opening:
    """Opens the home buckets of partitions and seeks to their cursors."""

    def __init__(
        self,
        settings: Settings,
        thread: StoreThread[Store],
        ownership: Ownership,
        consumer: AIOKafkaConsumer,
        metrics: Metrics,
    ) -> None:
        """Open into *ownership*, through the store's *thread*."""
        self._settings = settings
        self._thread = thread
        self._ownership = ownership
        self._consumer = consumer
        self._metrics = metrics

    async def open(self, partitions: list[TopicPartition]) -> Opened:
        """Forget everything known until now, and start over from what the store holds.

        Raises:
            StoreUnavailable, KafkaError: Nothing may be read; try again. Among them `StateLost`.
            StoreMismatch, SettingsError: Nothing but a person can help.
        """
        count = self._partition_count()
        numbers = {tp.partition for tp in partitions}
        home = [b for b in range(self._settings.buckets) if b % count in numbers]
        await check_state(
            self._settings, await self._thread.run(lambda: self._thread.store.heads(home))
        )
        resume = await self._thread.run(lambda: self._ownership.open(partitions, count))
        halts = await self._thread.run(self._thread.store.halts)
        self._metrics.store_up.labels("scoring").set(1)
        intake = Intake(self._settings, self._metrics, self._ownership)
        first = await self._consumer.beginning_offsets(partitions) if partitions else {}
        positions = {}
        for tp, cursor in resume.items():
            base = self._ownership.assigned[tp]
            if cursor is not None and cursor < first[tp]:
                self._metrics.gaps.labels(base).inc(first[tp] - cursor)
                log.error("input_gap", topic=tp.topic, partition=tp.partition, cursor=cursor)
            positions[tp] = max(first[tp], cursor or 0)
            if source_name(base, tp.partition) in halts:
                intake.halted.add(tp)
        reading = Reading(self._settings, self._ownership, self._consumer, positions, intake.halted)
        reading.seek_back()
        if self._settings.clock == "stream":
            await reading.recall()
        if intake.halted:
            self._consumer.pause(*intake.halted)
        self._metrics.halted.set(len(intake.halted))
        self._metrics.owned_buckets.set(len(self._ownership.at_home()))
        return Opened(reading, intake)

    def tell_policies(self) -> None:
        """Say which policy is in force: a published one stands before the worker's own."""
        own = self._ownership.scorer.plan
        for (name, version), buckets in policies(self._ownership).items():
            log.info(
                "policy_in_force",
                policy=name,
                version=version,
                buckets=buckets,
                published=(name, version) != (own.name, own.version),
                own=f"{own.name} version {own.version}",
            )

    def _partition_count(self) -> int:
        topics = [self._settings.topic(base) for base in INPUTS]
        found = {topic: self._consumer.partitions_for_topic(topic) for topic in topics}
        counts = {topic: len(partitions or ()) for topic, partitions in found.items()}
        return check_partitions(self._settings, counts)


def policies(ownership: Ownership) -> dict[tuple[str, int], int]:
    """Return in how many own buckets each policy is in force, by name and version."""
    plans = [bucket.scorer.plan for bucket in ownership.buckets.values()]
    return dict(Counter((plan.name, plan.version) for plan in plans))
