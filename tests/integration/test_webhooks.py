"""Webhooks on broker, Redis, a worker and a local endpoint, verified by the official library."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook

from agents.dispatch import now_ms
from agents.web.hooks import Webhooks
from agents.webhooks import managing
from stream.adapters.redis_endpoints import RedisEndpoints
from stream.webhooks import DISABLED_AFTER_MS
from tests.integration.receiver import Receiver
from tests.integration.system import System, order
from tests.integration.test_replay_live import tierstream, unique
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ENV = {"report_ms": "0", "audit": "off", "webhook_private": "on"}


def ids(receiver: Receiver) -> list[str]:
    return [headers["webhook-id"] for headers, _ in receiver.got]


async def test_every_change_is_sent_signed_and_can_be_sent_again(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """By both secrets of a rotation; an endpoint that hangs holds nobody up."""
    with Receiver() as good, Receiver(hangs=True) as stuck:
        async with System(kafka_bootstrap, redis_url, unique(), tmp_path, env=ENV) as system:
            store = RedisEndpoints(redis_url, prefix=system.settings.key_prefix, area="webhooks")
            began_ms = now_ms()
            managing.add(store, url(stuck), ["tier-changes"], began_ms, private=True)
            endpoint = managing.add(store, url(good), ["tier-changes"], began_ms, private=True)
            await system.started()
            worker = await system.started(role="webhooks")
            at_ms = time.time_ns() // 1_000_000
            await system.send("orders", [order(n, f"c{n}", at_ms, 6_000) for n in range(5)])
            changes = {change["id"]: change for change in await system.published(15)}
            await wait_for_async(lambda: set(ids(good)) == set(changes), "every change")
            secret = endpoint.secrets[0].text
            for headers, body in good.got:
                sent = Webhook(secret).verify(body, headers)
                assert sent["type"] == "tier.changed"
                assert sent["data"] == changes[headers["webhook-id"]]
                assert sent["timestamp"] == sent["data"]["instant"]

            rotated = managing.rotate(store, endpoint.id, now_ms(), 24)
            assert len(rotated.signing(now_ms())) == 2
            good.got.clear()
            await wait_for_async(
                lambda: store.backlog([endpoint.id])[endpoint.id].waiting == 0, "an empty queue"
            )
            again = ["webhooks", "replay", endpoint.id, "--since", "2020-01-01"]
            told = await tierstream(system, *again, "--customer", "c1")
            assert told == f"3 messages are sent again to {endpoint.id}\n"
            wanted = {i for i, change in changes.items() if change["customer_id"] == "c1"}

            def both() -> bool:
                found = [headers["webhook-signature"] for headers, _ in good.got]
                return set(ids(good)) == wanted and len(found) >= 3

            await wait_for_async(both, "the changes of one customer again")
            for headers, body in good.got:
                for one in rotated.signing(now_ms()):
                    Webhook(one).verify(body, headers)
            hooks = Webhooks(system.settings)
            assert await hooks.replay(endpoint.id, 0, "c2", 0) == 3
            assert await hooks.replay(endpoint.id, 0, None, 2) == 0
            hooks.close()
            wanted |= {i for i, change in changes.items() if change["customer_id"] == "c2"}
            await wait_for_async(both, "the changes of another, asked for by the API")
            assert secret not in worker.log_path.read_text()
            listed = json.loads(await tierstream(system, "webhooks", "list", "--json"))
            assert {one["status"] for one in listed["endpoints"]} == {"enabled"}
            assert secret not in json.dumps(listed)
            await tierstream(system, "webhooks", "remove", endpoint.id)
            assert [one.url for one in store.endpoints()] == [url(stuck)]
            store.close()


async def test_an_endpoint_that_is_gone_or_fails_for_days_is_disabled(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """What was published meanwhile waits, and is sent once it is enabled again."""
    with Receiver(status=410) as gone, Receiver(status=500) as failing:
        async with System(kafka_bootstrap, redis_url, unique(), tmp_path, env=ENV) as system:
            store = RedisEndpoints(redis_url, prefix=system.settings.key_prefix, area="webhooks")
            first = managing.add(store, url(gone), ["tier-changes"], now_ms(), private=True)
            second = managing.add(store, url(failing), ["tier-changes"], now_ms(), private=True)
            store.failing_since(second.id, now_ms() - DISABLED_AFTER_MS)
            await system.started(webhooks="on")
            await system.send("orders", [order(1, "ann", time.time_ns() // 1_000_000, 6_000)])

            def disabled() -> bool:
                return all(one.status == "disabled" for one in store.endpoints())

            await wait_for_async(disabled, "both endpoints to be disabled")
            whys = {one.id: one.why for one in store.endpoints()}
            assert whys == {first.id: "answered 410", second.id: "answered 500"}
            failing.status = 200
            before = len(failing.got)
            await tierstream(system, "webhooks", "enable", second.id)
            assert replace(second, status="enabled") in store.endpoints()
            await wait_for_async(lambda: len(failing.got) > before, "what was waiting")
            store.close()


def url(receiver: Receiver) -> str:
    """Return where an endpoint is."""
    return f"http://127.0.0.1:{receiver.port}/hook"
