"""Cuts that follow the population, through broker, Redis and workers, on both clocks."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from agents.replay.export import FILES
from agents.replay.source import load_log
from schemas.policy import parse_policy
from stream.calendar import DAY_MS, format_instant
from stream.customer import Grade
from stream.plan import compile_policy
from stream.regrade import regrade
from tests.integration.system import System, order
from tests.integration.test_replay_live import START_MS, history, tierstream, unique, write_csv
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from pathlib import Path

    from aiokafka.structs import ConsumerRecord

    from stream.customer import Customer
    from stream.plan import Plan

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

POLICY = """
policy: followed
version: 1
time_zone: Asia/Shanghai
currency: USD
measures:
  orders: {count: orders, window: 90d}
  spent: {sum: revenue, window: 90d}
  recency: {days_since: last_order}
  industry: {attribute: industry, type: text}
gradings:
  cells:
    type: rfm_cells
    recency: {measure: recency, cuts: quintiles}
    frequency: {measure: orders, cuts: [1, 2, 3, 4]}
    monetary: {measure: spent, cuts: quintiles}
  segment:
    type: rfm_segments
    recency: {measure: recency, high_below: 30}
    frequency: {measure: orders, high: mean}
    monetary: {measure: spent, high: median}
  abc:
    type: pareto
    measure: spent
    minimum_evidence: {measure: orders, at_least: 1}
  within:
    type: pareto
    measure: spent
    within: {measure: industry, segments: [retail, trade]}
    classes: [{class: best, top: 20%}, {class: others}]
population: {cadence: monthly, dead_band: 2%, most_moved: 30%}
"""


async def test_live_and_offline_censuses_give_the_same_bytes(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """Two workers; every census waits for both, and brings up those whom a cut has passed.

    Customers go from one segment of the population to another meanwhile.
    """
    log = load_log(str(write_csv(tmp_path / "orders.csv", history(customers=60, orders=400))))
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"\n".join([*industries(customers=60), *(one.value for one in log)]))
    async with System(
        kafka_bootstrap,
        redis_url,
        unique(),
        tmp_path,
        POLICY,
        env={"clock": "stream", "flush_ms": "100"},
    ) as system:
        await system.started()
        await system.started()
        live, offline = tmp_path / "live", tmp_path / "offline"
        common = ["--as-of", "1997-11-30T00:00:00Z", "--export"]
        await tierstream(system, "replay", str(events), *common, str(live))
        await tierstream(system, "replay", str(events), "--offline", *common, str(offline))
        for name in FILES:
            assert (live / name).read_bytes() == (offline / name).read_bytes(), name
    changes = [json.loads(line) for line in (live / "changes.jsonl").read_text().splitlines()]
    causes = Counter(change["cause"]["kind"] for change in changes)
    assert causes["boundary_moved"] > 100
    assert causes["time"] > 50
    told = {
        (reason["segment"], change["cause"]["kind"])
        for change in changes
        if change["grading"] == "within"
        for reason in change["reasons"]
        if reason["boundary"] is not None
    }
    assert told >= {(segment, "boundary_moved") for segment in ("retail", "trade", "")}
    assert any(c["grading"] == "within" and c["cause"]["kind"] == "profile" for c in changes)


def industries(customers: int) -> list[bytes]:
    """Return events that say, and say otherwise later, what customers trade in; seeded."""
    chance, events = random.Random(11), []
    for number in range(120):
        at_ms = START_MS + chance.randrange(300 * DAY_MS)
        industry = chance.choice(["retail", "retail", "trade", "trade", "farming", None])
        event = {
            "event_id": f"p{number}",
            "occurred_at": format_instant(at_ms),
            "customer_id": f"c{chance.randrange(customers)}",
            "kind": "profile.changed",
            "attributes": {"industry": industry},
        }
        events.append(json.dumps(event).encode())
    return events


async def test_on_the_wall_clock_one_worker_takes_the_census_and_all_follow(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """The same control in every partition, at one record time; everyone stands by its cuts."""
    text = POLICY.replace("cadence: monthly", "cadence: hourly")
    async with System(kafka_bootstrap, redis_url, unique(), tmp_path, text) as system:
        workers = [await system.started(), await system.started()]
        now_ms = time.time_ns() // 1_000_000
        await system.send(
            "orders",
            [order(number, f"c{number}", now_ms, 100 * number) for number in range(1, 41)],
        )

        async def told() -> list[ConsumerRecord[bytes, bytes]]:
            records = await system.read("controls")
            firsts = {record.partition: record for record in reversed(records)}
            return list(firsts.values()) if len(firsts) == system.partitions else []

        controls = await wait_for_async(told, "cuts in every partition")
        assert len({(record.value, record.timestamp) for record in controls}) == 1
        control = json.loads(controls[0].value or b"")

        async def counted() -> bool:
            # The cuts are in the log a moment before they are counted.
            return sum(worker.metric("tierstream_censuses_total") for worker in workers) >= 1

        await wait_for_async(counted, "the census to be counted")
        plan = compile_policy(
            parse_policy(text, "p.yaml"),
            {name: tuple(cut) for name, cut in control["cuts"].items()},
        )

        async def graded() -> bool:
            customers = system.customers()
            return len(customers) == 40 and all(
                [grade.tier for grade in customer.grades] == brute_force(plan, customer)
                for customer in customers.values()
            )

        await wait_for_async(graded, "everyone to stand by the cuts")
        found = json.loads(await tierstream(system, "explain", "c7", "--json"))
        assert found["edition"]["cause"] == "boundary_moved"
        (place,) = found["gradings"]["within"]["places"]
        assert (place["cut"], place["segment"]) == ("within.measure[]", "")
        assert (place["rank"], place["customers"], place["percentile"]) == (34, 40, "17.50")
        best = control["cuts"]["within.measure[]"]
        assert place["next_up"] == {"level": best[0], "distance": best[0] - 700}


def brute_force(plan: Plan, customer: Customer) -> list[str | None]:
    """Return the tiers that the cuts of a plan give to a customer's readings of its own clock."""
    now_ms = customer.clock_ms
    fresh = [Grade() for _ in plan.gradings]
    return regrade(plan, plan.read(customer, now_ms), fresh, now_ms, plan.all_gradings)
