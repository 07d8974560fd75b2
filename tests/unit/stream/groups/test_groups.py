"""Groups by hand: who counts where, what is told, and what a policy without groups leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.decode import Rejected
from stream.customer import decode, encode
from stream.groups.kin import News, Packed
from stream.groups.member_rows import MemberTold, decode_member, member_rows
from stream.outbox import TIER_CHANGES, decode_row
from stream.totals import Totals
from tests.properties.families import LINKED, World
from tests.unit.stream.policies import DAY, HOUR, bands, paid, policy

MEASURES = {
    "all": {"sum": "revenue", "window": "30d"},
    "own": {"sum": "revenue", "window": "30d"},
    "best": {"max": "gross", "window": "30d"},
}
GRADINGS = {"value": bands("all", gold=5.00), "alone": bands("own", gold=5.00)}
NOW = 1_000 * DAY


def link(number: int, member: str, parent: str, at_ms: int) -> dict[str, Any]:
    """Return a link told when it is made."""
    return {
        "event_id": f"l{number}",
        "kind": LINKED,
        "customer_id": member,
        "relation": "member_of",
        "target_id": parent,
        "at_ms": at_ms,
        "record_ms": at_ms,
    }


def told(world: World, *events: dict[str, Any]) -> None:
    """Apply events one by one, each told to the parents at once."""
    for event in events:
        world.apply(event)
        world.deliver_all()


def tiers(world: World, name: str) -> list[tuple[str, str | None, str, str | None, int]]:
    """Return a customer's changes: grading, tier, cause, event and instant since `NOW`."""
    return [
        (c.grading, c.after, c.cause.kind, c.cause.event_id, c.instant_ms - NOW)
        for c in world.members[name].changes
    ]


def test_a_parent_is_expected_to_buy_like_one_who_bought_on_all_of_its_members_days() -> None:
    """Lifetime value reads the purchases of everyone as one history."""
    measures: dict[str, Any] = {
        "expected": {
            "cltv": "bgnbd_gamma_gamma",
            "horizon": "365d",
            "purchases": {
                "r": "0.243",
                "alpha": "4.414",
                "a": "0.793",
                "b": "2.426",
                "time_unit": "weeks",
            },
            "spend": {"p": "6.25", "q": "3.74", "gamma": "15.44"},
        }
    }
    world = World(policy(measures, {"value": bands("expected", gold=5.00)}, groups={}), "abgo")
    told(world, link(1, "a", "g", NOW), link(2, "b", "g", NOW))
    for number, member in enumerate("aabab"):
        at_ms = NOW + (1 + 9 * number) * DAY
        told(world, paid(number, at_ms, 3_000 + number, customer_id=member))
        told(world, paid(90 + number, at_ms, 3_000 + number, customer_id="o"))
    then_ms = NOW + 60 * DAY
    expected = world.members["o"].measures(then_ms)
    assert expected["expected"] > 0
    assert world.members["g"].measures(then_ms) == expected


def test_a_parent_is_graded_by_its_members_and_by_itself_where_the_policy_says_so() -> None:
    """3.00 of a and 2.00 of b make gold; one's order leaves the window at its own instant."""
    world = World(policy(MEASURES, GRADINGS, groups={"measures": ["all", "best"]}), "abg")
    told(
        world,
        link(1, "a", "g", NOW),
        link(2, "b", "g", NOW),
        paid(1, NOW + HOUR, 300, customer_id="a"),
        paid(2, NOW + 2 * HOUR, 200, customer_id="b"),
    )
    parent = world.members["g"]
    assert parent.measures(NOW + 2 * HOUR) == {"all": 500, "own": 0, "best": 300}
    parent.wake(NOW + 40 * DAY)
    assert tiers(world, "g") == [
        ("value", "floor", "profile", "l1", 0),
        ("alone", "floor", "profile", "l1", 0),
        ("value", "gold", "order", "p2", 2 * HOUR),
        ("value", "floor", "time", None, 30 * DAY + HOUR),
    ]


