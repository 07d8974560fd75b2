r"""Workers killed in the middle of anything: nothing lost, nothing twice.

The full experiment, with its figures, is::

    TIERSTREAM_FAULT_EVENTS=300000 TIERSTREAM_FAULT_KILLS=20 \
      python -m pytest tests/faults/test_kill_workers.py -s --broker=apache \
      --redis-server=debian --timeout=1800 -k three_workers
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.load import (
    Load,
    all_applied,
    random_moment,
    send_history,
    send_live,
    verify,
    worker_facts,
)
from tests.integration.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from agents.embedded import EmbeddedRedis
    from tests.faults.conftest import Size

# Apache Kafka: the embedded broker never puts a killed member out of its group.
pytestmark = [pytest.mark.faults_heavy, pytest.mark.kafka, pytest.mark.timeout(1800)]

WORKERS = 3
FAST = {"session_timeout_ms": "3000"}
BUCKETS = 256
SECONDS_PER_KILL = 4.0


async def test_three_workers_of_which_one_is_killed_again_and_again_lose_and_repeat_nothing(
    kafka_bootstrap: str, durable_redis: EmbeddedRedis, namespace: str, tmp_path: Path, size: Size
) -> None:
    """Totals, every customer's count, every chain and every change equal the offline run's."""
    chance = random.Random(size.seed)
    load = Load.of(size.events, size.seed)
    per_second = size.events / 2 / (size.kills * SECONDS_PER_KILL)
    async with System(
        kafka_bootstrap,
        durable_redis.url,
        namespace,
        tmp_path,
        partitions=8,
        buckets=BUCKETS,
        env=FAST,
    ) as system:
        await send_history(system, load)
        serving = [system.start() for _ in range(WORKERS)]
        started = time.monotonic()
        producing = asyncio.create_task(send_live(system, load, per_second))
        for _ in range(size.kills):
            await asyncio.to_thread(random_moment, chance, 0.5, 2 * SECONDS_PER_KILL - 0.5)
            victim = chance.randrange(WORKERS)
            serving[victim].kill()
            serving[victim] = system.start()
        killed_s = time.monotonic() - started
        await producing
        await all_applied(system, load, 300)
        seconds = time.monotonic() - started
        found = await verify(system, load)
        sys.stdout.write(
            f"\n{size.events} events, {size.kills} kills in {killed_s:.0f} s, done after "
            f"{seconds:.0f} s: {found}; {worker_facts(system)}\n"
        )
