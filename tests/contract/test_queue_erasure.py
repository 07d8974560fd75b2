"""Queues to the outside after an erasure: nothing names the customer or brings it back."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from stream.adapters.redis_desk import RedisDesk
from stream.adapters.redis_endpoints import RedisEndpoints
from stream.adapters.redis_queue import Entry
from stream.alerting.hours import Hours
from stream.alerting.message import Message, Part, decode, encode
from stream.alerting.notices import Notice
from stream.alerting.routing import Channel, Rule
from stream.alerting.threads import Pace, Step, Thread, hear, thread_key, wake
from stream.calendar import format_instant
from stream.erasure import pseudonym
from stream.webhooks import body
from tests.stored import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

GONE, OTHER = "shopper-gone", "shopper-here"
ENDED = {pseudonym(GONE): 100}
TEAM = Channel("team", "en", Hours("UTC"))
RULE = Rule("change", ("team",), escalate_ms=60_000, escalate_to="heads")


@pytest.fixture
def prefix(redis_prefix: str, redis_client: redis.Redis) -> str:
    """A prefix of this test's own, on an empty Redis."""
    del redis_client
    return redis_prefix.rstrip(":")


@pytest.fixture
def desk(redis_url: str, prefix: str) -> Iterator[RedisDesk]:
    """What alerts keep."""
    made = RedisDesk(redis_url, prefix=prefix, area="alerts")
    yield made
    made.close()


@pytest.fixture
def endpoints(redis_url: str, prefix: str) -> Iterator[RedisEndpoints]:
    """What webhooks keep."""
    made = RedisEndpoints(redis_url, prefix=prefix, area="webhooks")
    yield made
    made.close()


@pytest.fixture
def traces(redis_url: str, prefix: str) -> Callable[[], list[bytes]]:
    """The keys that name who is gone."""
    name = GONE.encode()
    return lambda: [key for key, value in stored(redis_url, prefix) if name in key + value]


def notice(customer: str, instant_ms: int, sequence: int = 1, kind: str = "change") -> Notice:
    """Return a notice whose id names the customer, as ids of producers may."""
    return Notice(
        kind=kind,  # type: ignore[arg-type]
        id=f"{customer}:{sequence}",
        customer_id=customer,
        grading="value",
        before="gold",
        after="silver",
        direction="down",
        sequence=sequence,
        instant_ms=instant_ms,
        status="order",
    )


def message(*told: tuple[str, int], kind: str = "alert") -> bytes:
    """Return a message about customers at instants."""
    parts = tuple(Part(name, f"{name} fell", at_ms) for name, at_ms in told)
    return encode(Message("team", kind, "told", parts, 0, max(at_ms for _, at_ms in told)))


def take(
    desk: RedisDesk, told: Notice, now_ms: int, meanwhile: Callable[[], object] | None = None
) -> Step:
    """Let the team hear of something; *meanwhile* happens between reading and writing."""
    key = thread_key("team", told)

    def fold(threads: dict[str, Thread], pace: Pace) -> tuple[Step, list[Entry]]:
        if meanwhile is not None:
            meanwhile()
        step = hear(TEAM, RULE, 600_000, threads.get(key), pace, told, now_ms)
        text = message((told.customer_id, told.instant_ms))
        return step, [Entry("team", send.key, text, now_ms) for send in step.sends]

    return desk.step("team", [key], fold, told)


def test_messages_and_threads_of_an_erased_customer_go_wherever_they_wait(
    desk: RedisDesk, traces: Callable[[], list[bytes]]
) -> None:
    """Queued, leased, given up, merged into a line, waiting for an answer; others stay."""
    for who in (GONE, OTHER):
        take(desk, notice(who, 50), 50)
        take(desk, notice(who, 60, 2), 60)
        desk.post([Entry("team", f"parked-{who}", message((who, 70)), 0)])
        assert desk.settle("team", f"parked-{who}", "park", at_ms=5, why="refused")
    (leased,) = desk.claim("team", 1_000, 30_000)
    assert leased.id.endswith(f"{GONE}:1")
    assert traces()
    assert desk.erase(ENDED) == 3
    assert traces() == []
    assert [thread.customer_id for _, thread in desk.threads()] == [OTHER]
    assert [one.id for one in desk.parked()] == [f"parked-{OTHER}"]
    assert desk.backlog(["team"])["team"].waiting == 1
    # Who delivers it just now has it in hand only: what becomes of it is not kept.
    assert not desk.settle("team", leased.id, "retry", at_ms=2_000, why="refused")
    assert not desk.settle("team", leased.id, "park", at_ms=2_000, why="refused")
    assert traces() == []
    assert desk.erase(ENDED) == 0
    assert desk.erase({}) == 0


