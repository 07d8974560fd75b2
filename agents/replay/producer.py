"""A replay into Kafka: the log's records at their own times, and how far time has come."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from agents import kafka
from agents.replay.events_jsonl import CONTROLS
from agents.replay.reading import partitions_of
from agents.replay.retention import forgetful
from agents.replay.sections import Section, sections
from agents.settings import INPUTS
from stream.calendar import DAY_MS, format_instant
from stream.groups.member_rows import GROUP_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agents.replay.coordinator import Coordinator
    from agents.replay.log import LogRecord
    from agents.settings import Settings
    from stream.plan import Plan

STEP_RECORDS = 2_000
"""Least number of records between two looks at the clock, unless something else is asked for."""

_BATCH_BYTES = 256_000
_TICK_S = 0.05
_SECOND_MS = 1_000

Row = tuple[int, bytes | None, bytes]
"""Record time, key and value."""

Place = tuple[str, int]
"""Base name of a topic, and a partition of it."""


class ReplayTargetError(Exception):
    """The log cannot be sent there; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a live replay has sent.

    Attributes:
        records: Records of the log.
        clock_records: ``clock.advanced`` records, over all partitions.
        as_of_ms: How far time has come.
        seconds: Wall-clock time it took.
    """

    records: int
    clock_records: int
    as_of_ms: int
    seconds: float


class Watcher:
    """Is asked before and told after each step of a replay. This one lets everything pass."""

    async def before(self, clock_ms: int) -> None:
        """Return when the step up to *clock_ms* may be sent."""

    def after(self, records: int, clock_ms: int) -> None:
        """The broker has *records* more, and the promise that time has come to *clock_ms*."""


async def replay_live(
    settings: Settings,
    log: Sequence[LogRecord],
    *,
    as_of_ms: int | None = None,
    speed: float | None = None,
    step_records: int = STEP_RECORDS,
    watcher: Watcher | None = None,
    coordinator: Coordinator | None = None,
) -> Sent:
    """Send *log* and return when the broker has all of it.

    Each record carries its own time as the record time, and goes where Java's partitioner
    would put its customer. Whenever the next record is of a later day (UTC), every partition
    of `controls` is told that no earlier one will come; at the end, that time has come to
    *as_of_ms*. Not atomic: what was sent before a failure stays. Sending a log again repeats
    its events, which workers recognise.

    Args:
        settings: Where Kafka is, and how topics are named.
        log: At least one record, in the order of their times.
        as_of_ms: At least the last record's instant, which is the default.
        speed: Seconds of event time per second; None for as fast as it goes.
        step_records: Least number of records between two looks at the clock; with a speed,
            every day is one.
        watcher: Asked before, and told after, each step.
        coordinator: Takes the censuses where the workers' policy follows the population; None
            where it does not, or nobody shall.

    Raises:
        MissingTopicError: A topic is missing.
        ReplayTargetError: A topic would delete the records for their age.
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    as_of_ms = log[-1].record_ms if as_of_ms is None else as_of_ms
    watcher = watcher or Watcher()
    partitions = await _partitions(settings)
    await _check_retention(settings, {record.topic for record in log}, log[0].record_ms)
    client = kafka.producer(settings, linger_ms=0, max_batch_size=_BATCH_BYTES)
    started = time.monotonic()
    await client.start()
    try:
        sender = _Sender(client, settings, partitions)
        pace = None if speed is None else _Pace(speed, log[0].record_ms)
        plan = None if coordinator is None else coordinator.plan
        for section in _sections(log, plan, as_of_ms):
            least = 1 if pace else step_records
            for step, clock_ms in steps(section.records, section.until_ms, least):
                await watcher.before(clock_ms)
                if pace is None:
                    await sender.send(step)
                else:
                    async for due in pace.parts(step):
                        await sender.send(due)
                await sender.advance(clock_ms)
                watcher.after(len(step), clock_ms)
            if section.census and coordinator is not None:
                await coordinator.take(section.until_ms)
        return Sent(len(log), sender.clock_records, as_of_ms, time.monotonic() - started)
    finally:
        await client.stop()


def _sections(log: Sequence[LogRecord], plan: Plan | None, as_of_ms: int) -> Iterable[Section]:
    if plan is None:
        return [Section(log, as_of_ms, census=False)]
    return sections(log, plan, as_of_ms)


def steps(
    log: Sequence[LogRecord], as_of_ms: int, least: int
) -> Iterator[tuple[Sequence[LogRecord], int]]:
    """Cut *log* before the first record of a day, into steps of at least *least* records.

    Yields each step with the instant up to which time has come once it is sent.
    """
    start = 0
    for end in range(1, len(log)):
        record_ms = log[end].record_ms
        new_day = record_ms // DAY_MS > log[end - 1].record_ms // DAY_MS
        if new_day and end - start >= least:
            yield log[start:end], record_ms - 1
            start = end
    yield log[start:], as_of_ms


