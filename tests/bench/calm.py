"""Everything at once: deadlines, a census, a new policy, and live orders beside them.

A store of many customers is filled through the pure core. Live orders come in, first alone.
Then, at one instant, very many deadlines fall due within a second, a census is taken and a
policy published, while live orders go on coming in. Printed are how long live orders took from
being sent to their tier change being readable, alone and beside all that, how fast the sweep
went and what it cost, which process took how much of the machine, and whether any change was
announced twice::

    python -m tests.bench.calm [--customers 1000000] [--deadlines 100000] [--live 5000]
        [--alone 20] [--workers 2] [--buckets 256] [--roles all|apart] [--audit]
        [--broker apache|embedded]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agents.census import WRITER, count
from agents.embedded import EmbeddedBroker, EmbeddedRedis
from agents.kafka import consumer
from agents.publishing import announce, publish
from schemas.policy import load_policy
from stream.adapters.redis_store import RedisStore
from stream.editions import decode_book, edition_in_force
from stream.plan import compile_policy
from stream.population.follow import cuts_record
from tests.bench.crowd import BUCKETS, Share, cuts_among, fill, now_ms
from tests.bench.live_orders import NEW, NEW_EVERY
from tests.bench.shares import look, shares
from tests.brokers.apache_kafka import ApacheKafka
from tests.integration.system import System
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

    from agents.settings import Settings
    from schemas.policy import PolicyDocument
    from tests.bench.shares import Moment

PARTITIONS = 8
SECOND = 2
LOOK_EVERY_S = 0.5
SETTLE_S = 5.0
START_S = 20.0
VISITS = "tierstream_sweep_visits_total"
POLICY = """
policy: calm
version: {version}
time_zone: UTC
currency: USD
measures:
  revenue: {{sum: revenue, window: 90d}}
  orders: {{count: orders}}
  recency: {{days_since: last_order}}
gradings:
  value:
    type: bands
    measure: revenue
    minimum_evidence: {{measure: orders, at_least: 1}}
    tiers: [{{tier: gold, enter: {gold}}}, {{tier: silver, enter: 100}}, {{tier: basic}}]
  active:
    type: conditions
    levels:
      - {{level: active, when: {{measure: recency, below: 7}}}}
      - {{level: silent}}
  place:
    type: pareto
    measure: revenue
    classes: [{{class: a, share: 80%}}, {{class: b, share: 95%}}, {{class: c}}]
