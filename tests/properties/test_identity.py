"""A merged customer is what it would be had all its events carried one id from the beginning."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given, note
from hypothesis import strategies as st

from stream.outbox import CUSTOMER_TIERS
from tests.oracle.facts import DAY
from tests.properties.driver import plan_of
from tests.properties.histories import HOUR, histories
from tests.properties.policies import policies
from tests.properties.profiles import tries
from tests.properties.test_erasure import play
from tests.properties.village import Village

if TYPE_CHECKING:
    from stream.customer import Customer
    from tests.properties.families import Event

IDS = "abc"
MERGES = [
    [("a", "b")],
    [("a", "b"), ("c", "b")],
    [("a", "c"), ("c", "b")],
    [("c", "b"), ("a", "c")],
]


def forgetful(text: str) -> str:
    """Return a policy's text without anything by which a grade remembers how it came about."""

    def stripped(part: Any) -> Any:
        if isinstance(part, dict):
            return {k: stripped(v) for k, v in part.items() if k not in {"exit", "keep_days"}}
        return [stripped(one) for one in part] if isinstance(part, list) else part

    return json.dumps(stripped(json.loads(text)))


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """Return events of several ids: refunds of what another id paid, late, repeated, paid twice."""
    events = draw(histories())
    for event in events:
        event["customer_id"] = draw(st.sampled_from(IDS))
    for event in draw(st.lists(st.sampled_from(events), max_size=4)):
        again = event | {"record_ms": event["record_ms"] + draw(st.sampled_from([1, HOUR, DAY]))}
        if event["kind"] == "order.paid" and draw(st.booleans()):
            again |= {
                "event_id": f"{event['event_id']}-{draw(st.integers(0, 9))}",
                "customer_id": draw(st.sampled_from(IDS)),
            }
        events.append(again)
    events.sort(key=lambda event: event["record_ms"])
    # No two at one instant: of those nobody could say which came first.
    for before, event in pairwise(events):
        event["record_ms"] = max(event["record_ms"], before["record_ms"] + 1)
    return events


def control(kind: str, number: int, name: str, after: Event, **more: Any) -> Event:
    """Return a merge or a split right after another event."""
    at_ms = after["record_ms"]
    said = {"author": "kim", "reason": "the same person", "at_ms": at_ms, "record_ms": at_ms}
    return {"kind": kind, "event_id": f"i{number}", "customer_id": name, **said, **more}


def merge(number: int, name: str, into: str, after: Event) -> Event:
    """Return a control that merges one id into another."""
    return control("identity.merged", number, name, after, into=into)


def split(number: int, name: str, after: Event) -> Event:
    """Return a control that takes a merge back."""
    return control("identity.split", number, name, after)


def put(events: list[Event], moves: list[tuple[int, Event]]) -> list[Event]:
    """Return *events* with each move after the event at its place."""
    found = []
    for place, event in enumerate(events):
        found.append(event)
        found += [move for at, move in moves if at == place]
    return found


def facts(customer: Customer, now_ms: int) -> tuple[object, ...]:
    """Return everything that happened to a customer, under all of its ids."""
    customer.roll(now_ms)
    kinds = {kind: series.whole() for kind, series in customer.kinds.items()}
    return kinds, customer.attributes


@given(
    policies(refund_days=90).map(forgetful),
    logs(),
    st.sampled_from(MERGES),
    st.lists(st.integers(0, 30), min_size=2, max_size=2),
    st.integers(0, 20),
    st.randoms(use_true_random=False),
)
@tries(120)
def test_a_merged_customer_is_as_if_there_had_been_one_id(
    text: str,
    events: list[Event],
    merges: list[tuple[str, str]],
    places: list[int],
    silence: int,
    chance: Any,
) -> None:
    """Measures, grades and facts, whenever it was merged, in batches of any size, with restarts."""
    note(text)
    places = sorted(place % len(events) for place in places[: len(merges)])
    moves = [
        (place, merge(n, name, into, events[place]))
        for n, (place, (name, into)) in enumerate(zip(places, merges, strict=True))
    ]
    gone = {name for name, _ in merges}
    merged = put(events, moves)
    town, plain = Village(plan_of(text)), Village(plan_of(text))
    play(town, merged, chance)
    play(
        plain, [e | {"customer_id": "b"} if e["customer_id"] in gone else e for e in events], chance
    )
    assert [e for e in town.refused if e.startswith("i")] == []
    now_ms = events[-1]["record_ms"] + silence * DAY
    for each in (town, plain):
        each.wake(now_ms)
    found, wanted = town.customers(), plain.customers()
    for name in gone:
        assert [grade.tier for grade in found[name].grades] == [None] * len(found[name].grades)
    if "b" not in wanted:
        return
    assert found["b"].clock_ms <= now_ms
    assert town.figures(now_ms)["b"] == plain.figures(now_ms)["b"]
    assert facts(found["b"], now_ms) == facts(wanted["b"], now_ms)


