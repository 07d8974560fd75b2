"""Everything at once: deadlines, a census, a new policy, and live orders beside them.

A store of many customers is filled through the pure core. Then, at one instant, very many
deadlines fall due within a second, a census is taken and a policy published, while live orders
go on coming in. Printed are how long live orders took from being sent to their tier change
being readable, how fast the sweep went, and whether any change was announced twice::

    python -m tests.bench.calm [--customers 1000000] [--deadlines 100000] [--live 5000]
        [--workers 2] [--broker apache|embedded]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agents.census import WRITER, count
from agents.embedded import EmbeddedBroker, EmbeddedRedis
from agents.kafka import consumer, producer
from agents.publishing import announce, publish
from schemas.policy import load_policy
from stream.adapters.redis_store import RedisStore
from stream.arrivals import Payment
from stream.bucket import Bucket
from stream.calendar import DAY_MS
from stream.editions import edition_in_force
from stream.fold import Scorer
from stream.ledger import OrderEntry
from stream.partition import bucket_of
from stream.plan import compile_policy
from stream.population.follow import cuts_record
from stream.seen import DedupWindow
from tests.brokers.apache_kafka import ApacheKafka
from tests.integration.system import System, order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.structs import ConsumerRecord

    from agents.settings import Settings
    from schemas.policy import PolicyDocument

BUCKETS = 256
PROCESSES = 2
SILENT_DAYS = 7
LOOK_EVERY_S = 0.25
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
NEW = b"new"
SILENT = b"silent"


@dataclass(slots=True)
class Seen:
    """What came out of `tier-changes`.

    Attributes:
        ids: Of every change; one that came twice counts in `repeated`.
        live: When it could be read, and after how many seconds, per change of a live order.
        late_s: Per deadline that fell due, how late its change could be read.
        on_time: Of these, how many at their due instant.
    """

    ids: set[bytes] = field(default_factory=set)
    repeated: int = 0
    live: list[tuple[float, float]] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    on_time: int = 0


def fill(
    redis: str,
    prefix: str,
    policy: str,
    buckets: Sequence[int],
    *,
    customers: range,
    silent: range,
    due_ms: int,
) -> int:
    """Put every customer of *buckets* into the store with three orders; return how many.

    Those numbered in *silent* have ordered last so long ago that they fall silent within the
    second after *due_ms*; nobody else falls within a day.
    """
    scorer = Scorer(compile_policy(load_policy(policy)))
    store = RedisStore(redis, prefix=prefix)
    wanted = set(buckets)
    shares: dict[int, list[int]] = {}
    for number in customers:
        home = bucket_of(name_of(number, silent), BUCKETS)
        if home in wanted:
            shares.setdefault(home, []).append(number)
    filled = 0
    for number, share in shares.items():
        (head,) = store.heads([number])
        bucket = Bucket(head, scorer, DedupWindow())
        for one in share:
            key = name_of(one, silent)
            bucket.adopt(key, None)
            bucket.apply_to(key, orders_of(one, silent, due_ms))
        commit = bucket.commit({}, None)
        commit.outbox = []  # nobody has to hear of these
        commit.marks = b""
        store.commit([commit])
        filled += len(share)
    store.close()
    return filled


def name_of(number: int, silent: range) -> str:
    """Return the id of a customer."""
    return f"{'silent' if number in silent else 'c'}{number}"


def orders_of(number: int, silent: range, due_ms: int) -> list[Payment]:
    """Return a customer's orders: spread over two months, of 10 to 600 in all."""
    if number in silent:
        last_ms = due_ms - SILENT_DAYS * DAY_MS + (number - silent.start) * 1000 // len(silent)
    else:
        last_ms = due_ms - DAY_MS - (number * 7919 % (4 * DAY_MS))
    cents = 300 + number * 104_729 % 20_000
    return [
        Payment(at_ms, f"e{number}-{n}", f"o{number}-{n}", OrderEntry(at_ms, cents, 0, n))
        for n in range(3)
        for at_ms in (last_ms - (2 - n) * 20 * DAY_MS,)
    ]


