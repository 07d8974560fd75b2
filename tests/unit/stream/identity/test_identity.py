"""Merging and splitting by hand: what moves, who is graded, and what erasure and consent do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from schemas.records import CustomerErase
from stream.counterfactual import WhatIf
from stream.fold import Scorer
from stream.groups.member_rows import PartTold, decode_member
from stream.outbox import CUSTOMER_TIERS, ERASURE_RECEIPTS, TIER_CHANGES, TIER_FORECASTS
from tests.properties.village import Village
from tests.unit.stream.policies import DAY, HOUR, bands, cancelled, paid, policy, refunded

if TYPE_CHECKING:
    from stream.plan import Plan

MEASURES: dict[str, Any] = {
    "all": {"sum": "revenue", "window": "30d"},
    "count": {"count": "orders"},
    "trade": {"attribute": "industry", "type": "text"},
}
GRADINGS = {"value": bands("all", gold=5.00)}
NOW = 1_000 * DAY
PLAN = policy(MEASURES, GRADINGS, refund_days=20)


def said(kind: str, number: int, name: str, at_ms: int, **more: Any) -> dict[str, Any]:
    """Return a control or a word of a customer, told when it happens."""
    event = {"kind": kind, "event_id": f"i{number}", "customer_id": name}
    return event | {"at_ms": at_ms, "record_ms": at_ms} | more


def merge(number: int, name: str, into: str, at_ms: int = NOW) -> dict[str, Any]:
    """Return a merge."""
    decided = {"author": "kim", "reason": "the same person"}
    return said("identity.merged", number, name, at_ms, into=into, **decided)


def split(number: int, name: str, at_ms: int) -> dict[str, Any]:
    """Return a split."""
    return said("identity.split", number, name, at_ms, author="kim", reason="not the same")


def erase(number: int, name: str, at_ms: int) -> dict[str, Any]:
    """Return a request to erase."""
    return said("customer.erase", number, name, at_ms, reason="asked")


def told(plan: Plan, *events: dict[str, Any]) -> Village:
    """Apply events one by one, each told to the other ids at once."""
    town = Village(plan)
    tell(town, *events)
    return town


def tell(town: Village, *events: dict[str, Any]) -> None:
    """Go on in the same way."""
    for event in events:
        town.apply(event)
        town.deliver_all()


def measured(town: Village, name: str, at_ms: int) -> dict[str, Any]:
    """Return a customer's measures."""
    found: Any = town.figures(at_ms)[name][0]
    return dict(found)


def changes(town: Village, name: str) -> list[tuple[str | None, str | None, str, str | None, int]]:
    """Return a customer's changes: from, to, cause, event and instant since `NOW`."""
    found = [json.loads(row.value or b"") for row in town.of_topic(TIER_CHANGES)]
    rows = [row.timestamp_ms for row in town.of_topic(TIER_CHANGES)]
    return [
        (c["from"], c["to"], c["cause"]["kind"], c["cause"]["event_id"], at_ms - NOW)
        for c, at_ms in zip(found, rows, strict=True)
        if c["customer_id"] == name
    ]


def test_what_two_ids_have_is_graded_as_one_from_the_merge_on() -> None:
    """3.00 and 2.00 are gold, at the instant of the merge and by that cause, like what follows."""
    town = told(
        PLAN,
        paid(1, NOW - DAY, 300, customer_id="a"),
        paid(2, NOW - DAY, 200, customer_id="b"),
        merge(1, "a", "b"),
        refunded(1, NOW + HOUR, 100, customer_id="a"),
        paid(3, NOW + 2 * HOUR, 100, customer_id="a"),
    )
    assert changes(town, "a") == [
        (None, "floor", "order", "p1", -DAY),
        ("floor", None, "merged", "i1", 0),
    ]
    assert changes(town, "b") == [
        (None, "floor", "order", "p2", -DAY),
        ("floor", "gold", "merged", "i1", 0),
        ("gold", "floor", "merged", "i1", HOUR),
        ("floor", "gold", "merged", "i1", 2 * HOUR),
    ]
    last = {row.key: json.loads(row.value or b"") for row in town.of_topic(CUSTOMER_TIERS)}
    assert last[b"a"]["grades"] == {"value": None}
    assert last[b"b"]["grades"] == {"value": "gold"}


