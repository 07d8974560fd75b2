r"""The relay killed in the middle of anything: every row once, in order.

The full experiment is::

    TIERSTREAM_FAULT_EVENTS=150000 TIERSTREAM_FAULT_KILLS=20 \
      python -m pytest tests/faults/test_kill_relay.py -s --broker=apache \
      --redis-server=debian --timeout=1800
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.load import Load, all_applied, random_moment, send_history, send_live, verify
from tests.integration.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from agents.embedded import EmbeddedRedis
    from tests.faults.conftest import Size

# Apache Kafka: the embedded broker never puts a killed member out of its group.
pytestmark = [pytest.mark.faults_heavy, pytest.mark.kafka, pytest.mark.timeout(1800)]

# A killed relay's shards are given away when its session has timed out.
SESSION_S = 2
SECONDS_PER_KILL = 5.0


async def test_a_relay_that_is_killed_again_and_again_announces_every_row_once_in_order(
    kafka_bootstrap: str, durable_redis: EmbeddedRedis, namespace: str, tmp_path: Path, size: Size
) -> None:
    """Every change is published once and in order, and is the offline run's."""
    chance = random.Random(size.seed)
    load = Load.of(size.events, size.seed)
    per_second = size.events / 2 / (size.kills * SECONDS_PER_KILL)
    soon = {"session_timeout_ms": str(SESSION_S * 1000)}
    async with System(
        kafka_bootstrap, durable_redis.url, namespace, tmp_path, partitions=8
    ) as system:
        await send_history(system, load)
        await system.started("scoring")
        relay = system.start("delivery", **soon)
        started = time.monotonic()
        producing = asyncio.create_task(send_live(system, load, per_second))
        for _ in range(size.kills):
            await asyncio.to_thread(random_moment, chance, SESSION_S, 2 * SECONDS_PER_KILL - 2)
            relay.kill()
            relay = system.start("delivery", **soon)
        await producing
        await all_applied(system, load, 300)
        seconds = time.monotonic() - started
        found = await verify(system, load)
        topics = ("tier-changes", "customer-tiers", "dead-letters")
        published = [len(await system.read(topic)) for topic in topics]
        sys.stdout.write(
            f"\n{sum(published)} rows, {size.kills} kills of the relay in {seconds:.0f} s, "
            f"published {published}: {found}\n"
        )
