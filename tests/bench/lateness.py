"""How late a downgrade is that nothing but silence brings about.

Silent customers get their only order so long ago that their deadlines fall within one minute;
live orders of others come in beside them. Printed are, over all silent customers: whether every
deadline fired at its due instant (event time), and how long after it the change could be read
from the topic (wall clock)::

    python -m tests.bench.lateness [--customers 100000] [--live 1000] [--broker embedded|apache]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agents.embedded import EmbeddedBroker, EmbeddedRedis
from agents.kafka import consumer
from schemas.tier_changes import TierChange
from stream.calendar import DAY_MS
from tests.brokers.apache_kafka import ApacheKafka
from tests.integration.system import System, order

if TYPE_CHECKING:
    from agents.settings import Settings

SPREAD_MS = 60_000
LEAD_MS = 60_000
POLICY = """
policy: silence
version: 1
time_zone: UTC
currency: USD
measures:
  recency: {days_since: last_order}
  orders: {count: orders}
gradings:
  active:
    type: conditions
    levels:
      - {level: active, when: {measure: recency, below: 7}}
      - {level: silent}
"""


async def watch(settings: Settings, expected: dict[str, int], seen: dict[str, int]) -> list[float]:
    """Return, in seconds, how long after its due instant each change to silent could be read."""
    late: list[float] = []
    reader = consumer(settings)
    await reader.start()
    try:
        reader.subscribe([settings.topic("tier-changes")])
        while len(late) < len(expected):
            for records in (await reader.getmany(timeout_ms=100)).values():
                now_ms = time.time_ns() // 1_000_000
                for record in records:
                    change = msgspec.json.decode(record.value or b"")
                    if change["to"] == "silent" and change["customer_id"] in expected:
                        seen[change["customer_id"]] = record.timestamp
                        late.append((now_ms - record.timestamp) / 1000)
                        TierChange.model_validate_json(record.value or b"")
    finally:
        await reader.stop()
    return late


async def traffic(system: System, per_second: int, until: asyncio.Event) -> int:
    """Send live orders of other customers until told to stop; return how many."""
    sent = 0
    while not until.is_set():
        started = time.monotonic()
        now_ms = time.time_ns() // 1_000_000
        chunk = [
            order(10_000_000 + sent + n, f"live{(sent + n) % 5_000}", now_ms)
            for n in range(per_second // 10)
        ]
        await system.send("orders", chunk)
        sent += len(chunk)
        await asyncio.sleep(max(0.0, 0.1 - (time.monotonic() - started)))
    return sent


async def measure(system: System, customers: int, live: int) -> None:
    """Run the experiment and print its figures."""
    await system.started()
    started_ms = time.time_ns() // 1_000_000
    expected = {
        f"silent{n}": started_ms + LEAD_MS + n * SPREAD_MS // customers for n in range(customers)
    }
    seen: dict[str, int] = {}
    watching = asyncio.create_task(watch(system.settings, expected, seen))
    await system.send(
        "orders",
        [order(n, key, due - 7 * DAY_MS) for n, (key, due) in enumerate(expected.items())],
    )
    done = asyncio.Event()
    sending = asyncio.create_task(traffic(system, live, done))
    late = await watching
    done.set()
    sent = await sending
    exact = sum(seen[key] == due for key, due in expected.items())
    took_s = (time.time_ns() // 1_000_000 - started_ms) / 1000
    cuts = statistics.quantiles(late, n=100)
    print(f"{len(late):,} of {customers:,} deadlines fired, {exact:,} at their due instant")
    print(f"live orders beside them: {sent / took_s:,.0f} a second")
    print(f"due to readable: p50 {cuts[49]:.3f} s, p99 {cuts[98]:.3f} s, max {max(late):.3f} s")


async def main() -> None:
    """Start the servers and one worker, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.lateness")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--live", type=int, default=1_000, help="orders a second beside them")
    parser.add_argument("--broker", choices=["embedded", "apache"], default="apache")
    arguments = parser.parse_args()
    broker = EmbeddedBroker() if arguments.broker == "embedded" else ApacheKafka()
    with broker, EmbeddedRedis() as redis, tempfile.TemporaryDirectory() as folder:
        namespace = f"late{uuid.uuid4().hex[:6]}"
        async with System(
            broker.address, redis.url, namespace, Path(folder), POLICY, partitions=8
        ) as system:
            await measure(system, arguments.customers, arguments.live)


if __name__ == "__main__":
    asyncio.run(main())
