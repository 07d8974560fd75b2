"""The stall watchdog: notices a worker that lives but does not move."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from mode import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agents.alerts.service import AlertService
    from agents.metrics import Metrics
    from agents.relay import Relay
    from agents.scoring import ScoringService
    from agents.settings import Settings
    from agents.webhooks.service import WebhookService

log = structlog.get_logger(__name__)

EXIT_STALLED = 70
_LOOK_EVERY_S = 1.0


class Watchdog(Service):
    """Looks from a thread of its own, so that a blocked event loop is seen too.

    After `Settings.stall_after_ms` without a finished turn it writes every thread's stack
    to standard error and counts a stall; after twice that long it ends the process, whose
    partitions then go to another worker. Waiting for Redis or Kafka is not a stall.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        parts: Sequence[ScoringService | Relay | AlertService | WebhookService],
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Watch *parts*."""
        super().__init__(**more)
        self._limit_s = settings.stall_after_ms / 1000
        self._metrics = metrics
        self._parts = parts
        self._stop = threading.Event()

    async def on_start(self) -> None:
        """Start looking."""
        now_s = time.monotonic()
        for part in self._parts:
            part.progressed_s = now_s
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._look, name="watchdog", daemon=True).start()

    async def on_stop(self) -> None:
        """Stop looking."""
        self._stop.set()

    def _look(self) -> None:
        told: set[int] = set()
        while not self._stop.wait(_LOOK_EVERY_S):
            for number, part in enumerate(self._parts):
                age_s = time.monotonic() - part.progressed_s
                # Without partitions it is the group, or Redis, that lets it wait: see /readyz.
                if age_s < self._limit_s or not part.ready:
                    told.discard(number)
                    continue
                if number not in told:
                    told.add(number)
                    self._metrics.stalls.inc()
                    log.error("stalled", part=type(part).__name__, seconds=round(age_s))
                    faulthandler.dump_traceback()
                    self._dump_tasks()
                if age_s > 2 * self._limit_s:
                    log.error("ended_after_stall", part=type(part).__name__)
                    os._exit(EXIT_STALLED)

    def _dump_tasks(self) -> None:
        """Say where every task waits: a loop that turns shows nothing of it in a thread's stack."""
        for task in asyncio.all_tasks(self._loop):
            sys.stderr.write(f"{task.get_name()}: {' > '.join(_waits(task.get_coro()))}\n")
        sys.stderr.flush()


def _waits(coroutine: Any) -> Iterator[str]:  # noqa: ANN401 - whatever can be awaited
    """Yield where a coroutine waits, and where what it waits for does."""
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        yield f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}"
        coroutine = coroutine.cr_await
