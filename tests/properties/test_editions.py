"""A new policy in the middle of a history: when anybody gets the processor changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import event as seen
from hypothesis import given, note, reject
from hypothesis import strategies as st

from schemas.policy import PolicyFileError, parse_policy
from stream.bucket import Bucket
from stream.calendar import DAY_MS, format_instant
from stream.customer import decode, encode, unpack
from stream.editions import first_edition, policy_published, scorer_of
from stream.outbox import TIER_CHANGES, Row, decode_row
from stream.store import BucketHead
from tests.properties.driver import CUSTOMER, WINDOW, to_arrival
from tests.properties.histories import histories
from tests.properties.policies import policies
from tests.properties.profiles import tries

if TYPE_CHECKING:
    from stream.editions import Edition
    from tests.properties.driver import Event

LEVELS = {
    *("enter", "exit", "at_least", "below", "cuts", "high_below", "high_from", "levels"),
    *("dormant_from", "lost_from", "new_below", "declining_below", "growing_from"),
}


class World:
    """One bucket with one customer, whose worker may be restarted at any time."""

    def __init__(self, first: Edition) -> None:
        self.first = first
        self.state: bytes | None = None
        self.editions = b""
        self.orders: dict[str, bytes] = {}
        self.marks: list[bytes] = []
        self.rows: list[Row] = []
        self.version = 0
        self.restart()

    def restart(self) -> None:
        """Start from what was committed."""
        head = BucketHead(0, self.version, 1, {}, self.marks, None, 0, editions=self.editions)
        self.bucket = Bucket(head, scorer_of(self.first), WINDOW, self.first)
        self.bucket.adopt(CUSTOMER, self.state)

    def take(self, event: Event) -> None:
        """Apply one event."""
        self.bucket.know_orders(self.orders)
        arrival = to_arrival(event, self.bucket.scorer.plan)
        self.bucket.apply_to(CUSTOMER, [arrival])
        self.commit()

    def commit(self) -> None:
        """Write what there is."""
        commit = self.bucket.commit({}, None)
        self.version += 1
        self.state = commit.states.get(CUSTOMER, self.state)
        self.editions = self.editions if commit.editions is None else commit.editions
        for written in (commit.fresh_orders, commit.orders):
            for entries in written.values():
                self.orders.update(entries)
        self.marks = self.marks[commit.drop_marks :] + [commit.marks] * bool(commit.marks)
        self.rows += map(decode_row, commit.outbox)

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What was announced of tiers that changed."""
        return [json.loads(r.value or b"") for r in self.rows if r.topic == TIER_CHANGES]


Told = tuple[bytes, list[dict[str, Any]]]
News = list[tuple[int, "Edition"]]
"""Policies, each with the number of the event that it is published just before."""


def publish(world: World, news: News, number: int, now_ms: int) -> bool:
    """Let the policies begin that are published before an event; return whether any was."""
    begun = False
    for before, edition in news:
        if before == number:
            document = parse_policy(json.dumps(edition.policy), "b")
            begin = policy_published(document, now_ms, "control")
            world.bucket.begin(begin)
            begun = True
    return begun


def lived(first: Edition, news: News, events: list[Event], *, eager: bool, restarts: bool) -> Told:
    """Return what becomes of a customer; *eager*: a sweep comes by at once, else last of all."""
    world = World(first)
    for number, event in enumerate(events):
        if publish(world, news, number, event["record_ms"]):
            if eager and world.state is not None:
                world.bucket.visit(CUSTOMER, event["record_ms"] - 1)
            world.commit()
        if restarts:
            world.restart()
        world.take(event)
    end_ms = events[-1]["record_ms"] + 20 * DAY_MS
    world.bucket.visit(CUSTOMER, end_ms)
    world.bucket.finish()
    world.commit()
    return settled(world, end_ms), world.changes


def spared(first: Edition, news: News, events: list[Event]) -> tuple[Told, bool]:
    """Return what becomes of a customer if a sweep, after the last news, leaves alone whom it may.

    The customer is looked at only when an event comes or the stored deadline does. Also returns
    whether the sweep has left it alone.
    """
    world, left_alone = World(first), False
    for number, event in enumerate(events):
        if publish(world, news, number, event["record_ms"]):
            world.commit()
            if number == news[-1][0]:
                left_alone = sweep(world, event["record_ms"])
        world.restart()
        wake_if_due(world, event["record_ms"] - 1)
        told = len(world.changes)
        world.take(event)
        assert not late(world, told, event["record_ms"])
    end_ms = events[-1]["record_ms"] + 20 * DAY_MS
    world.restart()
    wake_if_due(world, end_ms)
    told = len(world.changes)
    world.bucket.visit(CUSTOMER, end_ms)
    world.commit()
    assert len(world.changes) == told
    return (settled(world, end_ms), world.changes), left_alone


def sweep(world: World, now_ms: int) -> bool:
    """Visit the customer unless it may be left alone; return whether it was."""
    world.restart()
    unmoved = world.bucket.in_force.unmoved
    left_alone = world.state is not None and unmoved.holds(CUSTOMER, unpack(world.state))
    if world.state is not None and not left_alone:
        world.bucket.visit(CUSTOMER, now_ms - 1)
    world.bucket.finish()
    world.commit()
    return left_alone


