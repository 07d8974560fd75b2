"""A policy that runs beside the one in force: it sees everything, and leaves no trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, note
from hypothesis import strategies as st

from schemas.policy import parse_policy
from schemas.tier_differences import TierDifferences
from stream.calendar import DAY_MS, format_instant
from stream.customer import decode, encode
from stream.editions import first_edition, policy_published, shadow_ended, shadow_started
from stream.outbox import CUSTOMER_TIERS, TIER_DIFFERENCES, Row
from tests.properties.driver import CUSTOMER
from tests.properties.histories import histories
from tests.properties.policies import policies
from tests.properties.profiles import tries
from tests.properties.test_editions import World, settled

if TYPE_CHECKING:
    from schemas.policy import PolicyDocument
    from stream.editions import Begin, Edition
    from tests.properties.driver import Event

Tiers = dict[str, str | None]
_NEITHER_DECIDES = ("rates", "max_future_minutes", "refund_days")


def rivals(one: str, other: str) -> tuple[PolicyDocument, PolicyDocument]:
    """Return a policy and one to run beside it: both take the same facts in."""
    first, second = json.loads(one), json.loads(other)
    shared = {key: first[key] for key in _NEITHER_DECIDES if key in first}
    second = {k: v for k, v in second.items() if k not in _NEITHER_DECIDES} | shared
    second |= {"version": first["version"] + 1}
    return parse_policy(one, "a"), parse_policy(json.dumps(second), "b")


def words_on_consent(events: list[Event], places: list[int]) -> list[Event]:
    """Return the events with a no before, and a yes after, those at two places."""
    said = []
    for number, place in enumerate(places):
        at_ms = events[place]["record_ms"] - 1
        said.append(
            {
                "kind": "consent.changed",
                "scoring": bool(number),
                "event_id": f"said{number}",
                "at_ms": at_ms,
                "record_ms": at_ms,
            }
        )
    return sorted([*events, *said], key=lambda event: event["record_ms"])


class Pace:
    """When somebody looks at the customer, and when the worker is restarted."""

    def __init__(self, *, eager: bool, restarts: bool) -> None:
        self.eager, self.restarts = eager, restarts


def lived(
    first: Edition, events: list[Event], controls: dict[int, Begin], pace: Pace, end_ms: int
) -> World:
    """Return what became of a customer when *controls* came before the events of their places."""
    world = World(first)
    for number, event in enumerate(events):
        if number in controls:
            world.bucket.begin(controls[number])
        if pace.eager and world.state is not None:
            world.bucket.visit(CUSTOMER, event["record_ms"] - 1)
        world.commit()
        if pace.restarts:
            world.restart()
        world.take(event)
    if len(events) in controls:
        world.bucket.begin(controls[len(events)])
    world.bucket.visit(CUSTOMER, end_ms)
    world.bucket.finish()
    world.commit()
    if pace.restarts:
        world.restart()
    return world


def kept(world: World, end_ms: int) -> bytes:
    """Return what is stored of the customer, but for the number of its edition."""
    if world.state is None:
        return b""
    shape = world.bucket.scorer.plan.shape
    customer = decode(CUSTOMER, settled(world, end_ms), shape)
    customer.edition = 0
    return encode(customer, shape)


def tiers(world: World) -> Tiers:
    """Return where the customer stands under the policy in force."""
    names = world.bucket.scorer.plan.shape.names
    grades = world.bucket.customers[CUSTOMER].grades
    return {name: grade.tier for name, grade in zip(names, grades, strict=True)}


def tiers_beside(world: World) -> Tiers:
    """Return where the customer stands under the policy that runs beside."""
    shadow = world.bucket.customers[CUSTOMER].shadow
    assert shadow is not None
    names = shadow.scorer.plan.shape.names
    return {n: grade.tier for n, grade in zip(names, shadow.customer.grades, strict=True)}


def readings(world: World, end_ms: int) -> list[int | str]:
    """Return what every measure of the policy in force reads in the end."""
    plan = world.bucket.scorer.plan
    customer = world.bucket.customers[CUSTOMER]
    customer.roll(end_ms)
    return list(plan.read(customer, end_ms))


def told(world: World) -> list[dict[str, Any]]:
    """Return what `tier-differences` says of the customer, {} for a tombstone."""
    said = [row for row in world.rows if row.topic == TIER_DIFFERENCES]
    for row in said:
        if row.value is not None:
            TierDifferences.model_validate_json(row.value)
    return [{} if row.value is None else json.loads(row.value) for row in said]


def live_rows(world: World, pace: Pace) -> tuple[list[Row], Any]:
    """Return everything else that was announced.

    Where nobody looks in time, current tiers are told as batches happen to come: then only what
    they came to.
    """
    rows = [row for row in world.rows if row.topic != TIER_DIFFERENCES]
    if pace.eager:
        return rows, None
    tiers = [json.loads(row.value or b"") for row in rows if row.topic == CUSTOMER_TIERS]
    newest = {**tiers[-1], "instant": None} if tiers else None
    return [row for row in rows if row.topic != CUSTOMER_TIERS], newest


@given(policies(currency="EUR"), policies(currency="EUR"), histories(max_size=7), st.data())
@tries(60)
def test_a_shadow_sees_what_would_have_come_and_changes_nothing(
    one: str, other: str, events: list[Event], data: st.DataObject
) -> None:
    """Its tiers are those of a run in which the policy was published at that instant."""
    note(one)
    note(other)
    document, rival = rivals(one, other)
    events = sorted(events, key=lambda event: event["record_ms"])
    if not data.draw(st.integers(0, 3)):
        places = st.integers(0, len(events) - 1)
        events = words_on_consent(events, sorted([data.draw(places), data.draw(places)]))
    at = data.draw(st.integers(0, len(events) - 1))
    ends = data.draw(st.integers(at + 1, len(events)))
    instant_ms, end_ms = events[at]["record_ms"], events[-1]["record_ms"] + 20 * DAY_MS
    first = first_edition(document)
    start = {at: shadow_started(rival, instant_ms, "control")}
    publish = {at: policy_published(rival, instant_ms, "control")}
    later_ms = events[ends]["record_ms"] if ends < len(events) else end_ms
    stop = {ends: shadow_ended(later_ms, "over")}
    newest: list[Any] = []
    for pace in (Pace(eager=e, restarts=r) for e in (True, False) for r in (True, False)):
        alone = lived(first, events, {}, pace, end_ms)
        watched = lived(first, events, start, pace, end_ms)
        assert live_rows(watched, pace) == live_rows(alone, pace)
        published = lived(first, events, publish, pace, end_ms)
        if published.bucket.customers[CUSTOMER].clock_ms:
            assert tiers_beside(watched) == tiers(published)
        check_differences(watched)
        # It is told when somebody looks; what it says is the same.
        newest.append((told(watched) or [{}])[-1] | {"instant": None})

        ended = lived(first, events, start | stop, pace, end_ms)
        assert live_rows(ended, pace) == live_rows(alone, pace)
        assert (told(ended) or [{}])[-1] == {}
        assert ended.bucket.customers[CUSTOMER].shadow is None
        assert kept(ended, end_ms) == kept(alone, end_ms)
    assert newest.count(newest[0]) == len(newest)


def check_differences(world: World) -> None:
    """See that what was told last is where the two differ."""
    if world.state is None:
        assert not told(world)
        return
    here, there = tiers(world), tiers_beside(world)
    differing = {
        name: (here.get(name), there.get(name))
        for name in here | there
        if here.get(name) != there.get(name)
    }
    said = (told(world) or [{}])[-1].get("differences", {})
    assert {name: (one["live"], one["shadow"]) for name, one in said.items()} == differing


@given(policies(currency="EUR"), policies(currency="EUR"), histories(max_size=7), st.data())
@tries(40)
def test_a_shadow_that_is_promoted_takes_over_with_what_it_has_gathered(
    one: str, other: str, events: list[Event], data: st.DataObject
) -> None:
    """It reads what it would have read had it been in force all the time; tiers move at once."""
    note(one)
    note(other)
    document, rival = rivals(one, other)
    events = sorted(events, key=lambda event: event["record_ms"])
    at = data.draw(st.integers(0, len(events) - 1))
    promoted = data.draw(st.integers(at + 1, len(events)))
    end_ms = events[-1]["record_ms"] + 20 * DAY_MS
    first = first_edition(document)
    begun_ms = events[at]["record_ms"]
    instant_ms = events[promoted]["record_ms"] if promoted < len(events) else end_ms
    start = {at: shadow_started(rival, begun_ms, "control")}
    publish = {at: policy_published(rival, begun_ms, "control")}
    promote = {promoted: policy_published(rival, instant_ms, "promoted")}
    by_then = lived(first, events[:promoted], {}, Pace(eager=True, restarts=True), instant_ms)
    known = by_then.bucket.customers[CUSTOMER].clock_ms > 0
    lives = []
    for pace in (Pace(eager=e, restarts=r) for e in (True, False) for r in (True, False)):
        followed = lived(first, events, start | promote, pace, end_ms)
        published = lived(first, events, publish, pace, end_ms)
        lives.append((followed.changes, kept(followed, end_ms)))
        assert followed.bucket.customers[CUSTOMER].shadow is None
        assert (told(followed) or [{}])[-1] == {}
        moved = [c for c in followed.changes if c["cause"]["event_id"] == "promoted"]
        assert {c["instant"] for c in moved} <= {format_instant(instant_ms)}
        if known:
            assert readings(followed, end_ms) == readings(published, end_ms)
    assert lives.count(lives[0]) == len(lives)
