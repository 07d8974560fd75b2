"""The contestants tierstream is compared with, each in a process of its own.

Started with a `Task` as JSON on the command line; prints a `Trial` as JSON. The clock starts
after the warm-up and stops with the last record.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka.structs import TopicPartition

from agents import garbage
from agents.kafka import consumer
from agents.settings import Settings
from tests.bench.trial import Task, Trial
from tests.bench.workload import PARTITIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiokafka import AIOKafkaConsumer

_FAUST_TAKE = 2_000


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Stopwatch:
    """Wall-clock and CPU time of this process since it was made."""

    def __init__(self) -> None:
        self._started_s, self._cpu_s = time.perf_counter(), _own_cpu_s()

    def read(self, events: int) -> Trial:
        """Return what *events* have taken."""
        return Trial(
            events=events,
            wall_s=time.perf_counter() - self._started_s,
            cpu_s=_own_cpu_s() - self._cpu_s,
        )


def ignore(value: bytes) -> None:
    """Do nothing: the drain does not even call this."""


async def drain(task: Task, use: Callable[[bytes], object] = ignore) -> Trial:
    """Read with `getmany`, as tierstream's own consumer is set up; call *use* with each value.

    Reads the warm-up first, then goes to where the timed part begins, so that nothing of it
    has been fetched when the clock starts.
    """
    reader = consumer(Settings(kafka=task.kafka))
    await reader.start()
    partitions = [TopicPartition(task.topic, number) for number in range(PARTITIONS)]
    reader.assign(partitions)
    await reader.seek_to_beginning(*partitions)
    try:
        await _read(reader, task.warmup, task.batch_records, use)
        for partition, start in zip(partitions, task.starts, strict=True):
            reader.seek(partition, start)
        stopwatch = Stopwatch()
        seen = await _read(reader, task.events, task.batch_records, use)
        return stopwatch.read(seen)
    finally:
        await reader.stop()


async def _read(
    reader: AIOKafkaConsumer, most: int, at_once: int, use: Callable[[bytes], object]
) -> int:
    seen = 0
    while seen < most:
        fetched = await reader.getmany(timeout_ms=1_000, max_records=at_once)
        for records in fetched.values():
            seen += len(records)
            if use is not ignore:
                for record in records:
                    use(record.value or b"")
    return seen


def follow_with_faust(task: Task, *, take: bool) -> None:
    """Run a Faust agent that does nothing; prints the result and ends the process."""
    import faust  # noqa: PLC0415 - the other contestants do without

    app = faust.App(
        f"bench-{uuid.uuid4().hex}",
        broker=f"kafka://{task.kafka}",
        store="memory://",
        autodiscover=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        # Tuned: nothing waits for a small buffer, and every fetch brings as much as it can.
        stream_buffer_maxsize=200_000,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        broker_max_poll_records=50_000,
        consumer_max_fetch_size=4_000_000,
        broker_commit_interval=10.0,
        broker_commit_every=1_000_000,
    )
    topic = app.topic(task.topic, key_type=bytes, value_type=bytes)
    seen = 0
    stopwatch: Stopwatch | None = None

    def saw(records: int) -> None:
        nonlocal seen, stopwatch
        seen += records
        if stopwatch is None:
            if seen >= task.warmup:
                seen, stopwatch = 0, Stopwatch()
        elif seen >= task.events:
            _print(stopwatch.read(seen))
            os._exit(0)  # its shutdown is not what is measured

    async def follow(stream: Any) -> None:
        if take:
            some: list[bytes]
            async for some in stream.take(_FAUST_TAKE, within=1.0):
                saw(len(some))
        else:
            each: AsyncIterator[bytes] = stream
            async for _ in each:
                saw(1)

    app.agent(topic)(follow)
    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


def _print(trial: Trial) -> None:
    sys.stdout.write(msgspec.json.encode(trial).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run one contestant: ``drain``, ``parse``, ``faust-each`` or ``faust-take``."""
    garbage.begin()  # as tierstream's worker does
    name, task = sys.argv[1], msgspec.json.decode(sys.argv[2], type=Task)
    # Faust reads the command line too.
    del sys.argv[1:]
    if name == "drain":
        _print(asyncio.run(drain(task)))
    elif name == "parse":
        _print(asyncio.run(drain(task, msgspec.json.Decoder().decode)))
    else:
        follow_with_faust(task, take=name == "faust-take")


if __name__ == "__main__":
    main()
