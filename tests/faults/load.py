"""A known log of orders, produced at a pace, and what must come of it. No claims here."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from agents.kafka import partition_of, producer
from agents.replay.log import LogRecord
from agents.replay.offline import replay_offline
from stream.calendar import format_instant
from tests.integration.system import DAY_MS, check_chains, check_states, order
from tests.waiting import wait_for, wait_for_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from stream.customer import Customer
    from tests.integration.system import System

CUSTOMERS = 2_000
SPAN_DAYS = 40
TICK_S = 0.05


@dataclass(slots=True)
class Load:
    """Orders of many customers: a history that is waiting in the log, and live ones after it.

    The history spans weeks, so that deadlines lie between its records; live records carry the
    time at which they are sent, as a shop's do.

    Attributes:
        records: Everything sent so far, in the order of the record times.
        events: How many there will be.
    """

    records: list[LogRecord]
    events: int
    _chance: random.Random

    @classmethod
    def of(cls, events: int, seed: int) -> Load:
        """Return a load with half of its *events* in the past; send it with `send_history`."""
        chance = random.Random(seed)
        load = cls([], events, chance)
        now_ms = time.time_ns() // 1_000_000
        past = range(now_ms - SPAN_DAYS * DAY_MS, now_ms)
        for at_ms in sorted(chance.sample(past, events // 2)):
            load.next(at_ms)
        return load

    def next(self, at_ms: int) -> LogRecord:
        """Make one more order at *at_ms*."""
        chance = self._chance
        # Some customers are busy, most are not: as in a shop.
        customer = f"c{int(CUSTOMERS * chance.random() ** 2)}"
        value, _ = order(len(self.records), customer, at_ms, chance.randrange(100, 3_000))
        record = LogRecord("orders", customer.encode(), json.dumps(value).encode(), at_ms)
        self.records.append(record)
        return record

    @property
    def sent(self) -> bool:
        """Whether all there is has been made."""
        return len(self.records) == self.events


async def send_history(system: System, load: Load) -> None:
    """Send what happened before the experiment."""
    async with _sender(system) as send:
        for first in range(0, len(load.records), 5_000):
            await asyncio.gather(*[await send(r) for r in load.records[first : first + 5_000]])


async def send_live(system: System, load: Load, per_second: float) -> None:
    """Send the rest at a steady pace, each record with the time at which it is sent."""
    started = time.monotonic()
    before = len(load.records)
    async with _sender(system) as send:
        while not load.sent:
            wanted = min(load.events, before + int((time.monotonic() - started) * per_second))
            now_ms = time.time_ns() // 1_000_000
            sent = [await send(load.next(now_ms)) for _ in range(len(load.records), wanted)]
            await asyncio.gather(*sent)
            await wait_for_async(partial(_passed, time.monotonic() + TICK_S), "the next tick", 60)


def _passed(at: float) -> bool:
    return time.monotonic() >= at


@asynccontextmanager
async def _sender(system: System) -> AsyncIterator[Callable[[LogRecord], Awaitable[Any]]]:
    topic = system.settings.topic("orders")
    client = producer(system.settings)
    await client.start()

    async def send(record: LogRecord) -> Any:
        return await client.send(
            topic,
            record.value,
            record.key,
            partition=partition_of(record.key, system.partitions),
            timestamp_ms=record.record_ms,
        )

    try:
        yield send
    finally:
        await client.stop()


def random_moment(chance: random.Random, least_s: float, most_s: float) -> None:
    """Let a random time pass: when something is killed must not depend on what it is doing."""
    at = time.monotonic() + chance.uniform(least_s, most_s)
    wait_for(lambda: _passed(at), "a random moment", most_s + 10)


async def all_applied(system: System, load: Load, timeout_s: float) -> None:
    """Wait until all is applied, deadlines up to the last record fired, and rows published."""
    end_ms = load.records[-1].record_ms

    def missing() -> str:
        for worker in system.workers:
            code = worker.process.poll()
            assert code in {None, 0, -9}, f"a worker ended with {code}: {worker.last_words()}"
        applied = system.applied()
        due = len(system.store.due(range(system.settings.buckets), end_ms, 100))
        rows = system.waiting_rows()
        done = applied == len(load.records) and not due and not rows
        return "" if done else f"{applied} of {len(load.records)}, {due} due, {rows} rows"

    last = [""]

    async def done() -> bool:
        last[0] = await asyncio.to_thread(missing)
        return not last[0]

    try:
        await wait_for_async(done, "all records applied", timeout_s)
    except AssertionError as exc:
        raise AssertionError(f"{exc}: {last[0]}") from None


@dataclass(frozen=True, slots=True)
class Found:
    """What the experiment ended with, for the report."""

    orders: int
    changes: int
    changes_by_time: int
    repeats: int


def check_totals(system: System, load: Load) -> dict[str, Customer]:
    """Check that every customer has as many orders as were sent; return the stored customers."""
    customers = system.customers()
    counted = {c: one.orders.totals.count for c, one in customers.items()}
    expected = Counter(record.key.decode() for record in load.records)
    wrong = {c: (n, counted.get(c)) for c, n in expected.items() if counted.get(c) != n}
    assert not wrong, f"{len(wrong)} customers are wrong (expected, found): {sorted(wrong)[:9]}"
    assert sum(counted.values()) == len(load.records)
    return customers


async def verify(system: System, load: Load, *, may_repeat: bool = False) -> Found:
    """Compare state and published changes with an offline recomputation, customer by customer.

    The offline run sees the same records in the same order and nothing else: no broker, no
    Redis, no batches, no crash. Changes after the last record (deadlines that came due while
    the experiment was ending) are held to the chain rule only.

    With *may_repeat* a change may come again word for word under its id: when Redis has
    forgotten what was published already. Otherwise that is a failure.
    """
    customers = check_totals(system, load)
    changes = await system.changes()
    published = len(changes)
    if may_repeat:
        changes = without_repeats(changes)
    last = check_chains(changes)
    check_states(system.plan, customers, last)

    end_ms = load.records[-1].record_ms
    offline = replay_offline(load.records, system.plan, as_of_ms=end_ms)
    expected = {value["id"]: value for value in map(json.loads, offline.changes)}
    limit = format_instant(end_ms)
    found = {value["id"]: value for value in changes if value["instant"] <= limit}
    missing = [value for key, value in expected.items() if key not in found]
    assert not missing, f"{len(missing)} changes are missing, such as {missing[0]}"
    surplus = [value for key, value in found.items() if key not in expected]
    assert not surplus, f"{len(surplus)} changes are too many, such as {surplus[0]}"
    differing = [key for key, value in expected.items() if found[key] != value]
    assert not differing, (expected[differing[0]], found[differing[0]])
    by_time = sum(value["cause"]["kind"] == "time" for value in changes)
    return Found(len(load.records), len(changes), by_time, published - len(changes))


def without_repeats(changes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first publication of each change; a later one must say the same."""
    first: dict[str, dict[str, Any]] = {}
    for change in changes:
        assert first.setdefault(change["id"], change) == change
    return list(first.values())


def worker_facts(system: System) -> dict[str, Any]:
    """Return what the living workers counted."""
    names = ("tierstream_rewinds_total", "tierstream_commits_total")
    return {
        name: [worker.metric(name) for worker in system.workers if worker.running] for name in names
    }
