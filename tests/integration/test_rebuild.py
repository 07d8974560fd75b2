"""Redis is emptied while workers run: they hold, and go on once it was rebuilt from the log."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
import redis

from agents.replay.export import FILES
from tests.integration.system import POLICY, System, Worker
from tests.integration.test_replay_live import history, tierstream, unique, write_csv
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agents.embedded import EmbeddedRedis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

WARNING = f"{POLICY}\nforecasts: {{lead_days: 5}}\n"
LOST = "its state was lost; run: tierstream rebuild"


def empty(server: EmbeddedRedis) -> None:
    """Let Redis forget everything."""
    with redis.Redis.from_url(server.url) as client:
        client.flushall()


async def holds(worker: Worker) -> None:
    """Wait until a worker says what is to be done."""
    await wait_for_async(lambda: LOST in worker.log_path.read_text(), "the worker to hold", 60)


async def test_a_redis_that_was_emptied_under_load_is_rebuilt_to_the_same_bytes(
    kafka_bootstrap: str, new_redis: Callable[..., EmbeddedRedis], tmp_path: Path
) -> None:
    """Nothing is announced twice and nothing is lost, with one worker waiting and one started."""
    orders = write_csv(tmp_path / "orders.csv", history(customers=60, orders=2_000))
    until = ["--as-of", "1998-12-31T00:00:00Z", "--export"]
    server = new_redis()
    async with System(
        kafka_bootstrap, server.url, unique(), tmp_path, WARNING, env={"clock": "stream"}
    ) as system:
        first = await system.started()
        arguments = ["replay", str(orders), "--speed", "4000000", *until, str(tmp_path / "live")]
        replaying = asyncio.create_task(tierstream(system, *arguments))
        await wait_for_async(lambda: system.applied() > 500, "some orders to be applied", 60)
        await asyncio.to_thread(empty, server)
        await holds(first)
        second = system.start()
        await holds(second)
        assert first.running
        assert second.running
        told = await tierstream(system, "rebuild", "--clock", "stream", "--json")
        restored = json.loads(told)["restored"]
        assert restored["buckets"] == 256
        again = await tierstream(system, "rebuild", "--clock", "stream")
        assert again == "Redis has lost nothing that was announced\n"
        await replaying
        announced = await system.changes()
        await tierstream(
            system, "replay", str(orders), "--offline", *until, str(tmp_path / "offline")
        )
    assert len({change["id"] for change in announced}) == len(announced)
    for name in FILES:
        assert (tmp_path / "live" / name).read_bytes() == (tmp_path / "offline" / name).read_bytes()
