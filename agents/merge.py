"""Puts the records of one partition number, over all input topics, into the order of time.

A customer's orders, interactions and profile changes come through different topics but
belong to one history. Records that were read are held back until it is known that no
earlier one can still come from the other topics.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiokafka.structs import TopicPartition

    from agents.unwrapped import Record

    Run = tuple[TopicPartition, list[Record]]

NO_TIME = -1
_by_time = itemgetter(0, 1, 2)


class Standing(NamedTuple):
    """How far the reader has come on one topic partition.

    Attributes:
        caught_up: All that was there at the last fetch has been read.
        newest_ms: Record time of the newest record read; `NO_TIME` before the first.
    """

    caught_up: bool
    newest_ms: int


@dataclass(slots=True)
class Released:
    """What may be processed now.

    Attributes:
        runs: Records in the order of processing, split where the topic changes.
        watermark_ms: No record with a record time up to this is still to come, as far
            as the log can tell; None if it can tell nothing: then, if `idle`, the wall
            clock decides.
        idle: Everything that was in the log has been released.
    """

    runs: list[Run]
    watermark_ms: int | None
    idle: bool


@dataclass(slots=True)
class Merge:
    """The buffers of one partition number.

    Attributes:
        topics: Rank of each topic among records of the same time.
        held: Records read but not released, per topic partition, in offset order.
    """

    topics: Mapping[str, int]
    held: dict[TopicPartition, list[Record]] = field(default_factory=dict)

    def add(self, partition: TopicPartition, records: Iterable[Record]) -> None:
        """Take in what was fetched from one topic partition."""
        self.held.setdefault(partition, []).extend(records)

    def held_records(self) -> int:
        """Return how many records are held back."""
        return sum(len(records) for records in self.held.values())

    def release(self, standings: Mapping[TopicPartition, Standing]) -> Released:
        """Release what no lagging topic can precede (live runs).

        *standings* are those of every partition that takes part; halted ones do not.
        """
        lagging = {p: s.newest_ms for p, s in standings.items() if not s.caught_up}
        if not lagging:
            return Released(self._all(), None, idle=True)
        horizon_ms = min(lagging.values())
        watermark_ms = horizon_ms - 1 if horizon_ms > 0 else None
        if len(lagging) == 1 and lagging.keys() == {p for p, held in self.held.items() if held}:
            # All that is held comes from the one topic that lags: nothing to wait for.
            return Released(self._all(), watermark_ms, idle=False)
        return Released(self.release_until(horizon_ms), watermark_ms, idle=False)

    def release_until(self, limit_ms: int) -> list[Run]:
        """Release every held record with a record time up to *limit_ms*."""
        taken = []
        for partition, records in self.held.items():
            # Records of one partition keep their offset order, whatever their times say.
            count = next((i for i, r in enumerate(records) if r.timestamp > limit_ms), len(records))
            taken.append((partition, records[:count]))
            self.held[partition] = records[count:]
        return self._merged(taken)

    def _all(self) -> list[Run]:
        taken = [(partition, records) for partition, records in self.held.items() if records]
        self.held = {}
        return self._merged(taken)

    def _merged(self, taken: Sequence[Run]) -> list[Run]:
        taken = [run for run in taken if run[1]]
        if len(taken) < 2:  # noqa: PLR2004 - nothing to merge
            return list(taken)
        rows = []
        for partition, records in taken:
            rank, newest_ms = self.topics[partition.topic], NO_TIME
            for record in records:
                newest_ms = max(newest_ms, record.timestamp)
                rows.append((newest_ms, rank, record.offset, partition, record))
        rows.sort(key=_by_time)
        runs: list[Run] = []
        for *_, partition, record in rows:
            if not runs or runs[-1][0] is not partition:
                runs.append((partition, []))
            runs[-1][1].append(record)
        return runs
