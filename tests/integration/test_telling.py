"""Alerts on broker, Redis, workers and a local server that stands for the chat's webhook."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from stream.adapters.redis_desk import RedisDesk
from tests.integration.receiver import Receiver
from tests.integration.system import POLICY, System, event, order
from tests.integration.test_replay_live import unique
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROUTES = POLICY.replace("gradings:", "  owner: {attribute: owner, type: text}\ngradings:") + (
    """
routes:
  owner: owner
  amount: revenue_30d
  merge_minutes: MERGE
  channels:
    team: {}
    stuck: {}
    heads: {}
  rules:
    - gradings: [value]
      channels: [team, stuck]
    - {about: complaints, gradings: [value], to: [gold], channels: [heads], deliver: urgent}
"""
)


def routed(merge_minutes: int) -> str:
    return ROUTES.replace("MERGE", str(merge_minutes))


def paid(number: int, customer: str, amount_minor: int) -> tuple[dict[str, object], int]:
    """Return an order that is placed now."""
    return order(number, customer, time.time_ns() // 1_000_000, amount_minor)


def environment(**receivers: Receiver) -> dict[str, str]:
    """Return where channels are reached, as settings of a worker."""
    found = {f"channel_{name}": receiver.address for name, receiver in receivers.items()}
    # The embedded broker lets no group settle that commits during a rebalance (see conftest).
    return {"report_ms": "0", "audit": "off", **found}


async def test_a_crossing_is_told_at_once_and_a_channel_that_hangs_holds_nobody_up(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """A key account's complaint goes out as well; no log line holds an address."""
    with Receiver() as team, Receiver(hangs=True) as stuck, Receiver() as heads:
        env = environment(team=team, stuck=stuck, heads=heads) | {
            "card_url": "https://tiers.example/",
            "alert_timeout_ms": "3000",
        }
        async with System(
            kafka_bootstrap, redis_url, unique(), tmp_path, routed(0), env=env
        ) as system:
            worker = await system.started()
            await system.send("orders", [paid(1, "ann", 6_000)])
            await wait_for_async(team.messages, "the first alert")
            await system.send("orders", [paid(2, "ann", 30_000)])
            await wait_for_async(lambda: len(team.got) == 2, "the second alert")
            assert team.titles() == ["● ann: value silver", "▲ ann: value silver → gold"]
            text = team.messages()[1]["message"]
            change = (await system.changes())[-1]
            assert "ann rose from silver to gold in value." in text
            assert "revenue_30d is 360.00 USD, at or above 300.00 USD (order)" in text
            assert "https://tiers.example/#customer=ann" in text
            assert re.search(r"id [0-9a-f]{32} · \d{4}-\d\d-\d\d \d\d:\d\d", text)
            assert change["customer_id"] == "ann"

            now_ms = time.time_ns() // 1_000_000
            await system.send("interactions", [event("complaint", "k1", "ann", now_ms)])
            await system.send("interactions", [event("complaint", "k2", "bob", now_ms)])
            await wait_for_async(heads.messages, "the complaint")
            assert heads.titles() == ["‼ ann: complaint"]
            await wait_for_async(
                lambda: "no answer within 3 s" in worker.log_path.read_text(),
                "a failed attempt on the channel that hangs",
            )
            said = worker.log_path.read_text()
            assert "secret-of-the-channel" not in said + worker.get("/metrics")[1]


# The embedded broker never puts a killed member out of its group.
@pytest.mark.kafka
async def test_nothing_is_lost_when_the_alert_worker_is_killed(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """Killed while a target hangs and while it is away; every change is told by its id."""
    with Receiver() as team, Receiver(hangs=True) as hanging:
        env = environment(heads=team, stuck=team)
        async with System(
            kafka_bootstrap, redis_url, unique(), tmp_path, routed(0), env=env
        ) as system:
            await system.started(alerts="off")
            first = await system.started(role="alerts", **environment(team=hanging))
            await system.send("orders", [paid(n, f"c{n}", 6_000) for n in range(20)])
            desk = RedisDesk(redis_url, prefix=system.settings.key_prefix, area="alerts")
            try:
                await wait_for_async(
                    lambda: desk.backlog(["team"])["team"].waiting > 0, "a message that waits"
                )
                first.kill()
                await system.send("orders", [paid(n, f"c{n}", 6_000) for n in range(20, 40)])
                await system.published(120)
                second = await system.started(role="alerts", **environment(team=team))
                ids = {c["id"] for c in await system.changes() if c["grading"] == "value"}
                assert len(ids) == 40

                def told() -> bool:
                    texts = " ".join(message["message"] for message in team.messages())
                    return all(text_id in texts for text_id in ids)

                await wait_for_async(told, "every change, by its id", 120)
                assert second.running
            finally:
                desk.close()


async def test_fifty_flaps_of_a_customer_are_one_alert_and_one_line(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """The window is a minute here; the worker is restarted in the middle of it."""
    with Receiver() as team:
        env = environment(team=team, stuck=team, heads=team)
        policy = routed(1).replace("channels: [team, stuck]", "channels: [team]")
        policy = policy.replace("    stuck: {}\n", "")
        async with System(
            kafka_bootstrap, redis_url, unique(), tmp_path, policy, env=env
        ) as system:
            await system.started(alerts="off")
            first = await system.started(role="alerts")
            await system.send("orders", [paid(1, "ann", 6_000)])
            await wait_for_async(team.messages, "the alert")
            flaps = []
            for n in range(25):
                flaps.append(paid(100 + n, "ann", 30_000))
                refund, at_ms = event(
                    "order.refunded", f"r{n}", "ann", flaps[-1][1],
                    order_id=f"o{100 + n}", amount_minor=30_000, currency="USD",
                )  # fmt: skip
                flaps.append((refund, at_ms))
            await system.send("orders", flaps[:26])
            await system.published(26)
            assert first.stop() == 0
            await system.send("orders", flaps[26:])
            await system.started(role="alerts")
            await wait_for_async(lambda: len(team.got) == 2, "the summary", 120)
            assert team.titles() == ["● ann: value silver", "Summary: ann"]
            assert "· 50 moves ·" in team.messages()[1]["message"]
