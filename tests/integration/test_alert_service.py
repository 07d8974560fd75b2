"""The alert service in this process, on a real Redis: acknowledging, escalating, giving up."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from agents.alerts.acknowledging import acknowledge, open_alerts
from agents.alerts.channels import Addresses
from agents.alerts.courier import Courier
from agents.alerts.directory import Directory
from agents.alerts.service import AlertService
from agents.cli.alerts import app
from agents.dispatch import now_ms
from agents.metrics import Metrics
from agents.settings import Settings
from schemas.policy import parse_policy
from stream.adapters.memory_store import MemoryStore
from stream.adapters.redis_desk import RedisDesk
from stream.adapters.redis_queue import Entry
from stream.alerting.message import encode
from stream.calendar import format_instant
from stream.editions import first_edition
from stream.store import StoreUnavailable
from tests.integration.receiver import Receiver
from tests.integration.system import POLICY
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import redis
    from typer.testing import Result

pytestmark = pytest.mark.integration

ROUTES = """
routes:
  channels: {team: {}, heads: {}}
  rules: [{gradings: [value], channels: [team], escalate: {after_minutes: 30, to: heads}}]
"""


def change(number: int, **more: Any) -> bytes:
    """Return a record of `tier-changes` of now."""
    return json.dumps(
        {
            "id": f"{number:032x}",
            "customer_id": f"c{number}",
            "grading": "value",
            "from": "gold",
            "to": "silver",
            "direction": "down",
            "sequence": 2,
            "instant": format_instant(now_ms()),
            "cause": {"kind": "time", "event_id": None},
            "policy": {"name": "shop", "version": 1},
            "score": None,
            "reasons": [],
            **more,
        }
    ).encode()


@dataclass
class Place:
    """Where a service works, and what its user would know of it."""

    url: str
    prefix: str
    desk: RedisDesk

    @property
    def settings(self) -> Settings:
        """Where the command finds it."""
        return Settings(redis=self.url, namespace=self.prefix.removeprefix("ts:"))


@pytest.fixture
def place(redis_url: str, redis_prefix: str, redis_client: redis.Redis) -> Iterator[Place]:
    """A desk under this test's own prefix, which is cleared at the end."""
    prefix = f"ts:{redis_prefix.rstrip(':')}"
    desk = RedisDesk(redis_url, prefix=prefix, area="alerts")
    yield Place(redis_url, prefix, desk)
    desk.close()
    redis_client.flushall()


@asynccontextmanager
async def service(place: Place, **addresses: str) -> AsyncIterator[AlertService]:
    """Run the service on a desk of its own."""
    edition = first_edition(parse_policy(POLICY + ROUTES, "shop.yaml"))
    running = AlertService(
        RedisDesk(place.url, prefix=place.prefix, area="alerts"),
        Directory(MemoryStore(), 16, edition),
        Courier(Addresses({name: (url,) for name, url in addresses.items()}, {}), 5.0),
        Metrics(),
        timeout_ms=5_000,
    )
    await running.start()
    try:
        await wait_for_async(lambda: running.ready, "a service that is ready")
        yield running
    finally:
        await running.stop()


async def test_an_acknowledged_alert_is_open_no_more(place: Place) -> None:
    """By the id that stands in its text."""
    with Receiver() as team, Receiver() as heads:
        async with service(place, team=team.address, heads=heads.address) as running:
            for number in (1, 2):
                await running.hear("tier-changes", change(number))
            await wait_for_async(lambda: len(team.got) == 2, "both alerts")
            waiting = open_alerts(place.desk)
            assert [one.id for one in waiting] == [f"{n:032x}" for n in (1, 2)]
            assert waiting[0].due_ms - waiting[0].told_ms == 1_800_000
            assert f"tierstream alerts ack {waiting[0].id}" in team.messages()[0]["message"]
            assert acknowledge(place.desk, waiting[0].id) == ["team"]
            assert acknowledge(place.desk, waiting[0].id) == []
            assert [one.customer_id for one in open_alerts(place.desk)] == ["c2"]


