"""Where reading stands: what was fetched, what may be processed, and how far time has come."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agents.clock import StreamClock, newest_promise
from agents.merge import NO_TIME, Merge, Standing
from agents.promises import promised_before
from agents.settings import INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import TopicPartition

    from agents.ownership import Ownership
    from agents.settings import Settings

    Run = tuple[TopicPartition, list[Any]]


_BEGINNINGS = (b"policy.published", b"population.cuts", b"shadow.started", b"shadow.ended")


@dataclass(slots=True)
class _Group:
    """One partition number over all input topics.

    Attributes:
        partitions: Its topic partitions.
        merge: Records read but not processed yet.
        clock: Stream time; unused on the wall clock.
        newest_ms: Record time of the newest record read, per topic partition.
        answers_ms: When the broker's last two answers were read, per topic partition.
        watermark_ms: All records up to this have been processed; None if unknown.
        later: Records that may be processed, but not in one batch with those before: a control
            between them begins a new edition.
        horizon_ms: The watermark once `later` was processed.
    """

    partitions: list[TopicPartition]
    merge: Merge
    clock: StreamClock = field(default_factory=StreamClock)
    newest_ms: dict[TopicPartition, int] = field(default_factory=dict)
    answers_ms: dict[TopicPartition, tuple[int, int]] = field(default_factory=dict)
    watermark_ms: int | None = None
    later: list[Run] = field(default_factory=list)
    horizon_ms: int | None = None


class Reading:
    """The read side of one assignment; made anew whenever buckets are opened.

    Attributes:
        positions: Next offset to fetch, per topic partition.
        halted: Partitions that are not read because too much in them was bad.
    """

    def __init__(
        self,
        settings: Settings,
        ownership: Ownership,
        consumer: AIOKafkaConsumer,
        positions: Mapping[TopicPartition, int],
        halted: set[TopicPartition],
    ) -> None:
        """Read on from *positions*; *halted* is shared with whoever halts partitions."""
        self._settings = settings
        self._ownership = ownership
        self._consumer = consumer
        self.positions = dict(positions)
        self.halted = halted
        self._groups: dict[int, _Group] = {}
        ranks = {settings.topic(base): rank for rank, base in enumerate(INPUTS)}
        for tp in positions:
            group = self._groups.setdefault(tp.partition, _Group([], Merge(ranks)))
            group.partitions.append(tp)

    async def recall(self) -> None:
        """Let stream time come as far again as it had come, once all was read.

        The promises behind it will not be read again. Buckets say how far they came by them; one
        that a sweep held back stands in the log alone.
        """
        controls = {
            tp: position
            for tp, position in self.positions.items()
            if self._ownership.assigned[tp] == "controls" and position
        }
        promised = await promised_before(self._settings, controls) if controls else {}
        for number, group in self._groups.items():
            home = (self._ownership.buckets[bucket] for bucket in self._ownership.home(number))
            clocks = [bucket.clock_ms for bucket in home if bucket.clock_ms is not None]
            clocks += [instant_ms for tp, instant_ms in promised.items() if tp.partition == number]
            if clocks:
                ends = await self._consumer.end_offsets(self._live(group))
                group.clock.promise(max(clocks), ends)

    def numbers(self) -> Iterable[int]:
        """Return the partition numbers that are read."""
        return self._groups

    def watermark_ms(self, number: int) -> int | None:
        """Return the instant up to which everything of a partition number was processed."""
        group = self._groups.get(number)
        return None if group is None else group.watermark_ms

    def clock_age_s(self, now_ms: int) -> float:
        """Return how far the slowest partition number is behind the wall clock; 0 on another."""
        known = [g.watermark_ms for g in self._groups.values() if g.watermark_ms is not None]
        if self._settings.clock != "wall" or not known:
            return 0.0
        return max(0, now_ms - min(known)) / 1000

    def held_records(self) -> int:
        """Return how many records were read and wait for their turn."""
        return sum(group.merge.held_records() for group in self._groups.values())

    def lag(self, base: str) -> int:
        """Return how many records of an input topic were not read yet."""
        return sum(
            max(0, (self._consumer.highwater(tp) or 0) - position)
            for tp, position in self.positions.items()
            if self._ownership.assigned.get(tp) == base
        )

    def seek_back(self) -> None:
        """Let what was fetched last be fetched again."""
        for tp, position in self.positions.items():
            self._consumer.seek(tp, position)

    async def release(self, fetched: Mapping[TopicPartition, list[Any]]) -> list[Run]:
        """Take in what was fetched and return the runs that may be processed now."""
        for tp, records in fetched.items():
            self._take_in(tp, records)
        runs: list[Run] = []
        for group in self._groups.values():
            for tp in group.partitions:
                if tp in self._consumer.assignment():
                    self.positions[tp] = await self._consumer.position(tp)
            if self._settings.clock == "stream":
                await self._hear_promises(group, fetched)
            if not group.later:
                group.later, group.horizon_ms = self._next(group)
            taken, group.later, instant_ms = cut_after_edition(
                group.later, self._settings.topic("controls")
            )
            runs += taken
            group.watermark_ms = group.horizon_ms
            if instant_ms is not None and group.horizon_ms is not None:
                # What is due from here on is due under the new edition.
                group.watermark_ms = min(group.horizon_ms, instant_ms - 1)
        return runs

    def _next(self, group: _Group) -> tuple[list[Run], int | None]:
        """Return what may be processed now, and the watermark that it leads to."""
        if self._settings.clock == "stream":
            now_ms = group.clock.now_ms
            return ([] if now_ms is None else group.merge.release_until(now_ms)), now_ms
        released = group.merge.release(self._standings(group))
        idle_ms = self._wall_watermark_ms(group) if released.idle else released.watermark_ms
        return released.runs, idle_ms

    def _take_in(self, tp: TopicPartition, records: list[Any]) -> None:
        position = self.positions.get(tp)
        if position is None:
            return
        if records[0].offset < position:
            records = [record for record in records if record.offset >= position]
            if not records:
                return
        group = self._groups[tp.partition]
        group.merge.add(tp, records)
        group.newest_ms[tp] = max(records[-1].timestamp, group.newest_ms.get(tp, NO_TIME))

    def _live(self, group: _Group) -> list[TopicPartition]:
        return [tp for tp in group.partitions if tp not in self.halted]

    def _standings(self, group: _Group) -> dict[TopicPartition, Standing]:
        standings = {}
        for tp in self._live(group):
            end = self._consumer.last_stable_offset(tp)
            caught_up = end is not None and self.positions[tp] >= end
            standings[tp] = Standing(caught_up, group.newest_ms.get(tp, NO_TIME))
        return standings

    def _wall_watermark_ms(self, group: _Group) -> int | None:
        """Return an instant before which the log was seen to hold nothing more, if it was.

        Not simply now: a worker that was frozen, or cut off from the broker, must read what
        came meanwhile before it lets that time pass. Nor the time of the last answer, which
        may have waited in the socket: it was asked for after the answer before it was read.
        """
        looked = []
        for tp in self._live(group):
            before, last = group.answers_ms.get(tp, (0, 0))
            answer = self._consumer.last_poll_timestamp(tp) or 0
            if answer != last:
                before, last = group.answers_ms[tp] = last, answer
            looked.append(before)
        seen_ms = min(looked, default=time.time_ns() // 1_000_000)
        return seen_ms - self._settings.clock_slack_ms if seen_ms else None

    async def _hear_promises(
        self, group: _Group, fetched: Mapping[TopicPartition, list[Any]]
    ) -> None:
        """Let stream time come as far as the log has promised."""
        live = self._live(group)
        for tp in live:
            if self._ownership.assigned[tp] == "controls" and tp in fetched:
                promised_ms = newest_promise(fetched[tp])
                if promised_ms is not None:
                    group.clock.promise(promised_ms, await self._consumer.end_offsets(live))
        group.clock.advance({tp: self.positions[tp] for tp in live})


def cut_after_edition(runs: list[Run], controls: str) -> tuple[list[Run], list[Run], int | None]:
    """Cut *runs* after the first control that may begin an edition.

    Args:
        runs: Records in the order of processing.
        controls: Full name of the topic of controls.

    Returns:
        What comes before the cut, the control included; what comes after it; and the control's
        record time, None where there is none.
    """
    for index, (tp, records) in enumerate(runs):
        if tp.topic != controls:
            continue
        for count, record in enumerate(records, start=1):
            if record.value is not None and any(mark in record.value for mark in _BEGINNINGS):
                rest = [(tp, records[count:])] if count < len(records) else []
                taken = [*runs[:index], (tp, records[:count])]
                return taken, [*rest, *runs[index + 1 :]], record.timestamp
    return runs, [], None