def wake_if_due(world: World, upto_ms: int) -> None:
    """Wake the customer as often as the deadline it is stored with has come."""
    while world.state is not None and (due_ms := unpack(world.state).due_ms) <= upto_ms:
        told = len(world.changes)
        world.bucket.wake(CUSTOMER, due_ms)
        world.commit()
        assert not late(world, told, due_ms)
        assert unpack(world.state).due_ms > due_ms


def late(world: World, told: int, now_ms: int) -> list[dict[str, Any]]:
    """Return the changes after the first *told* that time had brought about before *now_ms*."""
    return [
        change
        for change in world.changes[told:]
        if change["cause"]["kind"] == "time" and change["instant"] < format_instant(now_ms)
    ]


def settled(world: World, now_ms: int) -> bytes:
    """Return the stored customer without what depends on when it was looked at in vain.

    That is its clock, its deadline, and day buckets that are of no use any more.
    """
    if world.state is None:
        return b""
    shape = world.bucket.scorer.plan.shape
    customer = decode(CUSTOMER, world.state, shape)
    customer.roll(now_ms)
    customer.clock_ms, customer.due_ms = now_ms, 0
    return encode(customer, shape)


@given(policies(currency="EUR"), policies(currency="EUR"), histories(max_size=6), st.data())
@tries(40)
def test_when_a_customer_is_brought_to_a_new_policy_changes_nothing(
    one: str, other: str, events: list[Event], data: st.DataObject
) -> None:
    """At once, when next touched or at the very end; from the cache or from the store."""
    note(one)
    note(other)
    first = first_edition(parse_policy(one, "a"))
    second = first_edition(parse_policy(json.dumps(json.loads(other) | {"version": 2}), "b"))
    events = sorted(events, key=lambda event: event["record_ms"])
    at = data.draw(st.integers(0, len(events) - 1))
    lives = [
        lived(first, [(at, second)], events, eager=eager, restarts=restarts)
        for eager in (True, False)
        for restarts in (True, False)
    ]
    for life in lives[1:]:
        assert life[1] == lives[0][1]
        assert life[0] == lives[0][0]
    check(lives[0][1], first, second)


def with_other_levels(text: str, version: int, data: st.DataObject) -> str:
    """Return a policy with the levels of its gradings moved, those of each by one amount."""
    policy = json.loads(text)

    def moved(part: Any, by: int, *, level: bool = False) -> Any:
        if isinstance(part, dict):
            return {k: moved(v, by, level=k in LEVELS) for k, v in part.items()}
        if isinstance(part, list):
            return [moved(one, by, level=level) for one in part]
        return part + by if level and isinstance(part, int) else part

    policy["gradings"] = {
        name: moved(grading, data.draw(st.sampled_from([0, 0, 1, -1, 2, 40])))
        for name, grading in policy["gradings"].items()
    }
    policy["version"] = version
    return json.dumps(policy)


@given(policies(currency="JPY"), histories(max_size=6), st.data())
@tries(150)
def test_whom_a_sweep_leaves_alone_fares_as_if_it_had_come_by(
    one: str, events: list[Event], data: st.DataObject
) -> None:
    """Levels moved, and nothing else: the same changes, each at its instant, and the same state."""
    note(one)
    first = first_edition(parse_policy(one, "a"))
    events = sorted(events, key=lambda event: event["record_ms"])
    places = data.draw(st.lists(st.integers(0, len(events) - 1), min_size=1, max_size=2))
    news: News = []
    for version, place in enumerate(sorted(places), start=2):
        other = with_other_levels(one, version, data)
        note(other)
        try:
            news.append((place, first_edition(parse_policy(other, "b"))))
        except PolicyFileError:
            reject()
    told, left_alone = spared(first, news, events)
    seen(f"{len(news)} policies, left alone: {left_alone}")
    assert told == lived(first, news, events, eager=True, restarts=True)


def check(changes: list[dict[str, Any]], first: Edition, second: Edition) -> None:
    """Check the chain rule through the change of policy, and the versions that changes name."""
    initial: dict[str, set[str | None]] = {}
    for edition in (first, second):
        for one in scorer_of(edition).plan.gradings:
            initial.setdefault(one.name, set()).add(one.initial)
    standing: dict[str, tuple[int, str | None]] = {}
    for change in changes:
        sequence, tier = standing.get(change["grading"], (0, None))
        assert change["sequence"] == sequence + 1
        assert change["from"] in (initial[change["grading"]] if sequence == 0 else {tier})
        standing[change["grading"]] = change["sequence"], change["to"]
        if change["cause"]["kind"] == "policy_changed":
            assert change["cause"]["event_id"] == "control"
            assert change["policy"]["name"] == second.policy["policy"]
    kept = {grading.name for grading in scorer_of(second).plan.gradings}
    for grading, (_, tier) in standing.items():
        assert grading in kept or tier is None
