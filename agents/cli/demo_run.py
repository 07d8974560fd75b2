"""One run of the demo: feed the log in, follow what comes out, wait until all is done."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from agents.cli.demo_feed import Changes, Feeder
from agents.cli.demo_screen import Screen
from agents.cli.errors import CommandError
from agents.cli.summary import changes_by_cause, customers_by_tier
from agents.cli.worker_process import WorkerProcess
from agents.replay.coordinator import Coordinator
from agents.replay.export_live import Wanted, catch_up
from agents.replay.log import LogRecord
from agents.replay.producer import replay_live
from agents.replay.reading import partitions_of, reader, spans
from agents.settings import Settings
from stream.adapters.redis_store import RedisStore
from stream.plan import Plan

STEP_RECORDS = 1_000
_WITHIN_S = 600.0
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        records: Records sent.
        tiers: Customers per grading and tier.
        causes: Changes per cause and direction.
        latencies_s: See `Changes`.
        letters: Dead letters.
        seconds: From the first record sent to the last change read.
        first_s: When the first change was read, as `time.monotonic` says.
    """

    records: int
    tiers: dict[str, dict[str, int]]
    causes: dict[str, dict[str, int]]
    latencies_s: Sequence[float]
    letters: int
    seconds: float
    first_s: float


async def run(
    settings: Settings,
    plan: Plan,
    log: Sequence[LogRecord],
    worker: WorkerProcess,
    screen: Screen,
) -> Outcome:
    """Replay *log* and return when every change that it leads to has been read from Kafka.

    Raises:
        CommandError: The worker ended.
    """
    counts = await partitions_of(settings, [settings.topic("tier-changes")])
    changes = Changes(settings, sum(counts.values()), screen.change)
    finish = asyncio.Event()
    started_s = time.monotonic()
    following = asyncio.create_task(changes.follow(finish))
    watching = asyncio.create_task(_watch(worker))
    feeding = asyncio.create_task(_feed(settings, plan, log, changes, screen))
    tasks = (following, watching, feeding)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for other in (watching, following):
            if other.done():
                await other  # which raises what went wrong
        states = await feeding
        finish.set()
        await asyncio.wait([following, watching], return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            await watching
        await following
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Outcome(
        records=len(log),
        tiers=customers_by_tier(states, plan),
        causes=changes_by_cause(changes.notes),
        latencies_s=changes.latencies_s,
        letters=await _letters(settings),
        seconds=changes.last_s - started_s,
        first_s=changes.first_s,
    )


async def _feed(
    settings: Settings, plan: Plan, log: Sequence[LogRecord], changes: Changes, screen: Screen
) -> dict[str, bytes]:
    """Send the log, wait until the worker has caught up, and return every customer's state."""
    feeder = Feeder(changes, screen.progress)
    store = RedisStore(settings.redis, prefix=settings.key_prefix)
    try:
        sent = await replay_live(
            settings,
            log,
            step_records=STEP_RECORDS,
            watcher=feeder,
            coordinator=Coordinator(settings, store, plan),
        )
        wanted = Wanted(sent.as_of_ms, _WITHIN_S)
        _, states = await catch_up(settings, store, plan, wanted, screen.waiting)
    finally:
        store.close()
    return states


async def _watch(worker: WorkerProcess) -> None:
    """Fail as soon as the worker has ended; never return otherwise."""
    while worker.running:  # noqa: ASYNC110 - a process sets no event
        await asyncio.sleep(_LOOK_EVERY_S)
    raise CommandError(f"the worker ended: {worker.last_words()}")


async def _letters(settings: Settings) -> int:
    counts = await partitions_of(settings, [settings.topic("dead-letters")])
    async with reader(settings) as client:
        held = await spans(client, counts)
    return sum(end - first for first, end in held.values())
