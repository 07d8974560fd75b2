"""Merging and splitting on broker, Redis and two workers, ids in different partitions."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from stream.calendar import DAY_MS
from tests.integration.system import System, event, order
from tests.integration.test_groups import readings
from tests.integration.test_replay_live import tierstream, unique
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PEOPLE = [f"id{n}" for n in range(9)]
WHOLES = PEOPLE[:3]
START_MS = 1_700_000_000_000
Sent = tuple[dict[str, Any], int]


def move(number: int, name: str, into: str | None, at_ms: int) -> Sent:
    """Return a merge, or a split where *into* is None."""
    said = {"author": "kim", "reason": "as they told us"}
    if into is None:
        return event("identity.split", f"i{number}", name, at_ms, **said)
    return event("identity.merged", f"i{number}", name, at_ms, into=into, **said)


async def test_two_ids_are_one_customer_until_they_are_split(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """On the wall clock, by the commands: a refund under one id finds the other's order."""
    now_ms = time.time_ns() // 1_000_000
    at_ms = now_ms - 3_600_000
    said = ["--author", "kim", "--reason", "the same person"]
    async with System(kafka_bootstrap, redis_url, unique(), tmp_path) as system:
        here = "id0"
        there = next(name for name in PEOPLE if system.place(name) != system.place(here))
        await system.started()
        await system.started()

        async def until(name: str, revenue: int, orders: int) -> None:
            async def reached() -> bool:
                found = readings(system, now_ms).get(name, {})
                return (found.get("revenue_30d"), found.get("orders")) == (revenue, orders)

            await wait_for_async(reached, f"{revenue} of {orders} orders for {name}", 60)

        await system.send("orders", [order(n, there, at_ms + n, 10_000) for n in range(10)])
        await system.send("orders", [order(20 + n, here, at_ms + n, 7) for n in range(10)])
        await until(there, 100_000, 10)
        await until(here, 70, 10)
        await tierstream(system, "merge", there, "--into", here, *said)
        await until(here, 100_070, 20)
        refund = {"order_id": "o1", "amount_minor": 40, "currency": "USD"}
        await system.send("orders", [event("order.refunded", "r1", here, now_ms, **refund)])
        await system.send("orders", [order(40, there, now_ms, 5)])
        await until(here, 100_035, 21)
        await tierstream(system, "split", there, *said)
        await until(here, 70, 10)
        await until(there, 100_005, 11)
        again = await tierstream(system, "merge", there, "--into", here, *said, "--json")
        assert json.loads(again)["event"]["kind"] == "identity.merged"
        await until(here, 100_035, 21)
        causes = {(c["customer_id"], c["cause"]["kind"]) for c in await system.changes()}
        assert {(here, "merged"), (there, "merged")} <= causes


async def test_live_and_offline_merge_to_the_same_customers(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """On the stream clock: everyone's measures, and the bytes of whom nobody was merged into."""
    chance = random.Random(4)
    events: list[Sent] = []
    for n, name in enumerate(PEOPLE[3:]):
        events.append(move(n, name, chance.choice(WHOLES), START_MS + (20 + n) * DAY_MS))
        if n % 3 == 0:
            events.append(move(90 + n, name, None, START_MS + (60 + n) * DAY_MS))
    events.append(event("customer.erase", "x1", WHOLES[2], START_MS + 95 * DAY_MS, reason="asked"))
    for n in range(500):
        at_ms = START_MS + chance.randrange(90 * DAY_MS)
        events.append(order(n, chance.choice(PEOPLE), at_ms, chance.randrange(1, 9_000)))
        if n % 5 == 0:
            refund = {"order_id": f"o{n}", "amount_minor": chance.randrange(1, 9_000)}
            late_ms = at_ms + chance.randrange(5 * DAY_MS)
            name = chance.choice(PEOPLE)
            said = event("order.refunded", f"r{n}", name, late_ms, currency="USD", **refund)
            events.append(said)
    events.sort(key=lambda one: one[1])
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(wire) + "\n" for wire, _ in events))
    live, offline = tmp_path / "live", tmp_path / "offline"
    until = ["--as-of", "2024-03-01T00:00:00Z", "--export"]
    async with System(
        kafka_bootstrap, redis_url, unique(), tmp_path, env={"clock": "stream"}
    ) as system:
        await system.started()
        await system.started()
        await tierstream(system, "replay", str(file), *until, str(live))
        await tierstream(system, "replay", str(file), "--offline", *until, str(offline))
    files = [(folder / "customers.jsonl").read_text().splitlines() for folder in (live, offline)]
    there, here = ({json.loads(line)["customer_id"]: line for line in lines} for lines in files)
    assert there.keys() == here.keys()
    assert WHOLES[2] not in here
    for name, line in here.items():
        assert json.loads(there[name])["measures"] == json.loads(line)["measures"], name
        if name not in WHOLES:
            assert there[name] == line