population: {{cadence: hourly}}
"""


@dataclass(slots=True)
class Seen:
    """What came out of `tier-changes`.

    Attributes:
        ids: Of every change; one that came twice counts in `repeated`.
        live: When the order was sent, and after how many seconds its change could be read.
        late_s: Per deadline that fell due, how late its change could be read.
        on_time: Of these, how many at their due instant.
    """

    ids: set[bytes] = field(default_factory=set)
    repeated: int = 0
    live: list[tuple[float, float]] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    on_time: int = 0

    def note(self, record: ConsumerRecord[bytes, bytes], now_s: float, due_ms: int) -> None:
        """Take note of one change, read at *now_s*."""
        headers = dict(record.headers)
        change_id, at_ms = bytes.fromhex(headers["ce_id"].decode()), record.timestamp
        key = record.key or b""
        self.repeated += change_id in self.ids
        self.ids.add(change_id)
        if key.startswith(NEW.encode()) and headers["ce_subject"] == b"value":
            self.live.append((at_ms / 1000, now_s - at_ms / 1000))
        elif key.startswith(b"silent") and headers["ce_subject"] == b"active" and at_ms >= due_ms:
            self.late_s.append(now_s - at_ms / 1000)
            self.on_time += at_ms < due_ms + 1000


async def watch(settings: Settings, due_ms: int, seen: Seen, done: asyncio.Event) -> None:
    """Read every change until told to stop."""
    reader = consumer(settings, fetch_max_wait_ms=20)
    await reader.start()
    try:
        reader.subscribe([settings.topic("tier-changes")])
        while not done.is_set():
            for records in (await reader.getmany(timeout_ms=50)).values():
                now_s = time.time()
                for record in records:
                    seen.note(record, now_s, due_ms)
    finally:
        await reader.stop()


class Traffic:
    """The process that sends live orders."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def started(cls, system: System, rate: int, known: int) -> Traffic:
        """Start it."""
        options = {
            "kafka": system.kafka,
            "topic": system.settings.topic("orders"),
            "partitions": PARTITIONS,
            "rate": rate,
            "known": known,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.bench.live_orders"),
            *(word for name, value in options.items() for word in (f"--{name}", str(value))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return cls(process)

    async def stop(self) -> int:
        """End it and return how many orders it has sent."""
        said, _ = await self._process.communicate(b"")
        return int(said)


async def metric(system: System, name: str) -> float:
    """Return a metric summed over the workers, without holding up anything."""
    found = [await asyncio.to_thread(worker.metric, name) for worker in system.workers]
    return sum(found)


def brought(store: RedisStore, buckets: int) -> bool:
    """Whether everyone has been brought to the second policy."""
    books = [decode_book(head.editions) for head in store.heads(range(buckets))]
    return all(book.swept and book.editions[-1].policy["version"] == SECOND for book in books)


async def at_once(system: System, due_ms: int, gold: int, pids: dict[str, int]) -> float:
    """Take a census and publish a policy at *due_ms*; return when everyone has been brought."""
    await asyncio.sleep(max(0.0, due_ms / 1000 - time.time()))
    plan = compile_policy(load_text(system.folder, SECOND, gold))
    loop, buckets = asyncio.get_running_loop(), system.settings.buckets
    store = RedisStore(system.redis, prefix=system.settings.key_prefix)
    try:
        edition = edition_in_force(store.heads(range(buckets)))
        before = {} if edition is None else edition.cuts
        visited, began = await metric(system, VISITS), look(pids)
        census = await loop.run_in_executor(None, count, store, buckets, system.plan, before)
        print(
            f"census of {max(census.customers.values(), default=0):,} customers: "
            f"{time.monotonic() - began.at_s:.2f} s"
        )
        at_ms = now_ms()
        await announce(system.settings, cuts_record(system.plan, census, at_ms), at_ms, WRITER)
        await publish(system.settings, plan.document)
        while not await loop.run_in_executor(None, brought, store, buckets):  # noqa: ASYNC110 - of others
            await asyncio.sleep(LOOK_EVERY_S)
        ended = look(pids)
        visited = await metric(system, VISITS) - visited
        took_s = ended.at_s - began.at_s
        print(
            f"sweep: {visited:,.0f} visits in {took_s:.1f} s, {visited / took_s:,.0f} a second; "
            f"{_workers_s(began, ended) / visited * 1e6:.0f} µs of the workers for each"
        )
        print(shares(began, ended))
    finally:
        store.close()
    return time.time()


def _workers_s(before: Moment, after: Moment) -> float:
    """Return what the workers took, live orders included."""
    return sum(
        spent_s - before.spent_s[name]
        for name, spent_s in after.spent_s.items()
        if name.startswith("worker")
    )


def load_text(folder: Path, version: int, gold: int) -> PolicyDocument:
    """Return the policy with another level of gold."""
    path = folder / f"calm-{version}.yaml"
    path.write_text(POLICY.format(version=version, gold=gold))
    return load_policy(str(path))


def crowd(system: System, arguments: argparse.Namespace) -> int:
    """Fill the store; return the instant from which on deadlines fall due."""
    policy = system.settings.policy
    everyone = range(arguments.deadlines, arguments.customers)
    cuts = cuts_among(policy, arguments.customers)
    where = system.redis, system.settings.key_prefix
    share = Share(*where, policy, cuts, everyone, None, now_ms(), arguments.buckets)
    started_s = time.monotonic()
    fill(share)
    took_s = time.monotonic() - started_s
    rest_s = took_s * arguments.deadlines / max(1, len(everyone)) * 2
    lead_s = rest_s + START_S + SETTLE_S + arguments.alone
    due_ms = now_ms() + int(lead_s * 1000)
    fill(share._replace(customers=range(arguments.deadlines), silent_ms=due_ms))
    facts = system.store.server_info()
    print(
        f"{arguments.customers:,} customers in the store after "
        f"{time.monotonic() - started_s:.0f} s, "
        f"{facts.used_memory_bytes / arguments.customers:,.0f} bytes each in Redis, rankings "
        "included"
    )
    return due_ms


async def measure(system: System, arguments: argparse.Namespace, servers: dict[str, int]) -> None:
    """Run the experiment and print its figures."""
    system.store.install(arguments.buckets)
    due_ms = crowd(system, arguments)
    audit = "on" if arguments.audit else "off"
    for _ in range(arguments.workers):
        await system.started("all" if arguments.roles == "all" else "scoring", audit=audit)
    if arguments.roles == "apart":
        await system.started("delivery", audit=audit)
    seen, done = Seen(), asyncio.Event()
    watching = asyncio.create_task(watch(system.settings, due_ms, seen, done))
    traffic = await Traffic.started(system, arguments.live, arguments.customers)
    began_s = time.time()
    workers = {f"worker {n} ({w.role})": w.process.pid for n, w in enumerate(system.workers, 1)}
    pids = {**workers, **servers, "sender": traffic.pid, "reader": os.getpid()}
    await asyncio.sleep(SETTLE_S)
    alone = look(pids)
    left_s = due_ms / 1000 - time.time()
    print(f"live orders alone, {left_s:.0f} s before the deadlines", flush=True)
    assert left_s > arguments.alone / 2, "too late: the machine is too busy for this"
    await asyncio.sleep(left_s)
    print(shares(alone, look(pids)), flush=True)
    ended_s = await at_once(system, due_ms, 400, pids)
    fallen = partial(_fallen, seen, arguments.deadlines)
    await wait_for_async(fallen, "every deadline to fire", 600)
    orders = await traffic.stop()
    print(f"live orders: {orders / (time.time() - began_s):,.0f} a second")
    told = partial(_told, seen, orders)
    await wait_for_async(told, "every live order to be told", 300)
    done.set()
    await watching
    report(seen, arguments.deadlines, began_s + SETTLE_S, due_ms / 1000, ended_s)


def _fallen(seen: Seen, deadlines: int) -> bool:
    """Whether so many deadlines were told of."""
    return len(seen.late_s) >= deadlines


def _told(seen: Seen, orders: int) -> bool:
    """Whether the first grade of every new customer was told."""
    return len(seen.live) >= orders // NEW_EVERY


def report(seen: Seen, deadlines: int, began_s: float, due_s: float, ended_s: float) -> None:
    """Print what came out."""
    for name, first_s, last_s in (("alone", began_s, due_s), ("beside it", due_s, ended_s)):
        taken_s = [took_s for at_s, took_s in seen.live if first_s <= at_s < last_s]
        if len(taken_s) > 1:
            cuts = statistics.quantiles(taken_s, n=100)
            print(
                f"live order to readable change, {name}: {len(taken_s):,} changes, "
                f"p50 {cuts[49] * 1000:,.0f} ms, p99 {cuts[98] * 1000:,.0f} ms, "
                f"max {max(taken_s) * 1000:,.0f} ms"
            )
    cuts = statistics.quantiles(seen.late_s, n=100)
    print(
        f"{len(seen.late_s):,} of {deadlines:,} deadlines of one second fired, {seen.on_time:,} at "
        f"their due instant; readable p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s after it"
    )
    print(f"{len(seen.ids):,} changes announced, {seen.repeated} twice")


async def main() -> None:
    """Start the servers and workers, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.calm")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--deadlines", type=int, default=100_000)
    parser.add_argument("--live", type=int, default=5_000, help="orders a second beside them")
    parser.add_argument("--alone", type=float, default=20, help="seconds of nothing but these")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--buckets", type=int, default=BUCKETS)
    parser.add_argument("--roles", choices=["all", "apart"], default="all")
    parser.add_argument("--audit", action="store_true", help="read the changes back, as workers do")
    parser.add_argument("--broker", choices=["embedded", "apache"], default="apache")
    arguments = parser.parse_args()
    broker = EmbeddedBroker() if arguments.broker == "embedded" else ApacheKafka()
    with broker, EmbeddedRedis() as redis, tempfile.TemporaryDirectory() as folder:
        namespace = f"calm{uuid.uuid4().hex[:6]}"
        text = POLICY.format(version=1, gold=500)
        async with System(
            broker.address,
            redis.url,
            namespace,
            Path(folder),
            text,
            partitions=PARTITIONS,
            buckets=arguments.buckets,
        ) as system:
            await measure(system, arguments, {"broker": broker.pid, "redis": redis.pid})


if __name__ == "__main__":
    asyncio.run(main())
