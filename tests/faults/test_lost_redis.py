r"""Redis loses everything under load, again and again, and is rebuilt from the log each time.

The full experiment is::

    TIERSTREAM_FAULT_EVENTS=150000 TIERSTREAM_FAULT_KILLS=5 \
      python -m pytest tests/faults/test_lost_redis.py -s --broker=apache --timeout=1800
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults.load import Load, all_applied, random_moment, send_history, send_live, verify
from tests.integration.system import System
from tests.integration.test_rebuild import empty, holds
from tests.integration.test_replay_live import tierstream
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agents.embedded import EmbeddedRedis
    from tests.faults.conftest import Size

pytestmark = [pytest.mark.faults_heavy, pytest.mark.timeout(1800)]

MOST_LOSSES = 3
SECONDS_PER_LOSS = 5.0


async def test_redis_emptied_under_load_and_rebuilt_announces_everything_once(
    kafka_bootstrap: str,
    new_redis: Callable[..., EmbeddedRedis],
    namespace: str,
    tmp_path: Path,
    size: Size,
) -> None:
    """Producers go on meanwhile; every count is right, and every change came once."""
    chance = random.Random(size.seed)
    losses = min(size.kills, MOST_LOSSES)
    load = Load.of(size.events, size.seed)
    server = new_redis()
    rows = []
    async with System(kafka_bootstrap, server.url, namespace, tmp_path) as system:
        await send_history(system, load)
        workers = [await system.started(role) for role in ("scoring", "scoring", "delivery")]
        per_second = size.events / 2 / (losses * SECONDS_PER_LOSS)
        producing = asyncio.create_task(send_live(system, load, per_second))
        for _ in range(losses):
            await asyncio.to_thread(random_moment, chance, 0.5, SECONDS_PER_LOSS)
            workers[2].send(signal.SIGSTOP)  # so that what was not announced yet is lost, too
            await wait_for_async(lambda: load.sent or system.waiting_rows(), "rows to wait", 120)
            await asyncio.to_thread(empty, server)
            workers[2].send(signal.SIGCONT)
            for worker in workers[:2]:
                await holds(worker)
            told = await tierstream(system, "rebuild", "--json")
            rows.append(json.loads(told)["restored"]["rows"])
            for worker in workers[:2]:
                await wait_for_async(worker.ready, "the worker to go on", 60)
            for worker in workers[:2]:
                worker.log_path.write_text("")
        await producing
        await all_applied(system, load, 300)
        found = await verify(system, load)
        sys.stdout.write(f"\n{losses} losses, announced after each: {rows}; {found}\n")
