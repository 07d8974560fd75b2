"""One log, replayed again and again: through the pure core, by workers, by workers that die."""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from agents.replay.export import FILES, write_export
from agents.replay.offline import replay_offline
from agents.replay.source import load_log
from schemas.policy import load_policy
from stream.calendar import DAY_MS, format_instant
from stream.editions import decode_book
from stream.plan import compile_policy
from tests.faults.everything import FIRST_MONDAY_MS
from tests.integration.system import System
from tests.integration.test_replay_live import tierstream
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORKERS = 3
PARTITIONS = 4
BUCKETS = 256
# Sweeps that take many batches, so that a kill meets them under way.
ENV = {
    "clock": "stream",
    "flush_ms": "100",
    "visit_limit": "25",
    "session_timeout_ms": "2000",
}
WITHIN_S = 600
MOST_BETWEEN_S = 3.0
WEEK_MS = 7 * DAY_MS
Moment = Literal["sweep", "any", "census", "announcing"]
MOMENTS: tuple[Moment, ...] = ("sweep", "any", "census", "announcing")


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the broker and Redis are."""

    kafka: str
    redis: str


@dataclass(frozen=True, slots=True)
class Replay:
    """A log, and how it is replayed.

    Attributes:
        log: A ``.jsonl`` of wire events.
        policy_text: In force at its beginning.
        as_of_ms: How far time goes.
    """

    log: Path
    policy_text: str
    as_of_ms: int


@dataclass(slots=True)
class Ended:
    """What a replay has written, and what happened to it meanwhile.

    Attributes:
        folder: With `FILES`.
        kills: What each worker that was killed was caught at.
        seconds: Wall-clock time.
    """

    folder: Path
    kills: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each file, in hexadecimal."""
        return {
            name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in FILES
        }


def play_offline(replay: Replay, folder: Path) -> Ended:
    """Replay through the pure core alone."""
    started = time.monotonic()
    folder.mkdir()
    path = folder / "policy.yaml"
    path.write_text(replay.policy_text)
    log = load_log(str(replay.log), replay.as_of_ms, controls=True)
    plan = compile_policy(load_policy(str(path)))
    found = replay_offline(log, plan, as_of_ms=replay.as_of_ms)
    write_export(folder, found.plan, found.as_of_ms, found.states, found.changes, found.forecasts)
    return Ended(folder, seconds=time.monotonic() - started)


async def play_live(
    servers: Servers,
    replay: Replay,
    folder: Path,
    *,
    kills: int = 0,
    chance: random.Random | None = None,
) -> Ended:
    """Replay into a namespace of its own, through workers of which *kills* are killed."""
    await asyncio.to_thread(folder.mkdir)
    ended = Ended(folder)
    started = time.monotonic()
    namespace = f"d{uuid.uuid4().hex[:8]}"
    where = servers.kafka, servers.redis, namespace, folder, replay.policy_text, PARTITIONS
    async with System(*where, env=ENV, buckets=BUCKETS) as system:
        for _ in range(WORKERS):
            await system.started()
        until = ["--as-of", format_instant(replay.as_of_ms), "--timeout", str(WITHIN_S)]
        arguments = ["replay", str(replay.log), *until, "--export", str(folder)]
        replaying = asyncio.create_task(tierstream(system, *arguments))
        if kills:
            over = partial(_over, system, replaying)
            await _kill(system, kills, chance or random.Random(), over, ended.kills)
        await wait_for_async(partial(_over, system, replaying), "the replay", WITHIN_S)
        if not replaying.done():
            replaying.cancel()
            raise AssertionError(_lost(system))
        await replaying
    ended.seconds = time.monotonic() - started
    return ended


def _over(system: System, replaying: asyncio.Task[str]) -> bool:
    return replaying.done() or bool(_lost(system))


def _lost(system: System) -> str:
    """Say what a worker said last that has ended without having been killed; "" if none has."""
    lost = [one for one in system.workers if one.process.poll() not in {None, -signal.SIGKILL}]
    return lost[0].last_words() if lost else ""


async def _kill(
    system: System,
    kills: int,
    chance: random.Random,
    over: Callable[[], bool],
    caught: list[str],
) -> None:
    """Kill workers and put others in their place; ends early when the replay is over."""
    serving = list(system.workers)
    for number in range(kills):
        moment = MOMENTS[number % len(MOMENTS)]
        await _until(system, moment, chance, over)
        if over():
            return
        victim = chance.randrange(WORKERS)
        serving[victim].kill()
        serving[victim] = system.start()
        caught.append(f"{moment}:{victim}")


async def _until(
    system: System, moment: Moment, chance: random.Random, over: Callable[[], bool]
) -> None:
    """Wait a random time, and then for the moment, which is looked for in the store."""
    at = time.monotonic() + chance.uniform(0.2, MOST_BETWEEN_S)
    await wait_for_async(lambda: over() or time.monotonic() >= at, "a random moment")

    async def come() -> bool:
        return over() or await asyncio.to_thread(_is, moment, system)

    await wait_for_async(come, f"this to be under way: {moment}", WITHIN_S)


def _is(moment: Moment, system: System) -> bool:
    """Whether people are being brought to an edition, a census is due, or rows are to be sent."""
    if moment == "any":
        return True
    if moment == "announcing":
        return system.waiting_rows() > 0
    heads = system.store.heads(range(system.settings.buckets))
    if moment == "sweep":
        return any(not decode_book(head.editions).swept for head in heads)
    clocks = [head.clock_ms for head in heads if head.clock_ms is not None]
    return any((clock_ms - FIRST_MONDAY_MS) % WEEK_MS == 0 for clock_ms in clocks)
