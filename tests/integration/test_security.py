"""TLS, passwords and access control lists: what is documented suffices, and refusals are plain."""

from __future__ import annotations

import contextlib
import re
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import redis

from tests.brokers.secured import ADMIN, MECHANISM, Authority, SecureKafka, SecureRedis, grant
from tests.documented import documented
from tests.integration.system import System, check_chains, check_states, event, order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.kafka, pytest.mark.timeout(180)]

PAGE = "security.md"
NAMESPACE = "shop"
USERS = ("worker", "scoring", "relay", "replayer", "stranger")
PASSWORDS = {name: f"{name}-secret" for name in (ADMIN, *USERS)}
REDIS_USER, REDIS_PASSWORD = "tierstream", "redis-secret"
SECRET = re.compile("|".join(f"{name}-secret" for name in (*PASSWORDS, "redis", "default")))


@dataclass(frozen=True)
class Site:
    """The servers, and the documented users on them."""

    authority: Authority
    kafka: SecureKafka
    redis: SecureRedis

    @property
    def redis_url(self) -> str:
        """URL of the documented Redis user."""
        return self.redis.url_for(REDIS_USER, REDIS_PASSWORD)

    def env(self, user: str) -> dict[str, str]:
        """Return a worker's settings when it comes as *user*."""
        return {
            "kafka_protocol": "SASL_SSL",
            "kafka_mechanism": MECHANISM,
            "kafka_username": user,
            "kafka_password": PASSWORDS[user],
            "kafka_ca_file": self.authority.ca_file,
            "redis": self.redis_url,
        }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Both servers, with the documented rights granted in Redis."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with (
        SecureKafka(authority, PASSWORDS) as kafka,
        SecureRedis(authority, source="path") as server,
    ):
        with redis.Redis.from_url(server.url) as client:
            client.execute_command(*shlex.split(documented(PAGE, "redis-user").replace("\\\n", "")))
        yield Site(authority, kafka, server)


@pytest.fixture
async def shop(site: Site, tmp_path: Path) -> AsyncIterator[System]:
    """The documented installation, its topics made by an administrator."""
    async with System(
        site.kafka.address,
        site.redis.url,
        NAMESPACE,
        tmp_path,
        security=site.kafka.security(ADMIN),
    ) as system:
        yield system


async def test_a_worker_with_the_documented_rights_goes_from_orders_to_tier_changes(
    site: Site, shop: System
) -> None:
    """All roles as one user that may do nothing else; nothing that it does is refused."""
    await grant(site.kafka, documented(PAGE, "kafka-worker"))
    worker = await shop.started(**site.env("worker"))
    at_ms = time.time_ns() // 1_000_000 - 60_000
    await shop.send("orders", [order(1, "ann", at_ms, 40_000), order(2, "ben", at_ms, 100)])
    await shop.send("interactions", [event("complaint", "i1", "ann", at_ms + 1)])
    changes = await shop.published(7)
    check_states(shop.plan, shop.customers(), check_chains(changes))
    await wait_for_async(lambda: worker.metric("tierstream_feed_changes_total") == 7, "the audit")
    with redis.Redis.from_url(site.redis.url) as client:
        assert client.acl_log() == []
