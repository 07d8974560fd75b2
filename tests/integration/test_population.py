"""Cuts that follow the population, through broker, Redis and workers, on both clocks."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from agents.replay.export import FILES
from schemas.policy import parse_policy
from stream.customer import Grade
from stream.plan import compile_policy
from stream.regrade import regrade
from tests.integration.system import System, order
from tests.integration.test_replay_live import history, tierstream, unique, write_csv
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
population: {cadence: monthly, dead_band: 2%, most_moved: 30%}
"""


async def test_live_and_offline_censuses_give_the_same_bytes(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """Two workers; every census waits for both, and brings up those whom a cut has passed."""
    orders = write_csv(tmp_path / "orders.csv", history(customers=60, orders=400))
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
        await tierstream(system, "replay", str(orders), *common, str(live))
        await tierstream(system, "replay", str(orders), "--offline", *common, str(offline))
        for name in FILES:
            assert (live / name).read_bytes() == (offline / name).read_bytes(), name
    changes = [json.loads(line) for line in (live / "changes.jsonl").read_text().splitlines()]
    causes = Counter(change["cause"]["kind"] for change in changes)
    assert causes["boundary_moved"] > 100
    assert causes["time"] > 50


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
        assert sum(worker.metric("tierstream_censuses_total") for worker in workers) >= 1
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


def brute_force(plan: Plan, customer: Customer) -> list[str | None]:
    """Return the tiers that the cuts of a plan give to a customer's readings of its own clock."""
    now_ms = customer.clock_ms
    fresh = [Grade() for _ in plan.gradings]
    return regrade(plan, plan.read(customer, now_ms), fresh, now_ms, plan.all_gradings)
