"""TLS, passwords and access control lists: what is documented suffices, and refusals are plain."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import shlex
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
import requests
from typer.testing import CliRunner, Result

from agents.cli.commands import app
from agents.replay.log import OrderRow, order_records
from agents.replay.producer import replay_live
from stream.calendar import DAY_MS, format_instant
from tests.brokers.secured import ADMIN, MECHANISM, Authority, SecureKafka, SecureRedis, grant
from tests.documented import documented
from tests.integration.system import System, check_chains, check_states, event, order
from tests.integration.test_serve import Serve
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.integration.system import Worker

pytestmark = [pytest.mark.integration, pytest.mark.kafka, pytest.mark.timeout(180)]

PAGE = "security.md"
NAMESPACE = "shop"
START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
USERS = ("worker", "few", "scoring", "relay", "replayer", "serve", "stranger")
PASSWORDS = {name: f"{name}-secret" for name in (ADMIN, *USERS)}
REDIS_USER, REDIS_PASSWORD = "tierstream", "redis-secret"
SECRET = re.compile("|".join(f"{name}-secret" for name in (*PASSWORDS, "redis", "default")))


@dataclass(frozen=True)
class Site:
    """The servers, and the documented users on them."""

    authority: Authority
    stranger: Authority
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


def redis_user(namespace: str, name: str = REDIS_USER) -> list[str]:
    """Return the documented command that makes a Redis user, for a namespace and a name."""
    command = documented(PAGE, "redis-user").replace("\\\n", "").replace(NAMESPACE, namespace)
    return shlex.split(command.replace(f"SETUSER {REDIS_USER}", f"SETUSER {name}"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Both servers, with the documented rights granted in Redis."""
    authority, stranger = (Authority(tmp_path_factory.mktemp("authority")) for _ in range(2))
    with (
        SecureKafka(authority, PASSWORDS, ready_within_s=90.0) as kafka,
        SecureRedis(authority, source="path") as server,
    ):
        with redis.Redis.from_url(server.url) as client:
            client.execute_command(*redis_user(NAMESPACE))
            client.execute_command(*redis_user(NAMESPACE, "few"), "-zrem")
        yield Site(authority, stranger, kafka, server)


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


@dataclass(frozen=True)
class Refusal:
    """One thing that is wrong.

    Attributes:
        says: What the one line about it contains, of the worker and of `tierstream doctor`.
        wrong: The settings that are wrong, by lower-case names.
        ends: Whether the worker ends at once; else it waits, and says so again and again.
    """

    says: str
    wrong: dict[str, str]
    ends: bool = True


def refusals(site: Site) -> dict[str, Refusal]:
    """Return every way to be refused that a person has to tell from the others."""
    at, trusted = site.redis.address, f"?ssl_ca_certs={site.authority.ca_file}"
    known = f"{REDIS_USER}:{REDIS_PASSWORD}@{at}/0"
    lacking = {"kafka_username": "few", "kafka_password": PASSWORDS["few"]}
    return {
        "kafka password": Refusal("refuses user 'worker'", {"kafka_password": "wrong-secret"}),
        "kafka untrusted": Refusal("is not trusted", {"kafka_ca_file": site.stranger.ca_file}),
        "kafka plain": Refusal("not speak PLAINTEXT", {"kafka_protocol": "PLAINTEXT"}, ends=False),
        "kafka right": Refusal("Write on topic shop.tier-forecasts", lacking, ends=False),
        "redis password": Refusal(
            "Redis refuses this user",
            {"redis": f"rediss://tierstream:wrong-secret@{at}/0{trusted}"},
        ),
        "redis untrusted": Refusal("is not trusted", {"redis": f"rediss://{known}"}),
        "redis plain": Refusal("Connection", {"redis": f"redis://{known}"}, ends=False),
        "redis right": Refusal(
            "user may not run ZREM", {"redis": f"rediss://few:{REDIS_PASSWORD}@{at}/0{trusted}"}
        ),
    }


