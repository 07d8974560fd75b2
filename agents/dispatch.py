"""Emptying durable queues, each target by itself: one that hangs holds nobody else up."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import structlog

from stream.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.store_thread import StoreThread
    from stream.adapters.redis_queue import Claimed, RedisQueue

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.5
_STORE_RETRY_S = 0.5
_LONGEST_PAUSE_S = 60.0


class UndeliveredError(Exception):
    """A message has not been taken; the message of this says why, without any secret.

    Attributes:
        hopeless: Whether trying again makes no sense.
    """

    def __init__(self, why: str, *, hopeless: bool = False) -> None:
        super().__init__(why)
        self.hopeless = hopeless


class Outgoing(Protocol):
    """What a dispatcher delivers."""

    async def deliver(self, target: str, claimed: Claimed) -> None:
        """Deliver one message. Raises `UndeliveredError` where it was not taken."""

    def again_ms(self, target: str, claimed: Claimed, now_ms: int) -> int | None:
        """Return when to try next after a failure at *now_ms*; None: never, park it."""

    def settled(self, target: str, claimed: Claimed, why: str | None, *, parked: bool) -> None:
        """Take note of what became of a message; *why* it failed, None if it did not."""


class Dispatcher:
    """Delivers what is due for each target, one message at a time, oldest first.

    After a failure a target is left alone for as long as its message is, at most a minute: what
    is behind it would fail as well.
    """

    def __init__(self, thread: StoreThread[RedisQueue], outgoing: Outgoing, lease_ms: int) -> None:
        """Reach the queue in its *thread*; a lease must outlast an attempt."""
        self._queue = thread.store
        self._thread = thread
        self._outgoing = outgoing
        self._lease_ms = lease_ms
        self._nudged: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def serve(self, target: str) -> None:
        """Begin to deliver to *target*, if that has not begun."""
        if target not in self._tasks:
            self._nudged[target] = asyncio.Event()
            self._tasks[target] = asyncio.create_task(self._work(target), name=f"to-{target}")

    def serve_only(self, targets: Iterable[str]) -> None:
        """Deliver to *targets* and to nobody else; what is under way falls due again."""
        wanted = set(targets)
        for target in self._tasks.keys() - wanted:
            self._tasks.pop(target).cancel()
        for target in wanted:
            self.serve(target)

    def nudge(self, target: str) -> None:
        """Say that something was put into a queue: it is looked at now."""
        if target in self._nudged:
            self._nudged[target].set()

    async def stop(self) -> None:
        """Stop; what was being delivered falls due again when its lease is over."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, target: str) -> None:
        pause_s = 0.0
        while True:
            if pause_s:
                await asyncio.sleep(pause_s)
            try:
                pause_s = await self._turn(target)
            except StoreUnavailable:
                pause_s = _STORE_RETRY_S

    async def _turn(self, target: str) -> float:
        """Deliver one message, or wait for one; return for how long to leave the target alone."""
        event = self._nudged[target]
        event.clear()
        found = await self._thread.run(lambda: self._queue.claim(target, now_ms(), self._lease_ms))
        if not found:
            await _either(event, LOOK_EVERY_S)
            return 0.0
        (claimed,) = found
        try:
            await self._outgoing.deliver(target, claimed)
        except UndeliveredError as exc:
            return await self._failed(target, claimed, exc)
        await self._thread.run(lambda: self._queue.settle(target, claimed.id, "done"))
        self._outgoing.settled(target, claimed, None, parked=False)
        return 0.0

    async def _failed(self, target: str, claimed: Claimed, exc: UndeliveredError) -> float:
        at_ms = now_ms()
        again_ms = None if exc.hopeless else self._outgoing.again_ms(target, claimed, at_ms)
        why = str(exc)
        log.warning("not_delivered", target=target, id=claimed.id, tries=claimed.tries, why=why)
        if again_ms is None:
            await self._thread.run(
                lambda: self._queue.settle(target, claimed.id, "park", at_ms=at_ms, why=why)
            )
        else:
            await self._thread.run(
                lambda: self._queue.settle(target, claimed.id, "retry", at_ms=again_ms, why=why)
            )
        self._outgoing.settled(target, claimed, why, parked=again_ms is None)
        return 0.0 if again_ms is None else min(_LONGEST_PAUSE_S, (again_ms - at_ms) / 1000)


async def _either(event: asyncio.Event, within_s: float) -> None:
    # Not `asyncio.wait_for`: in Python 3.11 it swallows a cancellation that comes with the event.
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()


def now_ms() -> int:
    """Return the wall clock in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