def test_of_a_digest_only_the_part_of_the_erased_goes(
    desk: RedisDesk, traces: Callable[[], list[bytes]]
) -> None:
    """Also while it is being delivered; what was told of its new life is not taken out."""
    told = message((GONE, 100), (OTHER, 40), (GONE, 101), kind="digest")
    desk.post([Entry("team", "d", told, 0), Entry("team", "e", message((GONE, 1), (GONE, 2)), 0)])
    desk.claim("team", 10, 1_000, limit=2)
    assert desk.erase(ENDED) == 2
    (claimed,) = desk.claim("team", 2_000, 1_000, limit=2)
    left = decode(claimed.message)
    assert [(part.customer_id, part.instant_ms) for part in left.parts] == [
        (OTHER, 40),
        (GONE, 101),
    ]
    assert desk.erase({pseudonym(GONE): 101}) == 1
    assert traces() == []


def test_two_who_cut_the_same_digest_bring_nothing_back(
    desk: RedisDesk, traces: Callable[[], list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has read it, then the other cuts it: the first begins over."""
    desk.post([Entry("team", "d", message((GONE, 1), (OTHER, 2), ("third", 3)), 0)])
    real, others = desk._rest, [lambda: desk.erase({pseudonym(GONE): 1})]

    def interrupted(*arguments: object) -> object:
        found = real(*arguments)  # type: ignore[arg-type]
        if others:
            others.pop()()
        return found

    monkeypatch.setattr(desk, "_rest", interrupted)
    desk.erase({pseudonym(OTHER): 2})
    (claimed,) = desk.claim("team", 10, 1_000)
    assert [part.customer_id for part in decode(claimed.message).parts] == ["third"]
    assert traces() == []


def test_what_is_heard_later_of_the_life_that_ended_is_not_taken_in(
    desk: RedisDesk, traces: Callable[[], list[bytes]]
) -> None:
    """A replay, or an agent that lags; what follows is told as of anybody new."""
    desk.erase(ENDED)
    desk.erase({pseudonym(GONE): 90})
    assert take(desk, notice(GONE, 100, 7), 200).sends == ()
    assert traces() == []
    assert [send.kind for send in take(desk, notice(GONE, 101), 201).sends] == ["alert"]
    assert traces()
    desk.erase(ENDED)
    assert [thread.instant_ms for _, thread in desk.threads()] == [101]


def test_an_erasure_between_reading_and_writing_wins(
    desk: RedisDesk, traces: Callable[[], list[bytes]]
) -> None:
    """Of hearing, and of putting a line of a thread into a digest."""
    assert take(desk, notice(GONE, 50), 50, partial(desk.erase, ENDED)).threads == {}
    assert traces() == []

    take(desk, notice(OTHER, 50), 50)
    take(desk, notice(OTHER, 60, 2), 60)
    key = thread_key("team", notice(OTHER, 0))

    def fold(threads: dict[str, Thread], pace: Pace) -> tuple[Step, list[Entry]]:
        desk.erase({pseudonym(OTHER): 100})
        step = wake(TEAM, threads, pace, 700_000)
        return step, [Entry("team", send.key, message((OTHER, 60)), 0) for send in step.sends]

    assert desk.step("team", [key], fold).sends == ()
    assert list(desk.threads()) == []
    assert desk.backlog(["team"])["team"].waiting == 0


def hook(name: str, customer: str, at_ms: int) -> Entry:
    """Return a webhook message about a customer at an instant."""
    value = json.dumps({"id": name, "customer_id": customer}).encode()
    text = body("tier-changes", format_instant(at_ms), value)
    return Entry("ep_1", f"ep_1/{name}", text, 0, pseudonym(customer), at_ms)


def test_webhook_messages_of_an_erased_customer_go_and_are_not_put_again(
    endpoints: RedisEndpoints, traces: Callable[[], list[bytes]]
) -> None:
    """Waiting, leased and given up ones; a replay puts those of its new life and of others."""
    told = [hook("a", GONE, 10), hook("b", GONE, 100), hook("c", GONE, 101), hook("d", OTHER, 10)]
    endpoints.post(told)
    endpoints.claim("ep_1", 5, 1_000)
    assert endpoints.settle("ep_1", "ep_1/b", "park", at_ms=5, why="answered 500")
    assert endpoints.erase(ENDED) == 2
    assert endpoints.parked() == []
    assert len(traces()) == 1
    endpoints.post(told)
    found = [claimed.id for claimed in endpoints.claim("ep_1", 2_000, 1_000, limit=9)]
    assert found == ["ep_1/c", "ep_1/d"]
    assert endpoints.erase({pseudonym(GONE): 500}) == 1
    assert traces() == []


def test_what_cannot_be_read_is_left_as_it_is(desk: RedisDesk, endpoints: RedisEndpoints) -> None:
    desk.post([Entry("team", "m", b"no message", 0)])
    endpoints.post([Entry("ep_1", "ep_1/m", b"no body", 0)])
    assert desk.erase(ENDED) == endpoints.erase(ENDED) == 0
    assert desk.backlog(["team"])["team"].waiting == 1
