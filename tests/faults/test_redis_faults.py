r"""Redis killed, gone for a while, or back in time, under load: no wrong customer at the end.

Redis is kept as users are told to (append-only file, synced every second), except where the
test wants it to forget. The full experiment is::

    TIERSTREAM_FAULT_EVENTS=150000 TIERSTREAM_FAULT_KILLS=10 \
      python -m pytest tests/faults/test_redis_faults.py -s --broker=apache \
      --redis-server=debian --timeout=1800
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
import redis

from stream.store import StoreUnavailable
from tests.faults.load import (
    Load,
    all_applied,
    random_moment,
    send_history,
    send_live,
    verify,
)
from tests.integration.system import System
from tests.waiting import wait_for, wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agents.embedded import EmbeddedRedis
    from tests.faults.conftest import Size

pytestmark = [pytest.mark.faults_heavy, pytest.mark.timeout(1800)]

SECONDS_PER_KILL = 4.0
LONG_OUTAGE_S = 10.0


def restart(server: EmbeddedRedis, system: System) -> None:
    """Start Redis again and wait until it has loaded its file."""
    server.start()
    wait_for(lambda: answers(system), "Redis to have loaded its file", 60)


def answers(system: System) -> bool:
    """Whether the store answers."""
    try:
        system.store.ping()
    except StoreUnavailable:
        return False
    return True


def all_written(system: System) -> bool:
    """Whether no bucket is empty."""
    return all(head.version for head in system.store.heads(range(system.settings.buckets)))


async def test_redis_killed_and_restarted_under_load_leaves_no_wrong_customer(
    kafka_bootstrap: str, durable_redis: EmbeddedRedis, namespace: str, tmp_path: Path, size: Size
) -> None:
    """Outages of any length, one of them ten seconds: every count and every change is right."""
    chance = random.Random(size.seed)
    load = Load.of(size.events, size.seed)
    per_second = size.events / 2 / (size.kills * SECONDS_PER_KILL)
    async with System(kafka_bootstrap, durable_redis.url, namespace, tmp_path) as system:
        await send_history(system, load)
        workers = [await system.started(role) for role in ("scoring", "scoring", "delivery")]
        producing = asyncio.create_task(send_live(system, load, per_second))
        started = time.monotonic()
        for number in range(size.kills):
            await asyncio.to_thread(random_moment, chance, 0.2, SECONDS_PER_KILL)
            await asyncio.to_thread(durable_redis.kill)
            down_s = LONG_OUTAGE_S if number == 0 else chance.uniform(0, 2)
            await asyncio.to_thread(random_moment, chance, down_s, down_s)
            assert all(worker.running for worker in workers)
            await asyncio.to_thread(restart, durable_redis, system)
        await producing
        await all_applied(system, load, 300)
        found = await verify(system, load, may_repeat=True)
        rewinds = sum(worker.metric("tierstream_rewinds_total") for worker in workers)
        assert rewinds > 0
        sys.stdout.write(
            f"\n{size.events} events, {size.kills} kills of Redis in "
            f"{time.monotonic() - started:.0f} s, {rewinds:.0f} rewinds: {found}\n"
        )


async def test_redis_that_goes_back_in_time_is_noticed_and_the_input_applied_again(
    kafka_bootstrap: str,
    new_redis: Callable[..., EmbeddedRedis],
    namespace: str,
    tmp_path: Path,
    size: Size,
) -> None:
    """What was acknowledged and then forgotten is folded again: nothing is wrong or missing."""
    chance = random.Random(size.seed)
    load = Load.of(size.events, size.seed)
    per_second = size.events / 2 / (size.kills * SECONDS_PER_KILL)
    server = new_redis()
    lost = 0
    async with System(kafka_bootstrap, server.url, namespace, tmp_path) as system:
        await send_history(system, load)
        [await system.started(role) for role in ("scoring", "scoring", "delivery")]
        # To forget a bucket altogether is another thing: see test_lost_redis.
        await wait_for_async(partial(all_written, system), "every bucket to be written", 60)
        producing = asyncio.create_task(send_live(system, load, per_second))
        for _ in range(size.kills):
            with redis.Redis.from_url(server.url) as client:
                client.save()  # what it will wake up with
                await asyncio.to_thread(random_moment, chance, 1, SECONDS_PER_KILL)
                before = await asyncio.to_thread(system.applied)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(restart, server, system)
            lost += max(0, before - await asyncio.to_thread(system.applied))
        await producing
        await all_applied(system, load, 300)
        found = await verify(system, load, may_repeat=True)
        sys.stdout.write(
            f"\n{size.kills} times back in time, {lost} applied records forgotten: {found}\n"
        )
