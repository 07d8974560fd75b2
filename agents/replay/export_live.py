"""An export from the running system: waiting until it has caught up, then reading it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiokafka.structs import TopicPartition

from agents import kafka
from agents.replay.export import ExportError
from agents.settings import INPUTS
from stream.calendar import format_instant
from stream.customer import decode
from stream.outbox import TIER_CHANGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from agents.settings import Settings
    from stream.plan import Plan
    from stream.store import BucketHead, Store

_POLL_S = 0.2
_FETCH_MS = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export is to show.

    Attributes:
        as_of_ms: The instant to read measures at; None for how far time has come.
        within_s: Longest wait until the system has caught up.
    """

    as_of_ms: int | None = None
    within_s: float = 60.0


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What the running system held; see `agents.replay.export.write_export`."""

    as_of_ms: int
    states: dict[str, bytes]
    changes: list[bytes]


async def read_live(
    settings: Settings,
    store: Store,
    plan: Plan,
    wanted: Wanted,
    waiting: Callable[[str], None] | None = None,
) -> LiveResult:
    """Wait until the workers have caught up, and return every state and every tier change.

    Caught up is: every record that is in the input topics now has been applied, the outbox
    is empty, and every bucket's clock has reached the instant of the export. Records that
    come meanwhile are not waited for, but may show; stop the producers for an exact export.

    Args:
        settings: Where Kafka is, and how topics are named.
        store: Where the state is.
        plan: The policy that the workers score by.
        wanted: What is wanted, and how long to wait for it.
        waiting: Told what is being waited for, whenever that changes.

    Raises:
        ExportError: It did not catch up in time; the message says what is missing.
        StoreError: The store does not answer.
        aiokafka.errors.KafkaError: The broker does not answer.
    """
    ends = await _ends(settings, INPUTS)
    give_up = time.monotonic() + wanted.within_s
    said = ""
    while True:
        as_of_ms, missing = await asyncio.to_thread(_missing, store, settings, wanted, ends)
        if not missing:
            states = await asyncio.to_thread(_states, store, settings)
            newest_ms = max(
                (decode(c, state, plan.shape).clock_ms for c, state in states.items()), default=0
            )
            if as_of_ms >= newest_ms or wanted.as_of_ms is not None:
                break
            # On the wall clock, deadlines fire a little behind the records.
            missing = f"time to pass {format_instant(newest_ms)}, the newest record's"
        if missing != said and waiting is not None:
            waiting(missing)
        said = missing
        if time.monotonic() > give_up:
            raise ExportError(
                f"waited {wanted.within_s:g} s in vain for {missing}; "
                "is a worker running? allowed: a longer --timeout"
            )
        await asyncio.sleep(_POLL_S)
    return LiveResult(as_of_ms, states, await _changes(settings))


def _missing(
    store: Store, settings: Settings, wanted: Wanted, ends: Mapping[TopicPartition, int]
) -> tuple[int, str]:
    """Return the instant of the export, and what it still lacks ("" for nothing)."""
    heads = store.heads(range(settings.buckets))
    behind = _behind(settings, heads, ends)
    waiting = sum(store.outbox_depth(range(settings.buckets)).values())
    used = [head for head in heads if head.version > 0]
    clocks = [head.clock_ms for head in used if head.clock_ms is not None]
    as_of_ms = wanted.as_of_ms
    if as_of_ms is None:
        as_of_ms = min(clocks, default=time.time_ns() // 1_000_000)
    late = [head for head in used if head.clock_ms is None or head.clock_ms < as_of_ms]
    if behind:
        return as_of_ms, behind
    if waiting:
        return as_of_ms, f"{waiting} rows of the outbox to be published"
    if late:
        head = late[0]
        reached = "nowhere" if head.clock_ms is None else format_instant(head.clock_ms)
        return as_of_ms, (
            f"the clocks of {len(late)} buckets to reach {format_instant(as_of_ms)} "
            f"(bucket {head.bucket} is at {reached})"
        )
    return as_of_ms, ""


def _behind(
    settings: Settings, heads: Sequence[BucketHead], ends: Mapping[TopicPartition, int]
) -> str:
    """Say which input has not been applied up to its end by every bucket it is home to."""
    partitions = len({tp.partition for tp in ends}) or 1
    bases = {settings.topic(base): base for base in INPUTS}
    lag = 0
    named = ""
    for tp, end in ends.items():
        source = f"{bases[tp.topic]}/{tp.partition}"
        home = heads[tp.partition :: partitions]
        # A cursor is missing where nothing of that source was ever applied.
        reached = min((head.cursors.get(source, 0) for head in home), default=end)
        if reached < end:
            lag += end - reached
            named = named or f"{source} is at {reached} of {end}"
    return f"{lag} input records to be applied ({named})" if lag else ""


def _states(store: Store, settings: Settings) -> dict[str, bytes]:
    states: dict[str, bytes] = {}
    for bucket in range(settings.buckets):
        states.update(store.scan_states(bucket))
    return states


async def _ends(settings: Settings, bases: Iterable[str]) -> dict[TopicPartition, int]:
    """Return the offset after the last record of every partition that has any."""
    async with _reader(settings, bases) as (client, partitions):
        ends: dict[TopicPartition, int] = await client.end_offsets(partitions)
    return {tp: end for tp, end in ends.items() if end}


async def _changes(settings: Settings) -> list[bytes]:
    """Return the value of every committed record of `tier-changes`."""
    async with _reader(settings, [TIER_CHANGES]) as (client, partitions):
        ends = await client.end_offsets(partitions)
        values: list[bytes] = []
        for tp in partitions:
            # One after the other: a position past the end is then the only thing to look at.
            client.assign([tp])
            await client.seek_to_beginning(tp)
            while await client.position(tp) < ends[tp]:
                for records in (await client.getmany(timeout_ms=_FETCH_MS)).values():
                    values += [record.value for record in records if record.offset < ends[tp]]
        return values


@asynccontextmanager
async def _reader(
    settings: Settings, bases: Iterable[str]
) -> AsyncIterator[tuple[Any, list[TopicPartition]]]:
    """Give a consumer without a group, and every partition of the topics named.

    Raises:
        ExportError: A topic is missing.
    """
    names = [settings.topic(base) for base in bases]
    admin = kafka.admin(settings)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        for name in names:
            if name not in existing:
                raise ExportError(
                    f"{settings.kafka} has no topic {name}; run: tierstream topics create"
                )
        described = await admin.describe_topics(names)
    finally:
        await admin.close()
    client = kafka.consumer(settings)
    await client.start()
    try:
        yield (
            client,
            [
                TopicPartition(topic["topic"], partition["partition"])
                for topic in described
                for partition in topic["partitions"]
            ],
        )
    finally:
        await client.stop()
