"""Groups on broker, Redis and two workers: members in other partitions than their parent."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from stream.calendar import DAY_MS
from tests.integration.system import POLICY, System, event, order
from tests.integration.test_replay_live import tierstream, unique
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

GROUPED = POLICY + "groups: {}\n"
USERS = [f"user{n}" for n in range(8)]
SHOPS = ["shop0", "shop1", "shop2"]
GROUPS = ["groupA", "groupB"]
START_MS = 1_700_000_000_000


def link(number: int, member: str, parent: str, at_ms: int) -> tuple[dict[str, Any], int]:
    """Return a link: of a user to a shop, of a shop to a group."""
    relation = "user_of" if member in USERS else "member_of"
    return event(
        "identity.linked", f"l{number}", member, at_ms, relation=relation, target_id=parent
    )


def readings(system: System, now_ms: int) -> dict[str, dict[str, Any]]:
    """Return every stored customer's measures at an instant."""
    found = {}
    for name, customer in system.customers().items():
        customer.roll(now_ms)
        values = system.plan.read(customer, now_ms)
        found[name] = {m.name: v for m, v in zip(system.plan.measures, values, strict=True)}
    return found


async def until_orders(system: System, expected: dict[str, int], now_ms: int) -> None:
    """Wait until each of these customers counts so many orders, its members' included."""

    async def counted() -> bool:
        found = readings(system, now_ms)
        return all(found.get(c, {}).get("orders") == count for c, count in expected.items())

    await wait_for_async(counted, f"the sums {expected}", 60)


async def test_a_parent_is_the_sum_of_its_members_before_and_after_a_move(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """On the wall clock: eight users of three shops of two groups; one shop and one user move."""
    now_ms = time.time_ns() // 1_000_000
    at_ms = now_ms - 3_600_000
    async with System(kafka_bootstrap, redis_url, unique(), tmp_path, GROUPED) as system:
        everyone = [*USERS, *SHOPS, *GROUPS]
        assert len({system.place(name) for name in everyone}) == system.partitions
        await system.started()
        await system.started()
        links = [link(n, user, SHOPS[n % 3], at_ms) for n, user in enumerate(USERS)]
        links += [link(8, "shop0", "groupA", at_ms), link(9, "shop1", "groupA", at_ms)]
        links += [link(10, "shop2", "groupB", at_ms)]
        await system.send("profiles", links)
        paid = [order(n, USERS[n % 8], at_ms + n, 100) for n in range(80)]
        paid += [order(100, "shop0", at_ms, 5), order(101, "groupA", at_ms, 7)]
        await system.send("orders", paid)
        # Users 0, 3, 6 are of shop0, users 1, 4, 7 of shop1, users 2 and 5 of shop2.
        await until_orders(
            system, {"shop0": 31, "shop1": 30, "shop2": 20, "groupA": 62, "groupB": 20}, now_ms
        )
        assert readings(system, now_ms)["groupA"]["revenue_30d"] == 60 * 100 + 5 + 7

        await system.send(
            "profiles", [link(11, "shop0", "groupB", now_ms), link(12, "user1", "shop2", now_ms)]
        )
        await system.send("orders", [order(102, "user3", now_ms, 1_000)])
        await until_orders(
            system, {"shop0": 32, "shop1": 20, "shop2": 30, "groupA": 21, "groupB": 62}, now_ms
        )
        found = readings(system, now_ms)
        assert found["groupB"]["revenue_30d"] == 60 * 100 + 5 + 1_000
        assert found["groupA"]["revenue_30d"] == 20 * 100 + 7
        stored = {(c["customer_id"], c["grading"]): c["to"] for c in await system.published(10)}
        assert stored["groupB", "rhythm"] == "often"


async def test_live_and_offline_come_to_the_same_sums(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """On the stream clock, with moves: every measure, and the bytes of whoever has no members."""
    chance = random.Random(11)
    events: list[tuple[dict[str, Any], int]] = []
    for n in range(40):
        user = chance.choice(USERS)
        events.append(link(n, user, chance.choice(SHOPS), START_MS + chance.randrange(90) * DAY_MS))
    for n in range(40, 60):
        shop = chance.choice(SHOPS)
        at_ms = START_MS + chance.randrange(90) * DAY_MS
        events.append(link(n, shop, chance.choice(GROUPS), at_ms))
    for n in range(600):
        at_ms = START_MS + chance.randrange(100 * DAY_MS)
        buyer = chance.choice([*USERS, *USERS, *SHOPS, *GROUPS])
        events.append(order(n, buyer, at_ms, chance.randrange(1, 9_000)))
    for n in range(60):
        at_ms = START_MS + chance.randrange(100 * DAY_MS)
        events.append(event("complaint", f"i{n}", chance.choice(USERS), at_ms))
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(wire) + "\n" for wire, _ in events))
    live, offline = tmp_path / "live", tmp_path / "offline"
    until = ["--as-of", "2024-03-01T00:00:00Z", "--export"]
    async with System(
        kafka_bootstrap, redis_url, unique(), tmp_path, GROUPED, env={"clock": "stream"}
    ) as system:
        await system.started()
        await system.started()
        await tierstream(system, "replay", str(file), *until, str(live))
        await tierstream(system, "replay", str(file), "--offline", *until, str(offline))
    files = [(folder / "customers.jsonl").read_text().splitlines() for folder in (live, offline)]
    there, here = ({json.loads(line)["customer_id"]: line for line in lines} for lines in files)
    assert there.keys() == here.keys() == {*USERS, *SHOPS, *GROUPS}
    for name in USERS:
        assert there[name] == here[name]
    for name in (*SHOPS, *GROUPS):
        assert json.loads(there[name])["measures"] == json.loads(here[name])["measures"]
    total = sum(json.loads(there[name])["measures"]["orders"] for name in GROUPS)
    lone = [s for s in SHOPS if not any(w["customer_id"] == s for w, _ in events[40:60])]
    assert not lone
    assert total == 600 - unlinked(events)


def unlinked(events: list[tuple[dict[str, Any], int]]) -> int:
    """Count the orders of users that were never linked."""
    linked = {wire["customer_id"] for wire, _ in events if wire["kind"] == "identity.linked"}
    return sum(
        wire["kind"] == "order.paid" and wire["customer_id"] not in {*linked, *GROUPS}
        for wire, _ in events
    )