def test_after_a_split_each_is_graded_by_its_own_events() -> None:
    town = told(
        PLAN,
        paid(1, NOW - DAY, 500, customer_id="a"),
        paid(2, NOW - DAY, 200, customer_id="b"),
        merge(1, "a", "b"),
        split(2, "a", NOW + HOUR),
        paid(3, NOW + 2 * HOUR, 700, customer_id="a"),
    )
    assert changes(town, "a")[-1] == (None, "gold", "merged", "i2", HOUR)
    assert changes(town, "b")[-1] == ("gold", "floor", "merged", "i2", HOUR)
    assert measured(town, "b", NOW + DAY)["all"] == 200
    tell(town, merge(3, "a", "b", NOW + 3 * HOUR))
    assert measured(town, "b", NOW + DAY) == {"all": 1_400, "count": 3, "trade": None}


@pytest.mark.parametrize("payer", ["a", "b"])
@pytest.mark.parametrize("merged_first", [True, False])
def test_a_refund_under_one_id_finds_the_order_of_the_other(
    payer: str,
    merged_first: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Before or after the merge, never beyond what was paid, and for good."""
    other = "b" if payer == "a" else "a"
    told_of = [refunded(1, NOW - HOUR, 30, customer_id=other), merge(1, "a", "b")]
    town = told(
        PLAN,
        paid(1, NOW - DAY, 100, customer_id=payer),
        *(told_of[::-1] if merged_first else told_of),
    )
    assert measured(town, "b", NOW)["all"] == 70
    tell(town, refunded(1, NOW + 1, 500, event_id="r2", customer_id=payer))
    assert measured(town, "b", NOW + 1) == {"all": 0, "count": 1, "trade": None}
    # Beyond the reach of refunds both let go of what they knew.
    later = NOW + 25 * DAY
    tell(town, paid(7, later, 5, customer_id="a"), paid(8, later, 6, customer_id="b"))
    tell(town, refunded(9, later, 5, customer_id="a"), refunded(9, later, 5, customer_id="b"))
    town.restart()
    tell(town, paid(10, later, 7, customer_id="a"), paid(11, later, 9, customer_id="b"))
    assert measured(town, "b", later)["all"] == 27


def test_an_order_paid_under_both_ids_counts_once_and_a_cancellation_under_either_ends_it() -> None:
    both = [paid(1, NOW - DAY, 100, customer_id=name, event_id=f"p-{name}") for name in "ab"]
    town = told(PLAN, *both, merge(1, "a", "b"))
    assert measured(town, "b", NOW) == {"all": 100, "count": 1, "trade": None}
    tell(town, cancelled(1, NOW + 1, customer_id="a"))
    assert measured(town, "b", NOW + 1) == {"all": 0, "count": 0, "trade": None}
    tell(town, split(2, "a", NOW + 2))
    assert measured(town, "b", NOW + 2)["count"] == 1


def test_of_attributes_the_newest_word_counts_whichever_id_said_it() -> None:
    """Also a removal; and afterwards each has its own again."""

    def word(number: int, name: str, at_ms: int, trade: str | None) -> dict[str, Any]:
        return said("profile.changed", number, name, at_ms, attributes={"industry": trade})

    town = told(
        PLAN,
        word(10, "b", NOW - 3, "steel"),
        word(11, "a", NOW - 2, "glass"),
        merge(1, "a", "b"),
    )
    found = [measured(town, "b", NOW)["trade"]]
    steps = [
        word(12, "b", NOW + 1, "paper"),
        word(13, "a", NOW + 2, "wood"),
        word(14, "b", NOW + 3, None),
        word(15, "a", NOW + 4, "tin"),
    ]
    for step in steps:
        tell(town, step)
        found.append(measured(town, "b", NOW + 4)["trade"])
    town.restart()
    assert found == ["glass", "paper", "wood", None, "tin"]
    tell(town, split(2, "a", NOW + 5))
    assert measured(town, "b", NOW + 5)["trade"] is None
    assert measured(town, "a", NOW + 5)["trade"] == "tin"


def test_what_cannot_be_merged_or_split_is_refused() -> None:
    """Into itself, twice, in a circle; and a split of who was not merged."""
    town = told(
        PLAN,
        merge(1, "a", "a"),
        split(2, "a", NOW),
        merge(3, "a", "b", NOW + 1),
        merge(4, "a", "c", NOW + 2),
        merge(5, "b", "a", NOW + 3),
        merge(6, "b", "c", NOW + 4),
        merge(7, "c", "a", NOW + 5),
        paid(1, NOW + 6, 100, customer_id="a"),
    )
    assert town.refused == ["i1", "i2", "i4", "i5", "i7"]
    assert measured(town, "c", NOW + 6)["all"] == 100


@pytest.mark.parametrize("first", ["a", "b"])
def test_of_two_merges_against_each_other_the_earlier_one_stands(first: str) -> None:
    """Whatever is told first, and for what comes later; the other can be merged elsewhere."""
    second = "b" if first == "a" else "a"
    town = Village(PLAN)
    town.apply(paid(1, NOW - DAY, 100, customer_id="a"), paid(2, NOW - DAY, 200, customer_id="b"))
    town.apply(merge(1, first, second), merge(2, second, first, NOW + 1))
    town.deliver_all()
    tell(town, paid(3, NOW + 2, 7, customer_id=first), paid(4, NOW + 2, 9, customer_id=second))
    assert measured(town, second, NOW + 2) == {"all": 316, "count": 4, "trade": None}
    assert {name for name, one in town.customers().items() if one.withheld} == {first}
    tell(town, merge(3, second, "c", NOW + 3))
    assert measured(town, "c", NOW + 3)["all"] == 316
    assert town.refused == []


def test_a_chain_is_told_link_by_link_and_comes_apart_in_any_order() -> None:
    town = told(
        PLAN,
        *(paid(n, NOW - DAY, 100 * n, customer_id=name) for n, name in enumerate("abc", 1)),
        merge(1, "b", "c"),
        merge(2, "a", "b", NOW + 1),
    )
    assert measured(town, "c", NOW + 1) == {"all": 600, "count": 3, "trade": None}
    tell(town, split(3, "b", NOW + 2))
    assert measured(town, "c", NOW + 2)["all"] == 300
    assert measured(town, "b", NOW + 2)["all"] == 300
    tell(town, merge(4, "b", "c", NOW + 3), split(5, "a", NOW + 4))
    assert [measured(town, name, NOW + 4)["all"] for name in "abc"] == [100, 200, 500]


def test_an_erased_part_leaves_the_whole_as_if_it_had_never_been() -> None:
    """Its id is nowhere, and the whole is graded without it."""
    town = told(
        PLAN,
        paid(1, NOW - DAY, 500, customer_id="anna-4711", event_id="anna-4711:p"),
        paid(2, NOW - DAY, 200, customer_id="bert"),
        refunded(1, NOW - HOUR, 50, customer_id="bert"),
        merge(1, "anna-4711", "bert"),
        erase(2, "anna-4711", NOW + 1),
    )
    assert b"anna-4711" not in town.everything()
    assert measured(town, "bert", NOW + 1)["all"] == 200
    tell(town, paid(3, NOW + 2, 500, customer_id="anna-4711"))
    assert measured(town, "bert", NOW + 2)["all"] == 200
    assert measured(town, "anna-4711", NOW + 2)["all"] == 500
    tell(town, merge(3, "anna-4711", "bert", NOW + 3))
    assert measured(town, "bert", NOW + 3)["all"] == 700


def test_with_the_whole_everything_that_was_merged_into_it_is_erased() -> None:
    """Along a chain; each has a receipt of its own and a tombstone, and repeats do nothing more."""
    names = ["anna-4711", "bert-4712", "cleo-4713"]
    town = told(
        PLAN,
        *(paid(n, NOW - DAY, 100, customer_id=name) for n, name in enumerate(names)),
        merge(1, names[0], names[1]),
        merge(2, names[1], names[2], NOW + 1),
    )
    town.apply(erase(3, names[2], NOW + 2))
    rows = list(town.under_way)
    town.deliver_all()
    for row in rows:
        town.deliver(row)
    town.deliver_all()
    assert not any(name.encode() in town.everything() for name in names)
    assert town.customers() == {}
    assert len(town.of_topic(ERASURE_RECEIPTS)) == 3
    last = {row.key: row.value for row in town.of_topic(CUSTOMER_TIERS)}
    assert last == {name.encode(): None for name in names}


def test_a_part_that_was_merged_into_a_life_that_ended_goes_with_it() -> None:
    """Also where the whole had not heard of it yet."""
    town = Village(PLAN)
    town.apply(paid(1, NOW - DAY, 100, customer_id="a"), merge(1, "a", "b"))
    town.apply(erase(2, "b", NOW + 1))
    town.apply(paid(2, NOW + 2, 700, customer_id="b"))
    town.deliver_all()
    assert {name: measured(town, name, NOW + 2)["all"] for name in town.customers()} == {"b": 700}
    assert len(town.of_topic(ERASURE_RECEIPTS)) == 2


def test_an_id_that_forbids_being_scored_counts_for_nobody() -> None:
    """Until it allows it again; what the whole says of consent is about all of it."""
    town = told(
        PLAN,
        paid(1, NOW - DAY, 500, customer_id="a"),
        paid(2, NOW - DAY, 200, customer_id="b"),
        merge(1, "a", "b"),
        said("consent.changed", 2, "a", NOW + 1, scoring=False),
    )
    assert measured(town, "b", NOW + 1)["all"] == 200
    tell(town, said("consent.changed", 3, "a", NOW + 2, scoring=True))
    assert measured(town, "b", NOW + 2)["all"] == 700
    assert [grade.tier for grade in town.customers()["a"].grades] == [None]
    tell(town, said("consent.changed", 4, "b", NOW + 3, scoring=False))
    assert [grade.tier for grade in town.customers()["b"].grades] == [None]


def test_a_parent_counts_a_merged_member_through_the_id_that_stays() -> None:
    """Once, although both belong to it; and both again after the split."""
    plan = policy(MEASURES, GRADINGS, groups={})
    links = [
        said("identity.linked", n, name, NOW - HOUR, relation="member_of", target_id="g")
        for n, name in enumerate("ab", 10)
    ]
    town = told(
        plan,
        *links,
        paid(1, NOW - DAY, 500, customer_id="a"),
        paid(2, NOW - DAY, 200, customer_id="b"),
        paid(3, NOW - DAY, 50, customer_id="u"),
        said("identity.linked", 12, "u", NOW - HOUR, relation="user_of", target_id="b"),
        merge(1, "a", "b"),
    )
    assert [measured(town, name, NOW)["all"] for name in "bg"] == [750, 750]
    tell(town, paid(4, NOW + 1, 30, customer_id="a"), paid(5, NOW + 2, 3, customer_id="u"))
    town.restart()
    tell(town, refunded(4, NOW + 3, 10, customer_id="b"))
    assert [measured(town, name, NOW + 3)["all"] for name in "bg"] == [773, 773]
    tell(town, split(2, "a", NOW + 4))
    assert [measured(town, name, NOW + 4)["all"] for name in "abg"] == [530, 253, 783]


def test_a_merged_customer_is_warned_of_nothing_any_more() -> None:
    """The warning that is open is withdrawn; the whole is warned by what both have."""
    plan = policy(MEASURES, GRADINGS, forecasts={"lead_days": 7, "gradings": ["value"]})
    town = told(plan, paid(1, NOW - 25 * DAY, 500, customer_id="a"))
    town.wake(NOW - DAY)
    tell(town, merge(1, "a", "b"))
    found = [json.loads(row.value or b"") for row in town.of_topic(TIER_FORECASTS)]
    assert [(one["customer_id"], one["status"]) for one in found] == [
        ("a", "at_risk"),
        ("a", "withdrawn"),
        ("b", "at_risk"),
    ]


def test_what_would_change_a_tier_is_tried_on_everything_that_the_ids_have() -> None:
    """The newest day with orders is the other id's: 1.01 of it refunded costs the gold."""
    town = told(
        PLAN,
        paid(1, NOW - DAY, 300, customer_id="a"),
        paid(2, NOW - 3 * DAY, 300, customer_id="b"),
        merge(1, "a", "b"),
    )
    what_if = WhatIf(Scorer(PLAN), town.customers()["b"], NOW)
    assert what_if.returnable == 300
    assert [what_if.returned(amount).tiers for amount in (100, 101)] == [["gold"], ["floor"]]
    assert what_if.paid(50, 2).values[0] == 700


def test_a_pin_of_the_id_that_goes_waits_for_its_return() -> None:
    pin = {"grading": "value", "tier": "gold", "author": "kim", "reason": "promised"}
    town = told(
        PLAN,
        paid(1, NOW - DAY, 1, customer_id="a"),
        paid(2, NOW - DAY, 1, customer_id="b"),
        said("tier.pinned", 5, "a", NOW - 1, **pin),
        merge(1, "a", "b"),
        split(2, "a", NOW + 1),
    )
    assert [to for _, to, *_ in changes(town, "a")] == ["floor", "gold", None, "gold"]
    assert [to for _, to, *_ in changes(town, "b")] == ["floor"]


def test_what_ids_tell_each_other_reads_back_as_it_was_written() -> None:
    town = Village(PLAN)
    town.apply(paid(1, NOW, 100, customer_id="a"), merge(1, "a", "b"))
    (row,) = town.under_way
    told_of = decode_member(row.value)
    assert isinstance(told_of, PartTold)
    assert (told_of.customer_id, told_of.cause, told_of.merged_ms) == ("b", "i1", NOW)
    assert [(news.path, news.versions) for news in told_of.parts] == [(("a",), (1, 2))]
    town.deliver_all()
    town.apply(erase(2, "b", NOW + 1))
    (request,) = map(decode_member, [row.value for row in town.under_way])
    assert isinstance(request, CustomerErase)
    assert (request.customer_id, request.event_id, request.reason) == ("a", "i2", "asked")
