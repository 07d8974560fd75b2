"""A worker that is told to end does so in time, whatever does not answer any more."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from agents.worker import EXIT_UNFINISHED
from tests.integration.system import System, order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agents.embedded import EmbeddedRedis, LocalServer

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


async def test_a_worker_ends_when_told_to_with_neither_kafka_nor_redis(
    new_broker: Callable[[], LocalServer], new_redis: Callable[..., EmbeddedRedis], tmp_path: Path
) -> None:
    """It says that it could not take leave; what it logged meanwhile does not fill a disk."""
    broker, redis = new_broker(), new_redis()
    async with System(broker.address, redis.url, "ending", tmp_path) as system:
        worker = await system.started(stop_within_ms="4000")
        now_ms = time.time_ns() // 1_000_000
        sent = await system.send("orders", [order(n, f"c{n}", now_ms, 40_000) for n in range(50)])
        await wait_for_async(lambda: system.applied() == len(sent), "all orders", 60)
        broker.kill()
        redis.kill()
        await wait_for_async(
            lambda: worker.log_path.read_text().count("store_unavailable") > 1, "the outage", 60
        )
        worker.send(signal.SIGTERM)
        await wait_for_async(lambda: not worker.running, "its end", 60)
        assert worker.process.returncode in {0, EXIT_UNFINISHED}
        said = [json.loads(line) for line in worker.log_path.read_text().splitlines()]
        parts = [line["part"] for line in said if line["event"] == "store_unavailable"]
        assert len(parts) == len(set(parts))
