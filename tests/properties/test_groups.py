"""A parent's measures and grades are those of all its members together, at every instant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import given, note
from hypothesis import strategies as st

from tests.oracle.facts import DAY, Policy
from tests.properties.driver import plan_of
from tests.properties.families import LINKED, GroupHistory, Sums, World, families
from tests.properties.policies import policies
from tests.properties.profiles import tries

if TYPE_CHECKING:
    from stream.changes import Change
    from tests.properties.families import Event

PEOPLE = "abcdef"
FLAT = "abgh"


def with_groups(text: str, **groups: Any) -> str:
    """Return a policy's text with groups."""
    return json.dumps({**json.loads(text), "groups": groups})


def world_of(text: str, people: str) -> tuple[World, Sums]:
    """Return the pure core and the recomputation under the same policy."""
    return World(plan_of(text), people), Sums(Policy(yaml.safe_load(text)), people)


def check_measures(world: World, sums: Sums, now: int) -> None:
    """Everyone's measures are the brute-force sums over everyone below."""
    for name, run in world.members.items():
        at = max(now, run.customer.clock_ms)
        assert run.measures(at) == sums.facts(name).measures(at), name


@given(policies().map(with_groups), families(PEOPLE, PEOPLE, PEOPLE), st.lists(st.integers(0, 600)))
@tries(60)
def test_the_sum_of_the_members_is_the_parent_at_every_instant(
    text: str, events: list[Event], hours: list[int]
) -> None:
    """Moves, circles and several levels included; told at once, as an offline replay does."""
    note(text)
    world, sums = world_of(text, PEOPLE)
    for event in events:
        world.apply(event)
        world.deliver_all()
        sums.apply(event)
        check_measures(world, sums, event["record_ms"])
    for hour in hours:
        check_measures(world, sums, events[-1]["record_ms"] + hour * 3_600_000)


@given(
    policies().map(with_groups), families(PEOPLE, PEOPLE, PEOPLE), st.randoms(use_true_random=False)
)
@tries(60)
def test_what_parents_are_told_may_come_late_twice_and_in_any_order(
    text: str, events: list[Event], chance: Any
) -> None:
    """Once all of it has arrived, the sums are right; batches of any size, restarts between."""
    note(text)
    world, sums = world_of(text, PEOPLE)
    delivered = []
    rest = list(events)
    while rest or world.under_way:
        if rest and chance.random() < 0.5:
            size = chance.randint(1, 4)
            world.apply(*rest[:size])
            for event in rest[:size]:
                sums.apply(event)
            rest = rest[size:]
        elif world.under_way:
            row = world.under_way.pop(chance.randrange(len(world.under_way)))
            delivered.append(row)
            world.deliver(row)
        if delivered and chance.random() < 0.3:
            world.deliver(chance.choice(delivered))
        if chance.random() < 0.2:
            world.members[chance.choice(PEOPLE)].reload()
    check_measures(world, sums, events[-1]["record_ms"])
    check_measures(world, sums, events[-1]["record_ms"] + chance.randint(0, 20) * DAY)


@given(policies().map(with_groups), families(FLAT, "ab", "gh"), st.integers(0, 20))
@tries(100)
def test_a_parents_grades_are_those_of_a_recomputation(
    text: str, events: list[Event], silence: int
) -> None:
    """Every change of everyone and its instant, deadlines that members bring along included."""
    note(text)
    world, sums = world_of(text, FLAT)
    histories = {name: GroupHistory(sums.policy, name) for name in FLAT}
    for event in events:
        name = event["customer_id"]
        before = sums.parent(name)
        world.apply(event)
        world.deliver_all()
        if not sums.apply(event):
            continue
        for touched in {name, before, sums.parent(name)} - {None}:
            histories[str(touched)].becomes(event["record_ms"], sums.facts(str(touched)))
    end = events[-1]["record_ms"] + silence * DAY
    for name, run in world.members.items():
        run.wake(end)
        histories[name].advance(end)
        assert turned(run.changes) == [turn[:6] for turn in sorted(histories[name].turns)], name
        assert run.grades() == histories[name].grades()


@given(policies(), families(PEOPLE, PEOPLE, PEOPLE))
@tries(30)
def test_without_groups_links_change_nothing(text: str, events: list[Event]) -> None:
    """The same bytes in the store and on the wire as if nobody were linked."""
    linked, alone = World(plan_of(text), PEOPLE), World(plan_of(text), PEOPLE)
    for event in events:
        linked.apply(event)
        if event["kind"] != LINKED:
            alone.apply(event)
    assert not linked.under_way
    for name in PEOPLE:
        assert linked.members[name].states == alone.members[name].states
        assert linked.members[name].payloads() == alone.members[name].payloads()


def turned(changes: list[Change]) -> list[tuple[Any, ...]]:
    """Return changes as the oracle gives them, without cause and score."""
    return sorted(
        (c.instant_ms, c.customer_id, c.grading, c.sequence, c.before, c.after) for c in changes
    )
