"""A policy published in the middle of a replay, on broker and Redis, while workers go and come."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from agents.replay.export import FILES
from schemas.policy import load_policy
from stream.calendar import DAY_MS, format_instant
from stream.editions import decode_book
from tests.integration.system import POLICY, System, check_chains, event, order
from tests.integration.test_replay_live import tierstream, unique
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

START_MS = 852_076_800_000
CUSTOMERS = 600
# Silver begins at half of what it did, rhythm is given up, and there is something new.
PUBLISHED = (
    POLICY.replace("version: 1", "version: 2")
    .replace("enter: 50, exit: 40", "enter: 25, exit: 20")
    .replace(
        "orders_7d:   {count: orders, window: 7d}", "orders_60d:  {count: orders, window: 60d}"
    )
    .replace("  rhythm:\n", "  loyalty:\n")
    .replace("measure: orders_7d", "measure: orders_60d")
)


def events(folder: Path, published: Path) -> Path:
    """Write a seeded history as wire events, with the policy published half-way."""
    chance = random.Random(11)
    lines: list[dict[str, Any]] = []
    for number in range(4 * CUSTOMERS):
        at_ms = START_MS + chance.randrange(90 * DAY_MS)
        lines.append(
            {
                "schema_version": 1,
                "event_id": f"e{number}",
                "kind": "order.paid",
                "occurred_at": format_instant(at_ms),
                "customer_id": f"c{chance.randrange(CUSTOMERS)}",
                "order_id": f"o{number}",
                "amount_minor": chance.randrange(100, 30_000),
                "currency": "USD",
            }
        )
    lines.append(
        {
            "schema_version": 1,
            "event_id": "publish-2",
            "kind": "policy.published",
            "occurred_at": format_instant(START_MS + 45 * DAY_MS),
            "policy": load_policy(str(published)).model_dump(mode="json"),
        }
    )
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def unswept(system: System) -> int:
    """Return the number of buckets that have taken the policy but not brought everyone to it."""
    books = [decode_book(h.editions) for h in system.store.heads(range(system.settings.buckets))]
    return sum(bool(book.editions) and not book.swept for book in books)


async def test_a_policy_published_in_the_middle_of_a_replay_changes_everyone_once(
    kafka_bootstrap: str,
    redis_url: str,
    tmp_path: Path,
    on_apache_kafka: bool,  # noqa: FBT001
) -> None:
    """A worker goes during the sweep; what comes out is what the pure core says.

    It is killed where the broker puts a killed member out of its group (the embedded one never
    does), else it is stopped.
    """
    published = tmp_path / "published.yaml"
    published.write_text(PUBLISHED)
    log = events(tmp_path, published)
    # One customer with each batch: slow enough to be killed in the middle.
    env = {"clock": "stream", "visit_limit": "1", "session_timeout_ms": "6000"}
    until = ["--as-of", "1997-12-31T00:00:00Z"]
    async with System(kafka_bootstrap, redis_url, unique(), tmp_path, POLICY, env=env) as system:
        one = await system.started()
        replaying = asyncio.create_task(tierstream(system, "replay", str(log), *until))
        await wait_for_async(lambda: unswept(system) > 0, "a sweep under way", 120)
        if on_apache_kafka:
            one.kill()
        else:
            one.stop()
        assert unswept(system) > 0, "the sweep was over before the worker had gone"
        system.start(visit_limit="500")
        await replaying
        live, offline = tmp_path / "live", tmp_path / "offline"
        await tierstream(system, "export", str(live), *until, "--timeout", "200")
        await tierstream(system, "replay", str(log), "--offline", *until, "--export", str(offline))
        for name in FILES:
            assert (live / name).read_bytes() == (offline / name).read_bytes(), name
        changes = [json.loads(line) for line in (live / "changes.jsonl").read_text().splitlines()]
        check_chains(changes)
        by_policy = [c for c in changes if c["cause"]["kind"] == "policy_changed"]
        moved = Counter((c["customer_id"], c["grading"]) for c in by_policy)
        assert moved
        assert set(moved.values()) == {1}
        assert {c["instant"] for c in by_policy} == {format_instant(START_MS + 45 * DAY_MS)}
        assert {c["cause"]["event_id"] for c in by_policy} == {"publish-2"}
        before = {c["customer_id"] for c in changes if c["instant"] < by_policy[0]["instant"]}
        assert {customer for customer, grading in moved if grading == "rhythm"} == before
        assert {customer for customer, grading in moved if grading == "loyalty"} == before
        reasons = [
            reason
            for c in by_policy
            if (c["from"], c["to"]) == ("basic", "silver")
            for reason in c["reasons"]
        ]
        assert {"shop", "revenue_30d"} <= {reason["measure"] for reason in reasons}
        assert {r["boundary_before"] for r in reasons if r["unit"] == "money"} == {5_000}
        told = await tierstream(system, "explain", "c7")
        assert "loyalty" in told


async def test_a_policy_is_published_and_rolled_back_from_the_command_line(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """Who would move is said before; everyone has moved after; a bad policy goes nowhere."""
    published = tmp_path / "published.yaml"
    published.write_text(PUBLISHED)
    at_ms = time.time_ns() // 1_000_000 - DAY_MS
    async with System(kafka_bootstrap, redis_url, unique(), tmp_path) as system:
        worker = await system.started()
        sent = [order(n, f"c{n}", at_ms, 3_000) for n in range(20)]
        await system.send("orders", sent)
        await system.published(60)
        told = await tierstream(system, "policy", "publish", str(published), "--dry-run")
        assert "20 of 20 customers would move" in told
        assert "not graded" in told
        assert json.loads(await tierstream(system, "policy", "status", "--json"))["edition"] == 0

        await tierstream(system, "policy", "publish", str(published), "--yes")
        changes = await system.published(120)
        assert moves(changes, 2) == Counter(
            {("value", "basic", "silver"): 20, ("rhythm", "seldom", None): 20}
            | {("loyalty", None, "seldom"): 20}
        )
        await wait_for_async(lambda: not unswept(system), "the end of the sweep", 60)
        status = json.loads(await tierstream(system, "policy", "status", "--json"))
        assert (status["version"], status["buckets_to_sweep"]) == (2, 0)
        assert '"shop 2"' in worker.get("/readyz")[1]

        await tierstream(system, "policy", "rollback", "--yes")
        changes = await system.published(180)
        assert moves(changes, 3) == Counter(
            {("value", "silver", "basic"): 20, ("rhythm", None, "seldom"): 20}
            | {("loyalty", "seldom", None): 20}
        )
        check_chains(changes)

        bad = event("policy.published", "bad", "x", at_ms, policy={"policy": "shop"})
        del bad[0]["customer_id"]
        await system.send("controls", [(json.dumps(bad[0]).encode(), at_ms)])
        await system.send("orders", [order(99, "late", at_ms, 3_000)])
        await system.published(183)
        letters = await system.read("dead-letters")
        assert [dict(letter.headers)["reason"] for letter in letters] == [b"wrong_schema"]


def moves(
    changes: list[dict[str, Any]], version: int
) -> Counter[tuple[str, str | None, str | None]]:
    """Count the changes that a version of the policy has made, by grading and tiers."""
    return Counter(
        (change["grading"], change["from"], change["to"])
        for change in changes
        if (change["policy"]["version"], change["cause"]["kind"]) == (version, "policy_changed")
    )