@given(
    policies(refund_days=90).map(forgetful),
    logs(),
    st.sampled_from(MERGES),
    st.lists(st.integers(0, 30), min_size=4, max_size=4),
    st.randoms(use_true_random=False),
)
@tries(80)
def test_a_split_leaves_nothing_of_the_merge(
    text: str,
    events: list[Event],
    merges: list[tuple[str, str]],
    places: list[int],
    chance: Any,
) -> None:
    """Everyone's measures, grades and facts are those of a run in which nobody was merged."""
    note(text)
    count = len(merges)
    places = sorted(place % len(events) for place in places[: 2 * count])
    moves = [
        (place, merge(n, name, into, events[place]))
        for n, (place, (name, into)) in enumerate(zip(places[:count], merges, strict=True))
    ]
    again = chance.sample(merges, count)
    moves += [
        (place, split(9 + n, name, events[place]))
        for n, (place, (name, _)) in enumerate(zip(places[count:], again, strict=True))
    ]
    town, plain = Village(plan_of(text)), Village(plan_of(text))
    play(town, put(events, moves), chance)
    play(plain, events, chance)
    now_ms = events[-1]["record_ms"] + 5 * DAY
    for each in (town, plain):
        each.wake(now_ms)
    found, wanted = town.customers(), plain.customers()
    for name, customer in wanted.items():
        assert town.figures(now_ms)[name] == plain.figures(now_ms)[name], name
        assert facts(found[name], now_ms) == facts(customer, now_ms), name
        assert found[name].pending == customer.pending


@given(
    policies(refund_days=90).map(forgetful),
    logs(),
    st.integers(0, 30),
    st.randoms(use_true_random=False),
)
@tries(40)
def test_what_ids_tell_each_other_may_come_late_and_twice(
    text: str, events: list[Event], place: int, chance: Any
) -> None:
    """Once all of it has arrived, nothing shows in which order it did."""
    place %= len(events)
    merged = put(events, [(place, merge(0, "a", "b", events[place]))])
    town, plain = Village(plan_of(text)), Village(plan_of(text))
    for event in merged:
        town.apply(event)
    rows, town.under_way = town.under_way, []
    for row in [*chance.sample(rows, len(rows)), *chance.sample(rows, len(rows) // 2)]:
        town.deliver(row)
    play(plain, merged, chance)
    now_ms = events[-1]["record_ms"] + 5 * DAY
    for each in (town, plain):
        each.wake(now_ms)
    found, wanted = town.customers(), plain.customers()
    for name, customer in wanted.items():
        assert town.figures(now_ms)[name] == plain.figures(now_ms)[name], name
        assert facts(found[name], now_ms) == facts(customer, now_ms), name


@given(policies(), logs(), st.integers(0, 30), st.integers(0, 30))
@tries(40)
def test_chains_of_changes_go_on_through_merge_and_split(
    text: str, events: list[Event], first: int, second: int
) -> None:
    """Every change continues the last one; who is merged has no tier, no deadline, no warning."""
    note(text)
    places = sorted((first % len(events), second % len(events)))
    moves = [
        (places[0], merge(0, "a", "b", events[places[0]])),
        (places[1], split(1, "a", events[places[1]])),
    ]
    town = Village(plan_of(text))
    for event in put(events, moves):
        town.apply(event)
        town.deliver_all()
        merged = {name for name, one in town.customers().items() if one.withheld}
        assert merged <= {"a"}
        assert merged.isdisjoint(name for _, name, _ in town.store.due(range(3), 1 << 52, 9))
    standing: dict[tuple[str, str], tuple[int, str | None]] = {}
    for row in town.of_topic("tier-changes"):
        change = json.loads(row.value or b"")
        chain = change["customer_id"], change["grading"]
        sequence, tier = standing.get(chain, (0, change["from"]))
        assert (change["sequence"], change["from"]) == (sequence + 1, tier)
        standing[chain] = change["sequence"], change["to"]
        if change["cause"]["kind"] == "merged":
            assert change["cause"]["event_id"] in {"i0", "i1"}
    told = {row.key: json.loads(row.value or b"null") for row in town.of_topic(CUSTOMER_TIERS)}
    for name, customer in town.customers().items():
        if name.encode() in told:
            tiers = {
                g.name: s.tier for g, s in zip(town.plan.gradings, customer.grades, strict=True)
            }
            assert told[name.encode()]["grades"] == tiers
