"""Redis is emptied while workers run: they hold, and go on once it was rebuilt from the log."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis

from agents.replay.export import FILES
from agents.replay.log import LogRecord, sorted_log
from agents.replay.offline import replay_offline
from schemas.policy import load_policy
from stream.calendar import DAY_MS
from stream.customer import decode
from stream.plan import compile_policy
from stream.refill import same_facts
from tests.integration.system import POLICY, System, Worker, check_chains, event, order
from tests.integration.test_replay_live import history, tierstream, unique, write_csv
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agents.embedded import EmbeddedRedis

    Sent = tuple[dict[str, Any], int]

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
        arguments = ["replay", str(orders), "--speed", "8000000", *until, str(tmp_path / "live")]
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
        assert restored["buckets"] == system.buckets
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


LATER = """
policy: shop
version: 2
time_zone: UTC
currency: USD
refund_days: 300
measures:
  revenue: {sum: revenue, window: 300d}
  visits:  {count: visit, window: 120d}
  orders:  {count: orders, window: 30d}
  industry: {attribute: industry, type: text}
gradings:
  value:
    type: bands
    measure: revenue
    tiers: [{tier: gold, enter: 300}, {tier: silver, enter: 50}, {tier: basic}]
  rhythm:
    type: bands
    measure: visits
    tiers: [{tier: often, enter: 3}, {tier: seldom}]
"""
EARLIER = """
policy: shop
version: 1
time_zone: UTC
currency: USD
refund_days: 10
measures:
  revenue: {sum: revenue, window: 30d}
gradings:
  value:
    type: bands
    measure: revenue
    tiers: [{tier: gold, enter: 300}, {tier: silver, enter: 50}, {tier: basic}]
"""
CUSTOMERS = 40


def long_past(now_ms: int) -> dict[str, list[Sent]]:
    """Return 200 days of orders, refunds, visits and profiles, none near the end of a window."""
    chance = random.Random(3)
    sent: dict[str, list[Sent]] = {"orders": [], "interactions": [], "profiles": []}
    for number in range(900):
        at_ms = now_ms - 201 * DAY_MS + number * DAY_MS * 200 // 900 + DAY_MS // 2
        customer_id = f"c{chance.randrange(CUSTOMERS)}"
        sent["orders"].append(order(number, customer_id, at_ms, chance.randrange(100, 6_000)))
        if number % 3 == 0:
            sent["interactions"].append(
                event("visit", f"v{number}", customer_id, at_ms, details={})
            )
        if number % 10 == 0:
            said = {"attributes": {"industry": chance.choice(["steel", "paper"])}}
            sent["profiles"].append(
                event("profile.changed", f"p{number}", customer_id, at_ms, **said)
            )
    return sent


async def goes_on_from_what_was_announced(
    system: System, worker: Worker, server: EmbeddedRedis
) -> None:
    """Lose Redis after its windows were filled, of which the log knows nothing."""
    before = system.customers()
    await wait_for_async(lambda: not system.waiting_rows(), "everything to be announced", 60)
    await asyncio.to_thread(empty, server)
    await holds(worker)
    with pytest.raises(AssertionError, match="With --accept, customers go on from what was"):
        await tierstream(system, "rebuild")
    told = json.loads(await tierstream(system, "rebuild", "--accept", "--windows", "--json"))
    assert told["restored"]["customers"] == len(before) == CUSTOMERS


async def test_windows_that_were_never_kept_are_filled_while_orders_come_in(
    kafka_bootstrap: str, new_redis: Callable[..., EmbeddedRedis], tmp_path: Path
) -> None:
    """Everyone ends with the facts and tiers that the later policy had led to from the start."""
    now_ms = time.time_ns() // 1_000_000
    sent = long_past(now_ms)
    later = tmp_path / "later.yaml"
    later.write_text(LATER)
    plan = compile_policy(load_policy(str(later)))
    server = new_redis()
    async with System(kafka_bootstrap, server.url, unique(), tmp_path, EARLIER) as system:
        for topic, events in sent.items():
            await system.send(topic, events)
        worker = await system.started()
        await wait_for_async(lambda: system.applied() == 900, "the past to be applied", 60)
        await tierstream(system, "policy", "publish", str(later), "--yes")
        filled = asyncio.Event()

        async def trade() -> None:
            while not filled.is_set():
                at_ms = time.time_ns() // 1_000_000
                first = len(sent["orders"])
                some = [order(first + n, f"c{n}", at_ms, 100) for n in range(CUSTOMERS)]
                sent["orders"] += some
                await system.send("orders", some)

        trading = asyncio.create_task(trade())
        told = json.loads(await tierstream(system, "rebuild", "--windows", "--json"))
        filled.set()
        await trading
        assert told["windows"]["customers"] == CUSTOMERS
        assert told["windows"]["changes"] > 0
        assert worker.metric("tierstream_rewinds_total") > 0, "nobody was in the way"
        again = json.loads(await tierstream(system, "rebuild", "--windows", "--json"))["windows"]
        assert (again["customers"], again["changes"]) == (0, 0)
        await goes_on_from_what_was_announced(system, worker, server)

        def settled() -> bool:
            return system.applied() == len(sent["orders"]) and not system.waiting_rows()

        await wait_for_async(settled, "every order to be applied", 120)
        changes = await system.changes()
        stored = {
            customer_id: decode(customer_id, state, plan.shape)
            for bucket in range(system.settings.buckets)
            for customer_id, state in system.store.scan_states(bucket)
        }
        ledger = {
            (place, entry)
            for bucket in range(system.settings.buckets)
            for place, entry in system.store.load_orders(
                {bucket: system.store.scan_orders(bucket, "")}
            ).items()
        }
    check_chains(changes)
    by_policy = [c for c in changes if c["cause"]["kind"] == "policy_changed"]
    assert {"visits", "revenue"} <= {r["measure"] for c in by_policy for r in c["reasons"]}
    log = [
        LogRecord(topic, wire["customer_id"].encode(), json.dumps(wire).encode(), at_ms)
        for topic, events in sent.items()
        for wire, at_ms in events
    ]
    end_ms = max(customer.clock_ms for customer in stored.values())
    offline = replay_offline(sorted_log(log), plan, as_of_ms=end_ms)
    assert stored.keys() == offline.states.keys()
    for customer_id, state in offline.states.items():
        wanted, found = decode(customer_id, state, plan.shape), stored[customer_id]
        assert same_facts(found, wanted, end_ms), customer_id
        assert [g.tier for g in found.grades] == [g.tier for g in wanted.grades], customer_id
    assert len(ledger) == len(sent["orders"])
