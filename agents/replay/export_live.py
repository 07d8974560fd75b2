"""An export from the running system: waiting until it has caught up, then reading it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.replay.export import ExportError
from agents.replay.reading import partitions_of, read, reader, spans, without_marks
from agents.settings import INPUTS
from stream.calendar import format_instant
from stream.customer import decode
from stream.editions import decode_book, edition_in_force, scorer_of
from stream.groups.member_rows import GROUP_MEMBERS
from stream.outbox import TIER_CHANGES, TIER_FORECASTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiokafka.structs import TopicPartition

    from agents.replay.reading import Span
    from agents.settings import Settings
    from stream.plan import Plan
    from stream.store import BucketHead, Store

_POLL_S = 0.2


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
    """What the running system held; see `agents.replay.export.write_export`.

    *plan* is the policy in force: the published one, else the workers' own.
    """

    as_of_ms: int
    states: dict[str, bytes]
    changes: list[bytes]
    forecasts: list[bytes]
    plan: Plan


async def read_live(
    settings: Settings,
    store: Store,
    plan: Plan,
    wanted: Wanted,
    waiting: Callable[[str], None] | None = None,
) -> LiveResult:
    """Wait until the workers have caught up, and return every state, tier change and forecast.

    Records that come meanwhile are not waited for, but may show; stop the producers for an
    exact export. Arguments and errors as `catch_up`.
    """
    as_of_ms, states = await catch_up(settings, store, plan, wanted, waiting)
    heads = await asyncio.to_thread(store.heads, range(settings.buckets))
    edition = edition_in_force(heads)
    in_force = plan if edition is None else scorer_of(edition).plan
    changes = await _values(settings, TIER_CHANGES)
    forecasts = await _values(settings, TIER_FORECASTS)
    return LiveResult(as_of_ms, states, changes, forecasts, in_force)


async def catch_up(
    settings: Settings,
    store: Store,
    plan: Plan,
    wanted: Wanted,
    waiting: Callable[[str], None] | None = None,
) -> tuple[int, dict[str, bytes]]:
    """Wait until the workers have caught up; return the instant, and every customer's state.

    Caught up is: every record that is in the input topics now has been applied, everyone was
    brought to the policy in force, the outbox is empty, and every bucket's clock has reached
    the instant of the export.

    Args:
        settings: Where Kafka is, and how topics are named.
        store: Where the state is.
        plan: The policy that the workers were started with.
        wanted: What is wanted, and how long to wait for it.
        waiting: Told what is being waited for, whenever that changes.

    Raises:
        MissingTopicError: A topic is missing.
        ExportError: It did not catch up in time; the message says what is missing.
        StoreError: The store does not answer.
        aiokafka.errors.KafkaError: The broker does not answer.
    """
    give_up = time.monotonic() + wanted.within_s
    while True:
        as_of_ms = await settle(settings, store, wanted, waiting, told=True)
        states = await asyncio.to_thread(_states, store, settings)
        newest_ms = max(
            (decode(c, state, plan.shape).clock_ms for c, state in states.items()), default=0
        )
        if as_of_ms >= newest_ms or wanted.as_of_ms is not None:
            return as_of_ms, states
        # On the wall clock, deadlines fire a little behind the records.
        missing = f"time to pass {format_instant(newest_ms)}, the newest record's"
        if waiting is not None:
            waiting(missing)
        await _wait(missing, give_up, wanted)


async def settle(
    settings: Settings,
    store: Store,
    wanted: Wanted,
    waiting: Callable[[str], None] | None = None,
    *,
    told: bool,
) -> int:
    """Wait until the workers have caught up, as `catch_up`; return the instant.

    *told*: also until what customers tell each other, in groups and after merges, was counted.
    """
    inputs = await _inputs(settings)
    give_up = time.monotonic() + wanted.within_s
    held: Mapping[TopicPartition, Span] | None = None
    said = ""
    trimmed = False
    while True:
        as_of_ms, missing = await asyncio.to_thread(_missing, store, settings, wanted, inputs)
        if not missing and told:
            before = held
            held, missing = await _untold(settings, store)
            if held != before:
                # What was told before may have made others tell their own.
                missing = missing or "what customers tell each other to be counted"
        if not missing:
            return as_of_ms
        if missing != said and waiting is not None:
            waiting(missing)
        if missing == said and not trimmed:
            # It stands still: perhaps at what only looks like records.
            inputs, trimmed = await without_marks(settings, inputs), True
        said = missing
        await _wait(missing, give_up, wanted)


async def _wait(missing: str, give_up: float, wanted: Wanted) -> None:
    if time.monotonic() > give_up:
        raise ExportError(
            f"waited {wanted.within_s:g} s in vain for {missing}; "
            "is a worker running? allowed: a longer --timeout"
        )
    await asyncio.sleep(_POLL_S)


def _missing(
    store: Store, settings: Settings, wanted: Wanted, inputs: Mapping[TopicPartition, Span]
) -> tuple[int, str]:
    """Return the instant of the export, and what it still lacks ("" for nothing)."""
    heads = store.heads(range(settings.buckets))
    behind = _behind(settings, heads, inputs)
    waiting = sum(store.outbox_depth(range(settings.buckets)).values())
    used = [head for head in heads if head.version > 0]
    clocks = [head.clock_ms for head in used if head.clock_ms is not None]
    as_of_ms = wanted.as_of_ms
    if as_of_ms is None:
        as_of_ms = min(clocks, default=time.time_ns() // 1_000_000)
    late = [head for head in used if head.clock_ms is None or head.clock_ms < as_of_ms]
    if behind:
        return as_of_ms, behind
    unswept = sum(not decode_book(head.editions).swept for head in heads)
    if unswept:
        return as_of_ms, f"everyone in {unswept} buckets to be brought to the new policy"
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
    settings: Settings, heads: Sequence[BucketHead], inputs: Mapping[TopicPartition, Span]
) -> str:
    """Say which input has not been applied up to its end by every bucket it is home to."""
    partitions = len({tp.partition for tp in inputs}) or 1
    bases = {settings.topic(base): base for base in INPUTS}
    lag = 0
    named = ""
    for tp, (first, end) in inputs.items():
        source = f"{bases[tp.topic]}/{tp.partition}"
        home = heads[tp.partition :: partitions]
        # A cursor is missing where nothing of that source was ever applied, and records
        # that were deleted for their age cannot be waited for.
        reached = min((head.cursors.get(source, first) for head in home), default=end)
        reached = max(reached, first)
        if reached < end:
            lag += end - reached
            named = named or f"{source} is at {reached} of {end}"
    return f"{lag} input records to be applied ({named})" if lag else ""


def _states(store: Store, settings: Settings) -> dict[str, bytes]:
    states: dict[str, bytes] = {}
    for bucket in range(settings.buckets):
        states.update(store.scan_states(bucket))
    return states


async def _untold(settings: Settings, store: Store) -> tuple[Mapping[TopicPartition, Span], str]:
    """Return what `group-members` holds now, and say what of it nobody has taken in."""
    topic = settings.topic(GROUP_MEMBERS)
    counts = await partitions_of(settings, [topic])
    heads = await asyncio.to_thread(store.heads, range(settings.buckets))
    async with reader(settings) as client:
        held = await spans(client, counts)
        rest = {}
        for tp, (first, end) in held.items():
            source = f"{GROUP_MEMBERS}/{tp.partition}"
            home = heads[tp.partition :: counts[topic]]
            cursor = min(head.cursors.get(source, first) for head in home)
            rest[tp] = max(first, cursor), end
        # Offsets do not tell: the marks of transactions have some as well.
        unread = sum([1 async for _ in read(client, rest)])
    return held, f"{unread} records of {topic} to be applied" if unread else ""


async def _inputs(settings: Settings) -> dict[TopicPartition, Span]:
    """Return what every partition that others write to holds now."""
    counts = await partitions_of(
        settings, (settings.topic(base) for base in INPUTS if base != GROUP_MEMBERS)
    )
    async with reader(settings) as client:
        return await spans(client, counts)


async def _values(settings: Settings, base: str) -> list[bytes]:
    """Return the value of every committed record of an output topic."""
    counts = await partitions_of(settings, [settings.topic(base)])
    async with reader(settings) as client:
        return [record.value async for record in read(client, await spans(client, counts))]
