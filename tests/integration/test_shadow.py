"""A policy that runs beside the one in force, on broker and Redis, while a worker goes."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from schemas.catalog import TOPICS
from stream.calendar import DAY_MS
from tests.integration.system import POLICY, System, check_chains, event, order
from tests.integration.test_editions import unswept
from tests.integration.test_replay_live import tierstream, unique
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Move = tuple[str | None, str | None]
"""Tier under the policy in force, and under the one that runs beside."""
Moves = dict[str, dict[str, Move]]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

CUSTOMERS = 300
RICH = 3_000
# Silver begins at half of what it did, and who has visited is told apart.
RIVAL = (
    POLICY.replace("version: 1", "version: 2")
    .replace("enter: 50, exit: 40", "enter: 25, exit: 20")
    .replace("  recency:", "  visits: {count: visit, window: 30d}\n  recency:")
    .replace(
        "      - {level: standard}",
        "      - {level: visitor, when: {measure: visits, at_least: 1}}\n      - {level: standard}",
    )
)


async def differences(system: System) -> Moves:
    """Return what `tier-differences` says now of each customer, tombstones left out."""
    newest: dict[str, Any] = {}
    for record in await system.read("tier-differences"):
        newest[(record.key or b"").decode()] = record.value
        if record.value is not None:
            TOPICS["tier-differences"].contract.validate_json(record.value)
    found = {key: json.loads(value)["differences"] for key, value in newest.items() if value}
    return {
        key: {grading: (one["live"], one["shadow"]) for grading, one in told.items()}
        for key, told in found.items()
    }


async def differing(system: System, expected: Mapping[str, Mapping[str, Move]]) -> None:
    """Wait until `tier-differences` says just this.

    That a transaction is over, and all of it published, is known before readers can see it.
    """

    async def as_expected() -> bool:
        return await differences(system) == expected

    await wait_for_async(as_expected, f"differences of {len(expected)} customers", 60)


async def settled(system: System) -> None:
    """Wait until every bucket has been swept and all that was found is published."""

    def swept() -> bool:
        return not unswept(system) and not system.waiting_rows()

    await wait_for_async(swept, "the end of the sweep", 120)


async def test_a_shadow_is_watched_then_promoted(
    kafka_bootstrap: str,
    redis_url: str,
    tmp_path: Path,
    on_apache_kafka: bool,  # noqa: FBT001
) -> None:
    """A worker goes in the middle of the shadow's sweep; nobody's tier changes until promotion.

    It is killed where the broker puts a killed member out of its group (the embedded one never
    does), else it is stopped.
    """
    rival = tmp_path / "rival.yaml"
    rival.write_text(RIVAL)
    at_ms = time.time_ns() // 1_000_000 - DAY_MS
    rich = {f"c{n}" for n in range(0, CUSTOMERS, 2)}
    sent = [order(n, f"c{n}", at_ms, 1_000 if n % 2 else RICH) for n in range(CUSTOMERS)]
    env = {"visit_limit": "1", "session_timeout_ms": "6000"}
    async with System(kafka_bootstrap, redis_url, unique(), tmp_path, env=env) as system:
        one = await system.started()
        await system.send("orders", sent)
        await system.published(3 * CUSTOMERS)

        publishing = asyncio.create_task(
            tierstream(system, "policy", "publish", str(rival), "--shadow", "--yes")
        )
        await wait_for_async(lambda: unswept(system) > 0, "a sweep under way", 120)
        if on_apache_kafka:
            one.kill()
        else:
            one.stop()
        assert unswept(system) > 0, "the sweep was over before the worker had gone"
        assert "starts empty: visit: not kept until now" in await publishing
        await system.started(visit_limit="500")
        await settled(system)
        moved: dict[str, Move] = {"value": ("basic", "silver")}
        await differing(system, dict.fromkeys(rich, moved))

        # One who only the shadow hears of, and one on whom both agree from now on.
        await system.send("interactions", [event("visit", "v1", "c1", at_ms + 1)])
        await system.send("orders", [order(CUSTOMERS, "c2", at_ms + 1, RICH)])
        visitor = {"care": ("standard", "visitor")}
        expected = dict.fromkeys(rich - {"c2"}, moved) | {"c1": visitor}
        await differing(system, expected)
        beside = json.loads(await tierstream(system, "policy", "status", "--json"))["shadow"]
        assert (beside["version"], beside["customers"]) == (2, CUSTOMERS)
        assert (beside["customers_elsewhere"], beside["customers_waiting"]) == (len(expected), 0)
        assert beside["moves"]["value"] == [
            {"live": "basic", "shadow": "silver", "customers": len(rich) - 1}
        ]
        told = await tierstream(system, "policy", "status")
        assert "beside it: shop version 2" in told
        assert f"{len(expected)} of {CUSTOMERS} customers stand elsewhere under it" in told
        before = await system.published(3 * CUSTOMERS + 1)
        assert {change["policy"]["version"] for change in before} == {1}

        await tierstream(system, "policy", "promote", "--yes")
        changes = await system.published(len(before) + len(expected), 120)
        await settled(system)
        await differing(system, {})
        check_chains(changes)
        by_policy = [c for c in changes if c["cause"]["kind"] == "policy_changed"]
        made = {c["customer_id"]: {c["grading"]: (c["from"], c["to"])} for c in by_policy}
        assert made == expected
        assert len(by_policy) == len(expected)
        assert {c["policy"]["version"] for c in by_policy} == {2}


async def test_a_shadow_ends_without_a_trace(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """All it has said is taken back, and no tier has ever changed."""
    rival = tmp_path / "rival.yaml"
    rival.write_text(RIVAL)
    at_ms = time.time_ns() // 1_000_000 - DAY_MS
    async with System(kafka_bootstrap, redis_url, unique(), tmp_path) as system:
        await system.started()
        await system.send("orders", [order(n, f"c{n}", at_ms, RICH) for n in range(10)])
        await system.published(30)
        before = system.customers()
        await tierstream(system, "policy", "publish", str(rival), "--shadow", "--yes")
        moved: dict[str, Move] = {"value": ("basic", "silver")}
        await differing(system, dict.fromkeys((f"c{n}" for n in range(10)), moved))
        visits = [event("visit", f"v{n}", f"new{n}", at_ms) for n in range(3)]
        await system.send("interactions", visits)
        await wait_for_async(lambda: len(system.customers()) == 13, "who has visited", 60)

        await tierstream(system, "policy", "rollback", "--shadow", "--yes")
        await differing(system, {})
        await settled(system)
        assert len(await system.changes()) == 30
        assert system.customers().keys() == before.keys()
        status = json.loads(await tierstream(system, "policy", "status", "--json"))
        assert (status["version"], status["cause"]) == (1, "shadow_ended")
        assert status["shadow"] is None
