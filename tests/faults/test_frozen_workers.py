"""Workers that are frozen and wake up: what they do not know yet must not be decided by them."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import uuid
from asyncio import to_thread
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.faults.load import Load, all_applied, send_history, send_live, verify
from tests.integration.system import DAY_MS, System, check_chains, check_states, order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agents.embedded import EmbeddedRedis
    from tests.faults.conftest import Size
    from tests.integration.system import Worker

CUSTOMERS = 50


def now_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


def shared(system: System, owners: Sequence[Worker]) -> bool:
    """Whether these workers have all buckets, and each of them some."""
    owned = [worker.metric("tierstream_owned_buckets") for worker in owners]
    return sum(owned) == system.buckets and min(owned) > 0


@pytest.mark.faults
@pytest.mark.timeout(180)
async def test_a_worker_that_was_frozen_reads_what_came_meanwhile_before_time_passes(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """An order recorded before a deadline counts, though the deadline passed while frozen.

    The customers' only orders leave their window at the due instant; a second order, half a
    second before, keeps every one of them in the tier. Whoever fires deadlines by the wall
    clock on waking up takes them down first.
    """
    namespace = f"t{uuid.uuid4().hex[:8]}"
    env = {"report_ms": "0", "audit": "off"}
    async with System(kafka_bootstrap, redis_url, namespace, tmp_path, env=env) as system:
        worker = await system.started()
        due_ms = now_ms() + 5_000
        first = [order(n, f"c{n}", due_ms - 30 * DAY_MS, 40_000) for n in range(CUSTOMERS)]
        await system.send("orders", first)
        await wait_for_async(lambda: system.orders() == CUSTOMERS, "the first orders", 4)
        await wait_for_async(lambda: now_ms() > due_ms - 1_000, "a second before", 10)
        worker.send(signal.SIGSTOP)
        second_ms = due_ms - 500
        await wait_for_async(lambda: now_ms() > second_ms, "the second orders' time", 10)
        second = [order(1_000 + n, f"c{n}", second_ms, 25_000) for n in range(CUSTOMERS)]
        await system.send("orders", second)
        await wait_for_async(lambda: now_ms() > due_ms + 1_000, "the deadline to have passed", 10)
        worker.send(signal.SIGCONT)
        await wait_for_async(lambda: system.orders() == 2 * CUSTOMERS, "the second orders", 30)
        everybody = range(system.settings.buckets)
        await wait_for_async(lambda: not system.store.due(everybody, due_ms, 1), "deadlines", 30)
        await wait_for_async(lambda: system.waiting_rows() == 0, "an empty outbox", 30)
        changes = await system.changes()
        check_states(system.plan, system.customers(), check_chains(changes))
        moves = {c["customer_id"]: (c["from"], c["to"]) for c in changes if c["grading"] == "value"}
        assert moves == {f"c{n}": (None, "gold") for n in range(CUSTOMERS)}


@pytest.mark.faults_heavy
@pytest.mark.kafka
@pytest.mark.timeout(900)
async def test_a_worker_frozen_for_longer_than_its_session_writes_nothing_when_it_wakes(
    kafka_bootstrap: str, durable_redis: EmbeddedRedis, namespace: str, tmp_path: Path, size: Size
) -> None:
    """Its partitions have gone to others; it is fenced, joins again, and all adds up."""
    load = Load.of(size.events, size.seed)
    env = {"session_timeout_ms": "2000"}
    freezes = max(2, size.kills // 2)
    async with System(
        kafka_bootstrap, durable_redis.url, namespace, tmp_path, partitions=8, env=env
    ) as system:
        await send_history(system, load)
        workers = [system.start() for _ in range(3)]
        producing = asyncio.create_task(send_live(system, load, size.events / 2 / (12 * freezes)))
        for number in range(freezes):
            frozen = workers[number % 3]
            others = [worker for worker in workers if worker is not frozen]
            await wait_for_async(partial(to_thread, shared, system, workers), "shares", 120)
            frozen.send(signal.SIGSTOP)
            await wait_for_async(partial(to_thread, shared, system, others), "a takeover", 60)
            frozen.send(signal.SIGCONT)
        await producing
        await all_applied(system, load, 300)
        found = await verify(system, load)
        fenced = [f"{worker.metric('tierstream_rewinds_total'):.0f} rewinds" for worker in workers]
        sys.stdout.write(f"\n{freezes} freezes: {found}; {fenced}\n")