async def test_a_record_waits_in_hand_until_the_store_is_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never raising: Faust would take it as done."""
    with Receiver() as team:
        async with service(place, team=team.address) as running:
            real, failures = running._take, iter([True, True, False])

            def fails_twice(notice: Any) -> list[str]:
                if next(failures):
                    raise StoreUnavailable("gone for a moment")
                return real(notice)

            monkeypatch.setattr(running, "_take", fails_twice)
            await running.hear("tier-changes", change(1))
            await wait_for_async(team.messages, "the alert")


async def test_bytes_that_are_no_change_and_changes_of_long_ago_are_passed_over(
    place: Place,
) -> None:
    with Receiver() as team:
        async with service(place, team=team.address) as running:
            await running.hear("tier-changes", b"no JSON")
            await running.hear("tier-changes", change(1, instant="2020-01-01T00:00:00.000Z"))
            await running.hear("tier-changes", change(2))
            await wait_for_async(team.messages, "the alert")
            assert set(team.titles()) == {"▼ c2: value gold → silver"}
            heard = running._metrics.alerts_heard
            assert heard.labels("tier-changes", "unreadable")._value.get() == 1
            assert heard.labels("tier-changes", "history")._value.get() == 1


async def test_what_is_refused_is_tried_again_and_at_last_given_up(
    place: Place, tmp_path: Path
) -> None:
    """A day after it was written; the command shows why, and tries again."""
    with Receiver(status=503) as team:
        async with service(place, team=team.address) as running:
            await running.hear("tier-changes", change(1))
            await wait_for_async(lambda: len(team.got) >= 2, "a second attempt")
            team.status = 200
            delivered = running._metrics.alert_deliveries.labels("team", "delivered")
            await wait_for_async(lambda: delivered._value.get() == 1, "the delivery")
            team.status = 503
            old = running._words[running._directory.version, "team"].sample(now_ms() - 86_400_000)
            place.desk.post([Entry("team", "old", encode(old), now_ms())])
            await wait_for_async(place.desk.parked, "a message that was given up")
            (parked,) = place.desk.parked()
            assert (parked.id, parked.why) == ("old", "JSON answered 503")
    assert "JSON answered 503" in (await alerts(place, tmp_path, "status")).output
    done = await alerts(place, tmp_path, "retry")
    assert (done.exit_code, done.output) == (0, "1 messages are tried again\n")
    data = json.loads((await alerts(place, tmp_path, "status", "--json")).output)
    assert data["parked"] == []
    assert data["channels"]["team"]["waiting"] == 1


async def test_what_nobody_has_claimed_for_long_falls_due_again(place: Place) -> None:
    """Whoever dies with a message in hand loses nothing; a late word of it changes nothing."""
    desk = place.desk
    desk.post([Entry("team", "m", b"text", 5)])
    desk.post([Entry("team", "m", b"again", 5)])
    assert [one.tries for one in desk.claim("team", 10, 100)] == [1]
    assert desk.claim("team", 109, 100) == []
    (claimed,) = desk.claim("team", 110, 100)
    assert (claimed.message, claimed.tries) == (b"text", 2)
    assert desk.settle("team", "m", "done")
    assert not desk.settle("team", "m", "retry", at_ms=500, why="late")
    assert desk.claim("team", 1_000, 100) == []


async def test_an_escalation_comes_when_nobody_answers(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the service is put forward by half an hour."""
    with Receiver() as team, Receiver() as heads:
        async with service(place, team=team.address, heads=heads.address) as running:
            await running.hear("tier-changes", change(1))
            await wait_for_async(team.messages, "the alert")
            ahead_ms = now_ms() + 1_800_000
            monkeypatch.setattr("agents.alerts.service.now_ms", lambda: ahead_ms)
            monkeypatch.setattr("agents.dispatch.now_ms", lambda: ahead_ms)
            await wait_for_async(heads.messages, "the escalation")
            assert heads.titles() == ["⚠ Nobody has answered: ▼ c1: value gold → silver"]
            assert open_alerts(place.desk) == []


async def alerts(place: Place, folder: Path, *arguments: str, **env: str) -> Result:
    """Run `tierstream alerts` in this process; *env* are settings by their lower-case names."""
    (folder / "policy.yaml").write_text(POLICY + ROUTES)
    told = {"redis": place.url, "namespace": place.settings.namespace} | env
    told["policy"] = str(folder / "policy.yaml")
    settings = {f"TIERSTREAM_{name.upper()}": value for name, value in told.items()}
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=settings)


async def test_a_sample_goes_to_each_channel_and_its_answer_is_told(
    place: Place, tmp_path: Path
) -> None:
    """Past every queue; no address is shown. One that was not delivered ends in 1."""
    with Receiver() as team, Receiver(status=503) as heads:
        both = {"channel_team": team.address, "channel_heads": heads.address}
        done = await alerts(place, tmp_path, "test", **both)
        assert done.exit_code == 1
        assert done.output == "team: delivered\nheads: JSON answered 503\n"
        assert team.titles() == heads.titles()
        assert team.messages()[0]["message"].count("team") == 1

        done = await alerts(place, tmp_path, "test", "--json", channel_team=team.address)
        assert done.exit_code == 1
        assert json.loads(done.output)["heads"] == "no address is known for this channel"
        done = await alerts(place, tmp_path, "test", "--channel", "heads")
        assert done.output.endswith("; name it in TIERSTREAM_CHANNEL_HEADS\n")

        heads.status = 200
        done = await alerts(place, tmp_path, "test", "--channel", "heads", **both)
        assert (done.exit_code, done.output) == (0, "heads: delivered\n")
        assert len(team.got) == 2
    done = await alerts(place, tmp_path, "test", "--channel", "nobody")
    assert str(done.exception) == "--channel: 'nobody' is not allowed; allowed: team, heads"
    assert place.desk.backlog(["team", "heads"])["team"].waiting == 0


async def test_an_alert_is_acknowledged_by_how_its_id_begins(place: Place, tmp_path: Path) -> None:
    """It is told to nobody else; one that nobody waits for, or that is not clear, is said to be."""
    with Receiver() as team:
        async with service(place, team=team.address) as running:
            for number in (1, 0xA << 124):
                await running.hear("tier-changes", change(number))
            await wait_for_async(lambda: len(team.got) == 2, "both alerts")
            done = await alerts(place, tmp_path, "ack", "a00")
            assert (done.exit_code, done.output) == (0, f"acknowledged a{31 * '0'} in team\n")
            assert [one.customer_id for one in open_alerts(place.desk)] == ["c1"]
            done = await alerts(place, tmp_path, "ack", "a00")
            assert str(done.exception).startswith("a00: no alert with this id waits")
            await running.hear("tier-changes", change(2))
            done = await alerts(place, tmp_path, "ack", "0")
            assert str(done.exception) == "0: 2 alerts begin like this; give more of the id"
            assert len(open_alerts(place.desk)) == 2