def test_a_customer_takes_its_users_along_when_it_moves() -> None:
    """User u of customer c: both groups change at the instant of the move, in one step each."""
    world = World(policy(MEASURES, GRADINGS, groups={}), "ucgh")
    told(
        world,
        link(1, "u", "c", NOW),
        link(2, "c", "g", NOW),
        paid(1, NOW, 400, customer_id="u"),
        paid(2, NOW, 100, customer_id="c"),
        link(3, "c", "h", NOW + HOUR),
    )
    later = NOW + HOUR
    assert world.members["g"].measures(later) == {"all": 0, "own": 0, "best": None}
    assert world.members["h"].measures(later) == {"all": 500, "own": 500, "best": 400}
    assert tiers(world, "h")[0] == ("value", "gold", "profile", "l3", HOUR)
    assert tiers(world, "g")[-2:] == [
        ("value", "floor", "profile", "l3", HOUR),
        ("alone", "floor", "profile", "l3", HOUR),
    ]


def test_a_link_to_oneself_ends_the_membership_and_an_old_link_changes_nothing() -> None:
    world = World(policy(MEASURES, GRADINGS, groups={}), "agh")
    old = link(3, "a", "h", NOW - DAY) | {"record_ms": NOW + DAY}
    told(world, link(1, "a", "g", NOW), paid(1, NOW, 500, customer_id="a"), old)
    assert world.members["g"].measures(NOW + DAY)["all"] == 500
    told(world, link(2, "a", "a", NOW + 2 * DAY))
    assert world.members["g"].measures(NOW + 2 * DAY)["all"] == 0


def test_a_member_that_leaves_with_several_kinds_of_events_takes_its_deadlines_along() -> None:
    """6.00 of the group's own are gold until day 30; with a's 5.00 they were until day 50."""
    measures = {**MEASURES, "complaints": {"count": "complaint", "window": "90d"}}
    gradings = {**GRADINGS, "care": bands("complaints", rescue=9)}
    world = World(policy(measures, gradings, groups={"measures": ["all", "complaints"]}), "ag")
    at_ms = NOW + 20 * DAY
    complaint = {"event_id": "i1", "kind": "complaint", "customer_id": "a"}
    told(
        world,
        link(1, "a", "g", NOW),
        paid(1, NOW, 600, customer_id="g"),
        paid(2, at_ms, 500, customer_id="a"),
        complaint | {"at_ms": at_ms, "record_ms": at_ms},
        link(2, "a", "a", NOW + 25 * DAY),
    )
    world.members["g"].wake(NOW + 40 * DAY)
    assert ("value", "floor", "time", None, 30 * DAY) in tiers(world, "g")


def test_the_place_of_a_customer_outlives_a_policy_without_groups() -> None:
    """Nothing is counted meanwhile, and what was known is not forgotten."""
    grouped, plain = policy(MEASURES, GRADINGS, groups={}), policy(MEASURES, GRADINGS)
    world = World(grouped, "ag")
    told(world, link(1, "a", "g", NOW), paid(1, NOW, 500, customer_id="a"))
    stored = encode(world.members["g"].customer, grouped.shape)
    without = decode("g", stored, plain.shape)
    without.roll(NOW)
    assert plain.read(without, NOW)[0] == 0
    again = decode("g", encode(without, plain.shape), grouped.shape)
    again.roll(NOW)
    assert grouped.read(again, NOW)[0] == 500


def test_news_that_are_too_much_for_one_record_come_in_several() -> None:
    """Each is at most half a megabyte, in order and with nothing missing."""
    series = [Packed("orders", Totals(count=1), bytes(52_000), [NOW, 1, 0, 0, 0, 0, 0])]
    news = [News(("c", f"u{n}"), (1, 1, n), series) for n in range(25)]
    rows = [decode_row(row) for row in member_rows("g", "l1", news, NOW, 7)]
    assert len(rows) == 3
    assert all(len(row.value or b"") < 550_000 for row in rows)
    told = [decode_member(row.value) for row in rows]
    assert [one for each in told if isinstance(each, MemberTold) for one in each.news] == news
    assert {(row.key, row.timestamp_ms) for row in rows} == {(b"g", NOW)}


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\x93\x01\xa1g\xc0"])
def test_what_no_worker_has_written_is_refused(value: bytes | None) -> None:
    with pytest.raises(Rejected):
        decode_member(value)


def test_members_are_told_nothing_and_customers_without_a_parent_tell_nobody() -> None:
    world = World(policy(MEASURES, GRADINGS, groups={}), "ag")
    world.apply(paid(1, NOW, 500, customer_id="g"))
    assert not world.under_way
    world.apply(link(1, "a", "g", NOW))
    assert [row.key for row in world.under_way] == [b"g"]
    assert all(row.topic != TIER_CHANGES for row in world.under_way)
