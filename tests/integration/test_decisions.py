"""Pins, reviews and rules on stability on broker, Redis and workers."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from agents.cli.summary import read_note
from agents.replay.export import FILES
from agents.replay.log import LogRecord, sorted_log
from agents.replay.offline import replay_offline
from schemas.catalog import TOPICS
from stream.calendar import DAY_MS, format_instant
from tests.integration.system import POLICY, System, event, order
from tests.integration.test_replay_live import tierstream, unique

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

START_MS = 1_700_000_000_000
STEADY = (
    POLICY.replace(
        "    measure: revenue_30d\n",
        "    measure: revenue_30d\n"
        "    stability: {minimum_hold_days: 3, grace_days: 5, cool_down_days: 4, one_step: true}\n",
    )
    + """
  trusted:
    type: weighted_scorecard
    rounding: {mode: half_up, places: 0}
    indicators: {trust: {weight: "100%", points_from: trust}}
    tiers: [{tier: "good", enter: 60}, {tier: poor}]
"""
).replace(
    "gradings:",
    "  trust: {review: {grading: trusted, indicator: trust}, valid_days: 20}\ngradings:",
)


async def test_a_pin_stands_until_it_is_lifted_or_its_time_is_over(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """On the wall clock, from the command line; a wrong one goes to the dead letters."""
    at_ms = time.time_ns() // 1_000_000
    async with System(kafka_bootstrap, redis_url, unique(), tmp_path) as system:
        worker = await system.started()
        await system.send("orders", [order(1, "ann", at_ms - 60_000, 10_000)])
        await system.published(3)
        signed = ["--reason", "a promise", "--author", "bea"]
        told = await tierstream(system, "pin", "ann", "value", "gold", *signed)
        assert "tier.pinned for customer ann: sent to" in told
        await system.published(4)
        explained = json.loads(await tierstream(system, "explain", "ann", "--json"))
        value = explained["gradings"]["value"]
        assert (value["tier"], value["stability"]["earned"]) == ("gold", "silver")
        assert value["stability"]["pin"]["author"] == "bea"
        await tierstream(system, "unpin", "ann", "value", *signed)
        await system.published(5)

        at_ms = time.time_ns() // 1_000_000
        until = format_instant(at_ms + 2_000)
        pin = {"grading": "value", "tier": "gold", "author": "bea", "reason": "again"}
        ends = event("tier.pinned", "k1", "ann", at_ms, **pin, expires_at=until)
        wrong = event("tier.pinned", "k2", "ann", at_ms, **pin | {"tier": "lead"})
        await system.send("controls", [ends, wrong])
        changes = [c for c in await system.published(7) if c["grading"] == "value"]
        assert [(c["to"], c["cause"]["kind"], c["direction"]) for c in changes] == [
            ("silver", "order", "first"),
            ("gold", "pinned", "up"),
            ("silver", "pinned", "down"),
            ("gold", "pinned", "up"),
            ("silver", "time", "down"),
        ]
        assert [c["pin"]["status"] for c in changes[1:]] == ["set", "lifted", "set", "ended"]
        assert changes[4]["instant"] == until
        letters = await system.read("dead-letters")
        headers = dict(letters[0].headers)
        assert headers["reason"] == b"wrong_schema"
        assert headers["detail"] == b"tier: must be a tier of that grading: gold, silver, basic"
        assert (headers["source_topic"], len(letters)) == (b"controls", 1)
        assert worker.running


def history() -> list[tuple[str, dict[str, Any], int]]:
    """Return topic, event and instant of a busy quarter: orders, pins, reviews."""
    chance = random.Random(5)
    found: list[tuple[str, dict[str, Any], int]] = []
    people = [f"c{n}" for n in range(12)]
    for n in range(400):
        paid = order(n, chance.choice(people), START_MS + chance.randrange(90 * DAY_MS), 6_000)
        found.append(("orders", *paid))
    for n in range(60):
        at_ms = START_MS + chance.randrange(90 * DAY_MS)
        who, what = chance.choice(people), {"grading": "value", "author": "bea", "reason": "why"}
        if n % 3 == 0:
            one = event("tier.unpinned", f"k{n}", who, at_ms, **what)
        else:
            ends = {"expires_at": format_instant(at_ms + 3 * DAY_MS)} if n % 2 else {}
            tier = chance.choice(["gold", "silver", "basic"])
            one = event("tier.pinned", f"k{n}", who, at_ms, tier=tier, **what, **ends)
        found.append(("controls", *one))
    for n in range(40):
        at_ms = START_MS + chance.randrange(90 * DAY_MS)
        score = {"grading": "trusted", "indicator": "trust", "score": chance.randrange(101)}
        signed = {"author": "bea", "approved_by": "cid"}
        one = event("review.submitted", f"r{n}", chance.choice(people), at_ms, **score, **signed)
        found.append(("controls", *one))
    return found


async def test_live_and_offline_say_the_same_with_rules_pins_and_reviews(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """On the stream clock and two workers: changes and states byte for byte, each notice once."""
    events = history()
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(wire) + "\n" for _, wire, _ in events))
    live, offline = tmp_path / "live", tmp_path / "offline"
    until = ["--as-of", "2024-06-01T00:00:00Z", "--export"]
    async with System(
        kafka_bootstrap, redis_url, unique(), tmp_path, STEADY, env={"clock": "stream"}
    ) as system:
        await system.started()
        await system.started()
        await tierstream(system, "replay", str(file), *until, str(live))
        await tierstream(system, "replay", str(file), "--offline", *until, str(offline))
        notices = [record.value or b"" for record in await system.read("tier-forecasts")]
        result = replay_offline(
            sorted_log(
                LogRecord(topic, wire["customer_id"].encode(), json.dumps(wire).encode(), at_ms)
                for topic, wire, at_ms in events
            ),
            system.plan,
            as_of_ms=START_MS + 200 * DAY_MS,
        )
        await tierstream(system, "explain", "c1", "--at", "2024-01-10", "--lang", "zh")
    for name in FILES:
        assert (live / name).read_bytes() == (offline / name).read_bytes()
    causes = {read_note(change).cause.kind for change in result.changes}
    assert causes >= {"order", "time", "pinned", "review"}
    assert sorted(notices) == sorted(result.forecasts)
    assert len({json.loads(notice)["id"] for notice in notices}) == len(notices) > 10
    for notice in notices:
        TOPICS["tier-forecasts"].contract.validate_json(notice)
    for change in result.changes:
        TOPICS["tier-changes"].contract.validate_json(change)