async def test_each_refusal_is_one_plain_line_of_the_worker_and_of_doctor(
    site: Site, shop: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback and no secret; what waiting cannot repair ends the worker."""
    commands = documented(PAGE, "kafka-worker").replace("User:worker", "User:few")
    await grant(site.kafka, documented(PAGE, "kafka-worker"))
    await grant(site.kafka, commands.replace(" --topic shop.tier-forecasts", ""))
    cases = refusals(site)
    workers = {
        name: shop.start(**{**site.env("worker"), **case.wrong}) for name, case in cases.items()
    }
    for name, case in cases.items():
        failed = await doctor_fails(shop, {**site.env("worker"), **case.wrong}, monkeypatch)
        assert len(failed) == 1, (name, failed)
        assert case.says in failed[0], (name, failed)
    for name, case in cases.items():
        worker = workers[name]
        said = functools.partial(lines_of, worker, case.says)
        await wait_for_async(said, f"{case.says!r} ({worker.log_path})")
        if case.ends:
            await wait_for_async(lambda: not worker.running, "its end")  # noqa: B023 - awaited here
            assert worker.process.returncode == 1, name
            assert len(said()) == 1, name
        text = worker.log_path.read_text()
        assert "Traceback" not in text, text
        assert not SECRET.search(text), text


def lines_of(worker: Worker, words: str) -> list[str]:
    """Return the lines of a worker's log that contain *words*."""
    return [line for line in worker.log_path.read_text().splitlines() if words in line]


async def doctor_fails(
    shop: System, wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Return what `tierstream doctor` finds wrong, as lines."""
    done = await command(shop, wrong, monkeypatch, "doctor", "--json", "--sample", "0")
    findings = json.loads(done.output)["findings"]
    failed = [finding["text"] for finding in findings if finding["level"] == "fail"]
    assert done.exit_code == (1 if failed else 0), done.output
    return failed


async def command(
    shop: System, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> Result:
    """Run a command of ours with the settings of *env*; what it prints holds no secret."""
    variables = {
        "kafka": shop.kafka,
        "namespace": NAMESPACE,
        "policy": shop.settings.policy,
        "buckets": str(shop.buckets),
        **env,
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"TIERSTREAM_{name.upper()}", value)
    done = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert not SECRET.search(done.output), done.output
    return done


async def test_a_worker_with_the_documented_rights_goes_from_orders_to_tier_changes(
    site: Site, shop: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All roles as one user that may do nothing else; no secret is to be seen anywhere."""
    await grant(site.kafka, documented(PAGE, "kafka-worker"))
    with redis.Redis.from_url(site.redis.url) as client:
        client.acl_log_reset()
        worker = await shop.started(**site.env("worker"))
        at_ms = time.time_ns() // 1_000_000 - 60_000
        await shop.send("orders", [order(1, "ann", at_ms, 40_000), order(2, "ben", at_ms, 100)])
        await shop.send("interactions", [event("complaint", "i1", "ann", at_ms + 1)])
        changes = await shop.published(7)
        check_states(shop.plan, shop.customers(), check_chains(changes))
        audited = functools.partial(worker.metric, "tierstream_feed_changes_total")
        await wait_for_async(lambda: audited() == 7, "the audit")
        assert await doctor_fails(shop, site.env("worker"), monkeypatch) == []
        done = await command(shop, site.env("worker"), monkeypatch, "explain", "ann")
        assert done.exit_code == 0, done.output
        assert client.acl_log() == []
    shown = [worker.get(page)[1] for page in ("/", "/healthz", "/readyz", "/metrics")]
    shown.append(command_line(worker))
    assert worker.stop() == 0
    for text in (*shown, worker.log_path.read_text()):
        assert text
        assert not SECRET.search(text), text


def command_line(worker: Worker) -> str:
    """Return what `ps` shows of it."""
    return Path(f"/proc/{worker.process.pid}/cmdline").read_text()


async def test_scoring_relay_and_replayer_work_as_users_of_their_own(
    site: Site, tmp_path: Path
) -> None:
    """Each with the rights that are documented for it, in another namespace."""
    for name in ("kafka-roles", "kafka-replayer"):
        await grant(site.kafka, documented(PAGE, name).replace("shop", "mall"))
    with redis.Redis.from_url(site.redis.url) as client:
        client.acl_log_reset()
        client.execute_command(*redis_user("mall"))
    days = range(0, 90, 10)
    log = order_records(
        OrderRow(f"c{n}", f"o{day}", "paid", format_instant(at), at, 20_000, "USD")
        for day in days
        for n in range(5)
        for at in [START_MS + day * DAY_MS + n]
    )
    env = {"clock": "stream"}
    async with System(
        site.kafka.address, site.redis.url, "mall", tmp_path, security=site.kafka.security(ADMIN)
    ) as mall:
        await mall.started("scoring", **env, **site.env("scoring"))
        await mall.started("delivery", **env, **site.env("relay"))
        replayer = replace(mall.settings, security=site.kafka.security("replayer"))
        sent = await replay_live(replayer, log)
        assert sent.records == len(days) * 5
        changes = await mall.published(5 * 4)
        check_states(mall.plan, mall.customers(), check_chains(changes))
        with redis.Redis.from_url(site.redis.url) as client:
            assert client.acl_log() == []


async def test_the_api_needs_no_more_than_is_documented_and_speaks_tls(
    site: Site, shop: System, tmp_path: Path
) -> None:
    """It reads; a token in the environment is asked for, and shown nowhere."""
    await grant(site.kafka, documented(PAGE, "kafka-serve"))
    shop.store.install(shop.settings.buckets)
    folder, token = site.authority.folder, "an-api-token-of-20-and-more"
    options = ("--tls-cert", str(folder / "server.crt"), "--tls-key", str(folder / "server.key"))
    with Serve(
        shop, tmp_path / "serve.log", *options, **site.env("serve"), api_token=token
    ) as serve:
        assert serve.url.startswith("https://")

        def ask(**headers: str) -> requests.Response:
            url = f"{serve.url}/v1/gradings"
            return requests.get(url, headers=headers, verify=site.authority.ca_file, timeout=30)

        async def answered() -> bool:
            known = {"Authorization": f"Bearer {token}"}
            return (await asyncio.to_thread(lambda: ask(**known))).ok

        await wait_for_async(answered, "an answer over TLS")
        assert (await asyncio.to_thread(ask)).status_code == 401
    assert token not in serve.log.read_text()
    assert not SECRET.search(serve.log.read_text())
