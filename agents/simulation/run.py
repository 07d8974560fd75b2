"""Deals the buckets of a log out to processes, and adds up what they count."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, ClassVar

from agents.simulation.shard import Desk, Job
from stream.partition import bucket_of
from stream.simulation.comparison import Comparison, compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agents.replay.log import LogRecord
    from stream.simulation.pairs import Pairing
    from stream.simulation.tally import Tally

    Buckets = list[tuple[int, list[LogRecord]]]

BUCKETS = 256
# So that the progress bar moves; a shard costs next to nothing by itself.
_SHARDS = 64
# Below this a second process costs more than it brings.
_WORTH_A_PROCESS = 5_000


@dataclass(frozen=True, slots=True)
class Simulated:
    """What became of a log under two policies.

    Attributes:
        job: What was asked for.
        pairing: Which gradings were compared, and which were not.
        comparisons: One for each grading that both policies have.
        tally: Everything that was counted.
        records: Records of the log.
        from_ms: Instant of the first one.
        processes: How many worked on it.
    """

    job: Job
    pairing: Pairing
    comparisons: list[Comparison]
    tally: Tally
    records: int
    from_ms: int
    processes: int


def simulate(
    log: Sequence[LogRecord],
    job: Job,
    *,
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Simulated:
    """Fold *log* under both policies of *job*, and compare where everyone ends.

    Deterministic: the number of processes changes nothing but the time it takes.

    Args:
        log: At least one record, in the order of their record times; none after the end.
        job: Both policies, and how the outcome is read.
        processes: How many to use; None: one for each processor, one alone for a short log.
        progress: Told how many records were done since it was last called.
    """
    comparer = job.comparer()
    tally = comparer.empty()
    shards = _shards(log)
    if processes is None:
        processes = min(_processors(), 1 + len(log) // _WORTH_A_PROCESS)
    work = _at_once(job, shards, processes) if processes > 1 else _alone(job, shards)
    for counted, records in work:
        tally.merge(counted)
        if progress is not None:
            progress(records)
    return Simulated(
        job,
        comparer.pairing,
        compared(comparer, tally),
        tally,
        len(log),
        log[0].record_ms,
        processes,
    )


def _shards(log: Sequence[LogRecord]) -> list[Buckets]:
    """Deal the records out by bucket, the buckets out by turns; each keeps its order."""
    numbers: dict[bytes, int] = {}
    buckets: dict[int, list[LogRecord]] = {}
    for record in log:
        number = numbers.get(record.key)
        if number is None:
            number = numbers[record.key] = bucket_of(record.key.decode(), BUCKETS)
        buckets.setdefault(number, []).append(record)
    listed = sorted(buckets.items(), key=lambda bucket: (-len(bucket[1]), bucket[0]))
    return [listed[start::_SHARDS] for start in range(min(_SHARDS, len(listed)))]


def _size(shard: Buckets) -> int:
    return sum(len(records) for _, records in shard)


def _alone(job: Job, shards: Sequence[Buckets]) -> Iterator[tuple[Tally, int]]:
    desk = Desk(job)
    for shard in shards:
        yield desk.simulate(shard), _size(shard)


def _at_once(job: Job, shards: Sequence[Buckets], processes: int) -> Iterator[tuple[Tally, int]]:
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_Seat.take, initargs=(job,)
    )
    try:
        pending = {pool.submit(_Seat.work, shard): _size(shard) for shard in shards}
        for done in as_completed(pending):
            yield done.result(), pending[done]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Seat:
    """The desk of a process of the pool: its policies are compiled once."""

    desk: ClassVar[Desk]

    @classmethod
    def take(cls, job: Job) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it decides
        cls.desk = Desk(job)

    @classmethod
    def work(cls, shard: Buckets) -> Tally:
        return cls.desk.simulate(shard)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
