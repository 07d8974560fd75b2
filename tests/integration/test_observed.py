"""What workers tell on `/metrics`, over several of them."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.integration.system import event, order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from tests.integration.system import System, Worker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


MARK = "zq7731"
"""Part of every id and payload below: none of it may be logged."""


def together(system: System, name: str) -> float:
    """Return a metric over all workers and labels."""
    return sum(worker.metric(name) for worker in system.workers)


def standing(worker: Worker, grading: str) -> Counter[str]:
    """Return the customers of a worker by tier, in one grading."""
    counted: Counter[str] = Counter()
    for line in worker.get("/metrics")[1].splitlines():
        if line.startswith(f'tierstream_tier_customers{{grading="{grading}"'):
            labels, _, value = line.rpartition(" ")
            counted[labels.split('tier="')[1].rstrip('"}')] += int(float(value))
    return counted


async def test_the_figures_of_all_workers_add_up_to_the_population(system: System) -> None:
    """Two workers, each with its part: customers, tiers, concentration and buckets."""
    one, other = system.start(), system.start()
    now_ms = time.time_ns() // 1_000_000
    await wait_for_async(
        lambda: one.metric("tierstream_owned_buckets") and other.metric("tierstream_owned_buckets"),
        "two workers with buckets",
    )
    people = [order(n, f"c{n}", now_ms - 1000 + n, 40_000 if n < 20 else 100) for n in range(100)]
    await system.send("orders", people)
    await wait_for_async(
        lambda: (
            together(system, "tierstream_customers") == 100
            and together(system, "tierstream_uncounted_buckets") == 0
        ),
        "everybody counted",
    )
    assert together(system, "tierstream_owned_buckets") == system.settings.buckets
    assert one.metric("tierstream_customers") > 0
    assert other.metric("tierstream_customers") > 0
    tiers = standing(one, "value") + standing(other, "value")
    assert tiers == {"gold": 20, "basic": 80}
    assert together(system, "tierstream_contribution_minor") == 20 * 40_000 + 80 * 100
    top = together(system, "tierstream_top_fifth_contribution_minor")
    assert 0.5 * 800_000 <= top <= 800_000  # each worker has a fifth of its own
    await wait_for_async(
        lambda: together(system, "tierstream_scoring_latency_seconds_count") == 100,
        "100 orders counted",
    )
    await wait_for_async(
        lambda: together(system, "tierstream_change_publish_latency_seconds_count") == 300,
        "300 changes published",
    )


async def test_a_log_is_json_and_names_nobody(system: System) -> None:
    """Orders, bad records, an erasure, a halted partition, a restart: ids of customers stay out."""
    now_ms = time.time_ns() // 1_000_000
    worker = await system.started(bad_run_limit="3")
    await system.send("orders", [order(n, f"{MARK}-{n}", now_ms) for n in range(20)])
    unknown = {**order(90, f"{MARK}-90", now_ms)[0], "currency": "XAU", "order_id": MARK}
    erase = event("customer.erase", f"{MARK}-erase", f"{MARK}-1", now_ms, reason=MARK)
    await system.send("controls", [erase])
    refused = [(f'{{"kind": "{MARK}"}}'.encode(), now_ms), (MARK.encode(), now_ms)]
    await system.send("orders", [(unknown, now_ms), *refused, *refused])
    await wait_for_async(
        lambda: worker.metric("tierstream_partitions_halted") > 0, "a halted partition"
    )
    assert worker.stop() == 0
    await system.started()
    lines = [line for one in system.workers for line in one.log_path.read_text().splitlines()]
    assert MARK not in "".join(lines)
    said = [json.loads(line) for line in lines]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in said)
    assert {"buckets_opened", "partition_halted"} <= {line["event"] for line in said}
