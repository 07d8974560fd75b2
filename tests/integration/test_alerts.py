"""A real Prometheus looks at a real worker: faults call, health is silent, commands work."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.grafana.panels import ALL
from tests.documented import DOCS, documented
from tests.integration.system import DAY_MS, System, Worker, order
from tests.prometheus import Prometheus
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agents.embedded import EmbeddedRedis

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        shutil.which("prometheus") is None, reason="prometheus is not on the PATH (Debian has it)"
    ),
]

TESTED = re.findall(r"<!-- tested: (\w+) -->", (DOCS / "runbook.md").read_text(encoding="utf-8"))


class Observed:
    """One worker on a Redis of its own, and a Prometheus that scrapes it."""

    def __init__(self, system: System, redis: EmbeddedRedis, worker: Worker) -> None:
        self.system = system
        self.redis = redis
        self.worker = worker
        self.prometheus = Prometheus([f"127.0.0.1:{worker.port}"])
        self._sent = 0

    async def orders(self, count: int, age_s: float = 0.0) -> None:
        """Send orders whose records are so old."""
        at_ms = time.time_ns() // 1_000_000 - int(age_s * 1000)
        numbers = range(self._sent, self._sent + count)
        self._sent += count
        await self.system.send("orders", [order(n, f"c{n}", at_ms, 40_000) for n in numbers])

    async def sees(self, query: str) -> None:
        """Wait until a query has a result; orders come in meanwhile."""

        async def found() -> bool:
            if await asyncio.to_thread(self.prometheus.query, query):
                return True
            await self.orders(5)
            return False

        await wait_for_async(found, f"a result of {query}", 90)

    async def fires(self, *alerts: str) -> None:
        """Wait until just these alerts fire."""
        await wait_for_async(
            lambda: self.prometheus.firing() == set(alerts), f"alerts {alerts}, and no other", 90
        )


@pytest.fixture
async def observed(
    kafka_bootstrap: str,
    new_redis: Callable[..., EmbeddedRedis],
    tmp_path: Path,
    *,
    on_apache_kafka: bool,
) -> AsyncIterator[Observed]:
    """What is observed, healthy, with everything measured once."""
    redis = new_redis(appendonly=True)
    # As for `system`: the embedded broker and reports of offsets, or a second group, do not agree.
    env = {} if on_apache_kafka else {"report_ms": "0", "audit": "off"}
    namespace = f"t{uuid.uuid4().hex[:8]}"
    async with System(kafka_bootstrap, redis.url, namespace, tmp_path, env=env) as system:
        one = Observed(system, redis, await system.started())
        async with one.prometheus:
            await one.sees('tierstream:slo_errors:ratio_rate1h{slo="publishing"} < 0.01')
            yield one


async def test_health_is_silent_and_each_fault_calls_by_its_own_name(observed: Observed) -> None:
    """Redis gone and back, records that come late, a bad producer, a dead worker."""
    await observed.fires()

    await asyncio.to_thread(observed.redis.kill)
    await observed.fires("TierstreamRedisUnavailable")

    def parts() -> set[str]:
        found = observed.prometheus.query('ALERTS{alertstate="firing"}')
        return {one["metric"]["part"] for one in found}

    # An idle worker asks Redis with every flush, the relay all the time.
    await wait_for_async(lambda: parts() == {"scoring", "relay"}, "both parts", 90)
    await asyncio.to_thread(observed.redis.restart)
    await observed.fires()

    await observed.orders(2_000, age_s=40)
    late = {"TierstreamScoringSlow", "TierstreamPublishingSlow"}
    await wait_for_async(
        lambda: "TierstreamScoringSlow" in observed.prometheus.firing() <= late, "late records", 90
    )

    bad: list[tuple[bytes, int]] = [(b"{", time.time_ns() // 1_000_000)] * 150
    await observed.system.send("orders", bad)
    await wait_for_async(
        lambda: "TierstreamHalted" in observed.prometheus.firing(), "a halted partition", 90
    )

    observed.worker.kill()
    await wait_for_async(
        lambda: {"TierstreamWorkerDown", "TierstreamAbsent"} <= observed.prometheus.firing(),
        "a dead worker",
        90,
    )


EMPTY_HERE = {
    "Refused": "nothing was",
    "Held back by rules on stability": "the policy has none",
    "Messages that wait for a channel": "the policy tells nobody",
    "Attempts to deliver": "the policy tells nobody",
    "From the instant of a change to its alert": "the policy tells nobody",
    "Attempts to send a webhook": "no endpoint is known",
    "Webhooks that wait": "no endpoint is known",
}
"""Panels without a figure where all is well, and why."""


async def test_each_command_of_the_runbook_and_each_panel_finds_what_it_looks_for(
    observed: Observed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a healthy installation no command fails, and each says something; so do panels."""
    week_ago_ms = time.time_ns() // 1_000_000 - 7 * DAY_MS
    # With three orders of a week ago ann is "often"; seconds later time alone ends that.
    orders = [order(-n, "ann", week_ago_ms + 5_000) for n in (1, 2, 3)]
    await observed.system.send("orders", orders)
    settings = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PROMETHEUS": observed.prometheus.url,
        "WORKER": f"http://127.0.0.1:{observed.worker.port}",
        "TIERSTREAM_KAFKA": observed.system.kafka,
        "TIERSTREAM_REDIS": observed.system.redis,
        "TIERSTREAM_NAMESPACE": observed.system.namespace,
        "TIERSTREAM_BUCKETS": str(observed.system.buckets),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in TESTED:
        script = f"set -euo pipefail\n{documented('runbook.md', name)}"
        run = await asyncio.create_subprocess_exec(
            "/bin/bash", "-c", script,
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, errors = await run.communicate()
        assert run.returncode == 0, (name, said.decode(), errors.decode())
        if "> 0'" not in script:  # such a query lists troubles, of which there are none
            assert said.strip(), name

    await observed.sees("tierstream_deadline_lateness_seconds_count > 0")
    for panel in (panel for one in ALL for _, panels in one.rows for panel in panels):
        for query, _ in panel.queries:
            if panel.title not in EMPTY_HERE:
                await observed.sees(asked(query))


def asked(query: str) -> str:
    """Return a panel's query as Grafana sends it, for figures and not for NaN."""
    chosen = {"$job": "tierstream", "$grading": "value", "$__rate_interval": "10m"}
    for name, value in chosen.items():
        query = query.replace(name, value)
    return f"({query}) >= 0"