async def watch(settings: Settings, due_ms: int, seen: Seen, done: asyncio.Event) -> None:
    """Read every change until told to stop."""
    reader = consumer(settings)
    await reader.start()
    try:
        reader.subscribe([settings.topic("tier-changes")])
        while not done.is_set():
            for records in (await reader.getmany(timeout_ms=50)).values():
                now_s = time.time()
                for record in records:
                    note(record, now_s, due_ms, seen)
    finally:
        await reader.stop()


def note(record: ConsumerRecord[bytes, bytes], now_s: float, due_ms: int, seen: Seen) -> None:
    """Take note of one change."""
    headers = dict(record.headers)
    change_id, key, at_ms = headers["ce_id"], record.key or b"", record.timestamp
    if change_id in seen.ids:
        seen.repeated += 1
    seen.ids.add(change_id)
    if key.startswith(NEW) and headers["ce_subject"] == b"value":
        seen.live.append((now_s, now_s - at_ms / 1000))
    elif key.startswith(SILENT) and headers["ce_subject"] == b"active" and at_ms >= due_ms:
        seen.late_s.append(now_s - at_ms / 1000)
        seen.on_time += at_ms < due_ms + 1000


async def traffic(system: System, per_second: int, customers: range, done: asyncio.Event) -> int:
    """Send live orders until told to stop, one in ten of a new customer; return how many."""
    sent = 0
    started_s = time.monotonic()
    client = producer(system.settings, linger_ms=5)
    await client.start()
    topic = system.settings.topic("orders")
    try:
        while not done.is_set():
            now_ms = time.time_ns() // 1_000_000
            for n in range(sent, sent + per_second // 50):
                key = (
                    f"new{n}"
                    if n % 10 == 0
                    else f"c{customers[-1 - n * 7919 % (len(customers) // 2)]}"
                )
                event, at_ms = order(10_000_000 + n, key, now_ms)
                await client.send(
                    topic,
                    json.dumps(event).encode(),
                    key.encode(),
                    partition=system.place(key),
                    timestamp_ms=at_ms,
                )
            sent += per_second // 50
            await asyncio.sleep(max(0.0, started_s + sent / per_second - time.monotonic()))
    finally:
        await client.stop()
    return sent


async def metric(system: System, name: str) -> float:
    """Return a metric summed over the workers, without holding up the traffic."""
    found = [await asyncio.to_thread(worker.metric, name) for worker in system.workers]
    return sum(found)


async def brought(system: System) -> None:
    """Return when nobody is on the way to an edition any more."""
    while await metric(system, "tierstream_sweep_remaining_buckets"):  # noqa: ASYNC110 - of others
        await asyncio.sleep(LOOK_EVERY_S)


async def at_once(system: System, due_ms: int, gold: int) -> float:
    """Take a census and publish a policy at *due_ms*; return when everyone has been brought."""
    await asyncio.sleep(max(0.0, due_ms / 1000 - time.time()))
    plan = compile_policy(load_text(system.folder, 2, gold))
    loop = asyncio.get_running_loop()
    store = RedisStore(system.redis, prefix=system.settings.key_prefix)
    try:
        edition = edition_in_force(store.heads(range(BUCKETS)))
        before = {} if edition is None else edition.cuts
        started_s = time.monotonic()
        census = await loop.run_in_executor(None, count, store, BUCKETS, system.plan, before)
        print(
            f"census of {max(census.customers.values(), default=0):,} customers: "
            f"{time.monotonic() - started_s:.2f} s"
        )
        now_ms = time.time_ns() // 1_000_000
        await announce(system.settings, cuts_record(system.plan, census, now_ms), now_ms, WRITER)
        visited = await metric(system, VISITS)
        started_s = time.monotonic()
        await publish(system.settings, plan.document)

        while await metric(system, VISITS) <= visited:  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(LOOK_EVERY_S)
        await brought(system)
        took_s = time.monotonic() - started_s
        visited = await metric(system, VISITS) - visited
        print(f"sweep: {visited:,.0f} visits in {took_s:.1f} s, {visited / took_s:,.0f} a second")
    finally:
        store.close()
    return time.time()


def load_text(folder: Path, version: int, gold: int) -> PolicyDocument:
    """Return the policy with another level of gold."""
    path = folder / f"calm-{version}.yaml"
    path.write_text(POLICY.format(version=version, gold=gold))
    return load_policy(str(path))


async def measure(system: System, arguments: argparse.Namespace) -> None:
    """Run the experiment and print its figures."""
    customers, silent = range(arguments.customers), range(arguments.deadlines)
    system.store.install(BUCKETS)
    due_ms = time.time_ns() // 1_000_000 + int(arguments.lead * 1000)
    text = system.settings.policy
    jobs = [range(part, BUCKETS, PROCESSES) for part in range(PROCESSES)]
    work = partial(
        fill,
        system.redis,
        system.settings.key_prefix,
        text,
        customers=customers,
        silent=silent,
        due_ms=due_ms,
    )
    started_s = time.monotonic()
    with ProcessPoolExecutor(PROCESSES) as pool:
        filled = sum(
            pool.map(partial(work, customers=customers, silent=silent, due_ms=due_ms), jobs)
        )
    facts = system.store.server_info()
    print(
        f"{filled:,} customers in the store after {time.monotonic() - started_s:.0f} s, "
        f"{facts.used_memory_bytes / filled:,.0f} bytes each in Redis, rankings included"
    )
    for _ in range(arguments.workers):
        await system.started()
    await wait_for_async(partial(taken, system), "the first census", 120)
    await brought(system)
    left_s = due_ms / 1000 - time.time()
    print(f"ready, {left_s:.0f} s before the deadlines")
    assert left_s > 0, "too late: ask for a longer --lead"
    seen, done, sent = Seen(), asyncio.Event(), asyncio.Event()
    watching = asyncio.create_task(watch(system.settings, due_ms, seen, done))
    sending = asyncio.create_task(traffic(system, arguments.live, customers, sent))
    began_s = time.time()
    ended_s = await at_once(system, due_ms, 400)
    await wait_for_async(partial(fallen, seen, len(silent)), "every deadline to fire", 300)
    sent.set()
    orders = await sending
    print(f"live orders: {orders / (time.time() - began_s):,.0f} a second")
    await wait_for_async(partial(all_told, seen, orders), "every live order to be told", 120)
    done.set()
    await watching
    report(seen, len(silent), due_ms / 1000, ended_s)


async def taken(system: System) -> bool:
    """Whether a census has set the first cuts everywhere."""
    return edition_in_force(system.store.heads(range(BUCKETS))) is not None


async def fallen(seen: Seen, count: int) -> bool:
    """Whether so many deadlines were told of."""
    return len(seen.late_s) >= count


async def all_told(seen: Seen, orders: int) -> bool:
    """Whether the first grade of every new customer was told."""
    return len(seen.live) >= orders // 10


def report(seen: Seen, deadlines: int, due_s: float, ended_s: float) -> None:
    """Print what came out."""
    for name, first_s, last_s in (("before", 0.0, due_s), ("during", due_s, ended_s + 1)):
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
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--lead", type=float, default=420, help="seconds for getting ready")
    parser.add_argument("--broker", choices=["embedded", "apache"], default="apache")
    arguments = parser.parse_args()
    broker = EmbeddedBroker() if arguments.broker == "embedded" else ApacheKafka()
    with broker, EmbeddedRedis() as redis, tempfile.TemporaryDirectory() as folder:
        namespace = f"calm{uuid.uuid4().hex[:6]}"
        text = POLICY.format(version=1, gold=500)
        async with System(
            broker.address, redis.url, namespace, Path(folder), text, partitions=8
        ) as system:
            await measure(system, arguments)


if __name__ == "__main__":
    asyncio.run(main())
