"""Erasing a customer from a running system, under load and with workers lost."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import redis

from agents.dispatch import now_ms
from agents.topics import COMPACTED
from agents.webhooks import managing
from schemas.erasure_receipts import ErasureReceipt
from stream.adapters.redis_endpoints import RedisEndpoints
from stream.calendar import format_instant
from stream.erasure import pseudonym
from stream.webhooks import TOPICS
from tests.integration.receiver import Receiver
from tests.integration.system import DAY_MS, POLICY, System, event, order
from tests.integration.test_groups import readings
from tests.integration.test_replay_live import tierstream, unique
from tests.integration.test_telling import environment, paid
from tests.stored import stored
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

GROUPED = POLICY + "groups: {}\n"
GONE = "shopper-0042-gone"
PEOPLE = [GONE, *(f"shopper-{n:04}" for n in range(30))]
PARENT, CHILD = PEOPLE[1], PEOPLE[2]
ROUTES = """
routes:
  channels: {team: {}, heads: {}}
  rules: [{gradings: [value], channels: [team], escalate: {after_minutes: 30, to: heads}}]
"""
Sent = tuple[dict[str, Any], int]


def history(until_ms: int) -> list[Sent]:
    """Return orders of weeks, all in the past; every id of an event or order names its customer."""
    chance = random.Random(5)
    sent = []
    for n in range(3_000):
        name = chance.choice(PEOPLE) if n % 5 else GONE
        at_ms = until_ms - 3_600_000 - chance.randrange(20 * DAY_MS)
        wire, _ = order(n, name, at_ms, chance.randrange(1, 9_000))
        wire |= {"event_id": f"{name}:e{n}", "order_id": f"{name}:o{n}"}
        sent.append((wire, at_ms))
    return sorted(sent, key=lambda one: one[1])


def links(at_ms: int) -> list[Sent]:
    """The one to be erased counts for one customer, and another counts for it."""
    return [
        event("identity.linked", f"{m}:l", m, at_ms, relation="member_of", target_id=p)
        for m, p in ((GONE, PARENT), (CHILD, GONE))
    ]


def traces(system: System, name: str) -> list[bytes]:
    """Return the keys of the installation that hold *name*."""
    found = stored(system.redis, system.settings.key_prefix)
    return [key for key, value in found if name.encode() in key + value]


async def kept_for_good(system: System) -> list[bytes]:
    """Return what compacted topics end up with: the newest value of every key."""
    found: list[bytes] = []
    for topic in sorted(COMPACTED):
        newest = {record.key: record.value for record in await system.read(topic)}
        lasting = {key or b"": value for key, value in newest.items() if value is not None}
        found += [*lasting.keys(), *lasting.values()]
    return found


async def settle(system: System, records: int) -> None:
    """Wait until every order was applied, and everything was announced."""

    def done() -> bool:
        return system.applied() == records and not system.waiting_rows()

    await wait_for_async(lambda: asyncio.to_thread(done), f"{records} orders applied", 120)


async def play(system: System, sent: Sequence[Sent], linked: Sequence[Sent]) -> None:
    """Run *sent* through two workers to the end."""
    await system.send("profiles", linked)
    for _ in range(2):
        await system.started()
    await system.send("orders", sent)
    await settle(system, len(sent))


async def test_nothing_is_left_of_an_erased_customer_under_load_with_a_worker_lost(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path, *, on_apache_kafka: bool
) -> None:
    """One receipt; no key and no lasting record names it; others are as if it had never been."""
    at_ms = now_ms()
    sent = history(at_ms)
    others = [one for one in sent if one[0]["customer_id"] != GONE]
    env = {"session_timeout_ms": "6000"} if on_apache_kafka else {"report_ms": "0", "audit": "off"}
    (tmp_path / "never").mkdir()
    where = (kafka_bootstrap, redis_url)
    async with System(*where, unique(), tmp_path, GROUPED, env=env) as system:
        await system.send("profiles", links(sent[0][1]))
        first = await system.started()
        await system.started()
        await system.send("orders", sent[:2_000])
        loading = asyncio.create_task(system.send("orders", sent[2_000:]))
        erase = ["erase", GONE, "--reason", f"{GONE} asked", "--yes", "--wait", "90", "--json"]
        erasing = asyncio.create_task(tierstream(system, *erase))
        # The embedded broker never puts a killed member out of its group.
        await asyncio.to_thread(first.kill if on_apache_kafka else first.stop)
        await system.started()
        await loading
        await erasing
        await settle(system, len(sent))
        # Its events again, as a producer that was not sure would send them.
        again = [one for one in sent if one[0]["customer_id"] == GONE][:50]
        later_ms = time.time_ns() // 1_000_000
        await system.send("orders", [(wire, later_ms) for wire, _ in again])
        await settle(system, len(sent) + len(again))

        async def parted() -> bool:
            customer = system.customers().get(CHILD)
            return customer is not None and customer.kin is not None and customer.kin.moves == 2

        await wait_for_async(parted, "the child's link to end", 60)
        await settle(system, len(sent) + len(again))
        found = readings(system, at_ms)
        grades = {name: [g.tier for g in one.grades] for name, one in system.customers().items()}
        assert traces(system, GONE) == []
        assert [part for part in await kept_for_good(system) if GONE.encode() in part] == []
        (record,) = await system.read("erasure-receipts")
        receipt = ErasureReceipt.model_validate_json(record.value or b"")
        assert receipt.subject == pseudonym(GONE)
        assert receipt.removed.parent
        assert receipt.removed.members == 1
        tombstone = [r for r in await system.read("customer-tiers") if r.key == GONE.encode()][-1]
        assert tombstone.value is None
    async with System(*where, unique(), tmp_path / "never", GROUPED, env=env) as never:
        await play(never, others, [])
        assert found == readings(never, at_ms)
        assert grades == {
            name: [g.tier for g in one.grades] for name, one in never.customers().items()
        }


async def test_who_comes_back_is_announced_from_the_beginning(system: System) -> None:
    """A new chain under new ids, after the tombstone."""
    at_ms = time.time_ns() // 1_000_000 - 60_000
    await system.started()
    await system.send("orders", [order(1, "ann", at_ms, 40_000)])
    await system.published(3)
    request = event("customer.erase", "x1", "ann", at_ms + 1, reason="asked")
    await system.send("controls", [request, request])
    await system.send("orders", [order(1, "ann", at_ms + 2, 40_000)])
    changes = await system.published(6)
    assert [change["sequence"] for change in changes] == [1] * 6
    assert [change["from"] for change in changes] == [None] * 6
    assert len({change["id"] for change in changes}) == 6
    tiers = [r.value is None for r in await system.read("customer-tiers") if r.key == b"ann"]
    assert tiers == [False, True, False]
    (receipt,) = await system.read("erasure-receipts")
    assert json.loads(receipt.value or b"")["instant"] == format_instant(at_ms + 1)


async def test_what_waits_to_be_told_to_people_and_systems_names_no_erased_customer(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path, *, on_apache_kafka: bool
) -> None:
    """The worker that told them is lost once the receipt is out; a replay brings nothing back."""
    with Receiver(status=503) as refusing:
        env = environment(team=refusing) | {"webhook_private": "on", "webhooks": "on"}
        where = (kafka_bootstrap, redis_url, unique(), tmp_path, POLICY + ROUTES)
        async with System(*where, env=env) as system:
            prefix = system.settings.key_prefix
            with closing(RedisEndpoints(redis_url, prefix=prefix, area="webhooks")) as store:
                url = f"http://127.0.0.1:{refusing.port}/hook"
                endpoint = managing.add(store, url, list(TOPICS), now_ms(), private=True)
            first = await system.started()
            # The alert, and a move that is merged after it.
            sent = [(who, at) for at in (6_000, 30_000) for who in (GONE, *PEOPLE[1:4])]
            await system.send("orders", [paid(n, *one) for n, one in enumerate(sent)])

            def waiting(name: str) -> bool:
                held = {key.removeprefix(prefix.encode()) for key in traces(system, name)}
                return held >= {
                    b":{alerts}:threads",
                    b":{alerts}:messages",
                    b":{webhooks}:messages",
                }

            for who in (GONE, PEOPLE[3]):
                await wait_for_async(partial(waiting, who), f"what waits about {who}")
            await tierstream(system, "erase", GONE, "--reason", "asked", "--yes", "--wait", "60")
            # The embedded broker never puts a killed member out of its group.
            await asyncio.to_thread(first.kill if on_apache_kafka else first.stop)
            await system.started()
            await wait_for_async(lambda: traces(system, GONE) == [], "no trace", 60)
            # Not even where Redis has forgotten who was erased.
            with redis.Redis.from_url(redis_url) as client:
                client.delete(f"{prefix}:{{webhooks}}:erased")
            told = await tierstream(
                system, "webhooks", "replay", endpoint.id, "--since", "2020-01-01"
            )
            assert told.endswith(f"are sent again to {endpoint.id}\n")
            assert traces(system, GONE) == []
            assert waiting(PEOPLE[3])