async def _partitions(settings: Settings) -> dict[str, int]:
    """Return the number of partitions of each input topic, by base name."""
    names = {settings.topic(base): base for base in INPUTS}
    return {names[name]: count for name, count in (await partitions_of(settings, names)).items()}


async def _check_retention(settings: Settings, bases: set[str], oldest_ms: int) -> None:
    """Refuse topics that would delete the records before anyone has read them."""
    topics = [settings.topic(base) for base in sorted(bases | {CONTROLS, GROUP_MEMBERS})]
    age_ms = time.time_ns() // 1_000_000 - oldest_ms
    for name, kept_ms in (await forgetful(settings, topics, age_ms)).items():
        raise ReplayTargetError(
            f"{name} keeps records for {kept_ms / DAY_MS:g} days by their own timestamps, but the "
            f"oldest here is of {format_instant(oldest_ms)}: it would be deleted unread; "
            "run: tierstream topics create --retention forever"
        )


class _Pace:
    """Holds records back until their time has come, *speed* times as fast as it passed."""

    def __init__(self, speed: float, first_ms: int) -> None:
        self._speed = speed
        self._first_ms = first_ms
        self._started = time.monotonic()

    async def parts(self, step: Sequence[LogRecord]) -> Any:  # noqa: ANN401 - an async generator
        """Yield *step* in parts, each when it is due."""
        start = 0
        while start < len(step):
            now_ms = self._now_ms()
            end = start
            while end < len(step) and step[end].record_ms <= now_ms:
                end += 1
            if end > start:
                yield step[start:end]
                start = end
            else:
                await asyncio.sleep(self._seconds_to(step[start].record_ms))

    def _now_ms(self) -> float:
        return self._first_ms + (time.monotonic() - self._started) * self._speed * _SECOND_MS

    def _seconds_to(self, record_ms: int) -> float:
        return max((record_ms - self._now_ms()) / self._speed / _SECOND_MS, 0.0) + _TICK_S


class _Sender:
    """Sends records in batches, one partition beside the other."""

    def __init__(self, client: Any, settings: Settings, partitions: dict[str, int]) -> None:  # noqa: ANN401
        self.clock_records = 0
        self._client = client
        self._settings = settings
        self._partitions = partitions
        self._places: dict[tuple[str, bytes], Place] = {}

    async def send(self, records: Sequence[LogRecord]) -> None:
        """Send *records*; on return the broker has them all."""
        rows: dict[Place, list[Row]] = {}
        for record in records:
            if record.topic == CONTROLS and not record.key:
                for partition in range(self._partitions[CONTROLS]):
                    row = (record.record_ms, None, record.value)
                    rows.setdefault((CONTROLS, partition), []).append(row)
                continue
            place = self._places.get((record.topic, record.key)) or self._place(record)
            rows.setdefault(place, []).append((record.record_ms, record.key, record.value))
        await self._send(rows)

    async def advance(self, clock_ms: int) -> None:
        """Say on every partition of `controls` that time has come to *clock_ms*."""
        instant = format_instant(clock_ms)
        rows: dict[Place, list[Row]] = {}
        for partition in range(self._partitions[CONTROLS]):
            event = {
                "schema_version": 1,
                "event_id": f"clock:{clock_ms}:{partition}",
                "occurred_at": instant,
                "kind": "clock.advanced",
            }
            rows[CONTROLS, partition] = [(clock_ms, None, msgspec.json.encode(event))]
        await self._send(rows)
        self.clock_records += len(rows)

    def _place(self, record: LogRecord) -> Place:
        partition = kafka.partition_of(record.key, self._partitions[record.topic])
        place = self._places[record.topic, record.key] = record.topic, partition
        return place

    async def _send(self, rows: dict[Place, list[Row]]) -> None:
        await asyncio.gather(*(self._fill(*place, share) for place, share in rows.items()))

    async def _fill(self, topic: str, partition: int, rows: list[Row]) -> None:
        """Send one partition's records in their order."""
        name = self._settings.topic(topic)
        delivered = []
        batch = self._client.create_batch()
        for record_ms, key, value in rows:
            if batch.append(timestamp=record_ms, key=key, value=value) is None:
                delivered.append(await self._client.send_batch(batch, name, partition=partition))
                batch = self._client.create_batch()
                batch.append(timestamp=record_ms, key=key, value=value)
        delivered.append(await self._client.send_batch(batch, name, partition=partition))
        for delivery in delivered:
            await delivery
