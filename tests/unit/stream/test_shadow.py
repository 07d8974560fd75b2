"""A policy that runs beside the one in force: what is told of it, refused, kept and forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.decode import Rejected, decode_control
from schemas.tier_differences import TierDifferences
from stream.beginnings import beginning
from stream.customer import unpack
from stream.editions import (
    cuts_moved,
    decode_book,
    first_edition,
    policy_published,
    scorer_of,
    shadow_ended,
    shadow_started,
)
from stream.migration import Divergence
from tests.unit.stream.policies import DAY, bands
from tests.unit.stream.test_editions import SPENT, T0, VALUE, Site, document, order

CHEAPER = {"value": bands("spent", gold=4)}
VISITS = SPENT | {"visits": {"count": "visit"}}
BUSY = {"value": bands("spent", gold=10), "busy": bands("visits", yes=1)}


def beside(*, measures: Any = None, gradings: Any = None, at_ms: int = T0 + DAY) -> Any:
    """Return what lets version 2 run beside: gold costs 4 there, unless said otherwise."""
    rival = document(2, measures or SPENT, gradings or CHEAPER)
    return shadow_started(rival, at_ms, "shadow")


def visit(number: int, at_ms: int, customer: str = "c1") -> dict[str, Any]:
    """Return a visit."""
    return {
        "kind": "visit",
        "event_id": f"v{number}",
        "customer_id": customer,
        "at_ms": at_ms,
        "record_ms": at_ms,
    }


def test_only_a_difference_is_told_and_taken_back_once_both_agree() -> None:
    """5.00 are gold beside, not yet in force; 10.00 are gold in both."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0), order(2, T0, 300, customer="c2"))
    site.begin(beside())
    site.sweep(T0 + DAY)
    ((customer, told),) = site.differences
    assert customer == "c1"
    TierDifferences.model_validate_json(json.dumps(told))
    assert told == {
        "customer_id": "c1",
        "instant": "1997-01-02T00:00:00.000Z",
        "differences": {
            "value": {"live": "floor", "shadow": "gold", "since": "1997-01-02T00:00:00.000Z"}
        },
        "policy": {"name": "unit", "version": 1},
        "shadow": {"name": "unit", "version": 2},
    }
    site.take(order(3, T0 + 2 * DAY))
    assert site.differences[1:] == [("c1", None)]
    # c1 is gold in both, and then lost by both at one instant: nothing to tell.
    site.sweep(T0 + 40 * DAY)
    assert len(site.differences) == 2
    assert [move[:3] for move in site.moves() if move[0] == "value"] == [
        ("value", None, "floor"),
        ("value", None, "floor"),
        ("value", "floor", "gold"),
        ("value", "gold", "floor"),
    ]


def test_a_difference_that_comes_by_time_alone_is_told_at_its_instant() -> None:
    """Gold beside ends when the order leaves its window, with nobody ordering anything."""
    site = Site(document(1, SPENT, VALUE))
    site.begin(beside())
    site.take(order(1, T0 + 2 * DAY))
    customer = site.bucket.customers["c1"]
    assert customer.shadow is not None
    assert customer.shadow.customer.due_ms == T0 + 32 * DAY
    site.restart()
    site.bucket.adopt("c1", site.states["c1"])
    site.bucket.wake("c1", T0 + 32 * DAY)
    site.commit(None)
    assert [told is None for _, told in site.differences] == [False, True]


def test_facts_that_both_keep_alike_are_stored_once() -> None:
    """What only the other policy reads is kept beside, and nothing of orders is."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    alone = len(site.states["c1"])
    site.begin(beside(measures=VISITS, gradings=BUSY))
    site.take(visit(1, T0 + 2 * DAY), visit(1, T0 + 2 * DAY))
    stored = unpack(site.states["c1"]).shadow
    assert stored is not None
    series = dict(stored.series)
    assert series["orders"] is None
    assert series["visit"] is not None
    assert stored.attributes is None
    assert stored.pending is None
    assert len(site.states["c1"]) < 2.5 * alone
    site.restart()
    site.take(visit(2, T0 + 3 * DAY))
    shadow = site.bucket.customers["c1"].shadow
    assert shadow is not None
    assert shadow.customer.kinds["visit"].totals.count == 2, "a repeat counts once"


def test_whom_only_the_shadow_has_heard_of_is_forgotten_with_it() -> None:
    """No tier is told, and nothing is left."""
    site = Site(document(1, SPENT, VALUE))
    site.begin(beside(measures=VISITS, gradings=BUSY))
    site.take(visit(1, T0 + 2 * DAY))
    assert site.differences[-1][1] is not None
    assert not site.tiers
    site.restart()
    site.begin(shadow_ended(T0 + 3 * DAY, "over"))
    site.sweep(T0 + 3 * DAY)
    assert site.differences[-1] == ("c1", None)
    assert not site.states
    assert not site.rows


def test_another_policy_beside_takes_the_place_of_the_first() -> None:
    """What was told of the one is replaced by what there is to tell of the other."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0), order(2, T0, 300, customer="c2"))
    site.begin(beside())
    site.sweep(T0 + DAY)
    third = document(3, SPENT, {"value": bands("spent", gold=2, silver=1)})
    site.begin(shadow_started(third, T0 + 2 * DAY, "third"))
    site.sweep(T0 + 2 * DAY)
    told = {customer: said["shadow"]["version"] for customer, said in site.differences if said}
    assert told == {"c1": 3, "c2": 3}
    dear = document(4, SPENT, VALUE)
    site.begin(shadow_started(dear, T0 + 3 * DAY, "fourth"))
    site.sweep(T0 + 3 * DAY)
    assert sorted(site.differences[-2:]) == [("c1", None), ("c2", None)]


def test_another_policy_that_is_published_ends_the_shadow() -> None:
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    site.begin(beside())
    site.begin(policy_published(document(3, SPENT, VALUE), T0 + 2 * DAY, "third"))
    site.sweep(T0 + 2 * DAY)
    assert site.bucket.customers["c1"].shadow is None
    assert site.moves() == [("value", None, "floor", 1, "order")]


def test_what_is_promoted_goes_on_with_what_its_shadow_has_gathered() -> None:
    """A visit that the old policy never read counts; tiers change once, with the policy's cause."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    site.begin(beside(measures=VISITS, gradings=BUSY))
    site.take(visit(1, T0 + 2 * DAY))
    site.restart()
    site.begin(policy_published(document(2, VISITS, BUSY), T0 + 3 * DAY, "promoted"))
    site.sweep(T0 + 3 * DAY)
    assert site.moves() == [
        ("value", None, "floor", 1, "order"),
        ("busy", None, "yes", 1, "policy_changed"),
    ]
    assert site.differences[-1] == ("c1", None)


def test_an_erased_customer_leaves_the_differences_too() -> None:
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    site.begin(beside())
    site.sweep(T0 + DAY)
    erase = {"kind": "customer.erase", "event_id": "x", "reason": "asked"}
    at_ms = T0 + 2 * DAY
    site.take(erase | {"customer_id": "c1", "at_ms": at_ms, "record_ms": at_ms})
    assert site.differences[-1] == ("c1", None)
    site.take(order(2, T0 + 3 * DAY))
    assert site.differences[-1][1] is not None, "a new life has a shadow as well"


def test_cuts_that_move_leave_the_shadow_as_it_is() -> None:
    """Nobody loses a shadow, or gets another, because a boundary of the other policy has moved."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    site.begin(beside())
    site.sweep(T0 + DAY)
    shadow = decode_book(site.editions).editions[-1].shadow
    event = {
        "event_id": "census",
        "occurred_at": "1997-01-03T00:00:00Z",
        "kind": "population.cuts",
        "policy": "unit",
        "version": 1,
        "cuts": {"value.spent": [400]},
        "customers": {"value.spent": 1},
    }
    control: Any = decode_control(json.dumps(event).encode())
    site.begin(cuts_moved(control, T0 + 2 * DAY))
    site.sweep(T0 + 2 * DAY)
    (edition,) = decode_book(site.editions).editions
    assert (edition.cause, edition.shadow) == ("boundary_moved", shadow)
    assert len(site.differences) == 1
    assert site.bucket.customers["c1"].shadow is not None


@pytest.mark.parametrize(
    ("own", "rival", "detail"),
    [
        ({}, {"groups": {}}, "policy.groups: allowed: none"),
        ({"groups": {}}, {}, "policy.groups: allowed: a policy that runs beside"),
        ({"refund_days": 30}, {"refund_days": 31}, "policy.refund_days: allowed: at most 30"),
        ({}, {"currency": "EUR"}, "policy.currency: allowed: USD"),
    ],
)
def test_a_policy_that_cannot_run_beside_is_refused(own: Any, rival: Any, detail: str) -> None:
    """The control goes to the dead letters; nothing begins."""
    policy = document(2, SPENT, VALUE).model_dump(mode="json") | rival
    event = {"event_id": "p", "kind": "shadow.started", "occurred_at": "1997-01-01T00:00:00Z"}
    control = decode_control(json.dumps(event | {"policy": policy}).encode())
    plan = scorer_of(first_edition(document(1, SPENT, VALUE, **own))).plan
    with pytest.raises(Rejected) as refused:
        beginning(control, T0, T0, plan)
    assert refused.value.reason == "wrong_schema"
    assert refused.value.detail.startswith(detail)


def test_ending_what_does_not_run_begins_nothing() -> None:
    site = Site(document(1, SPENT, VALUE))
    event = {"event_id": "p", "kind": "shadow.ended", "occurred_at": "1997-01-01T00:00:00Z"}
    begin = beginning(decode_control(json.dumps(event).encode()), T0, T0)
    assert begin is not None
    site.begin(begin)
    assert site.bucket.in_force.edition is site.first
    assert not site.editions


def test_who_stands_elsewhere_and_who_waits_is_counted() -> None:
    """Before the sweep everyone waits; a census is not held up by when the shadow began."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0), order(2, T0, 300, customer="c2"))
    site.begin(beside())
    edition = decode_book(site.editions).editions[-1]
    assert (edition.instant_ms, edition.since_ms) == (T0 + DAY, 0)
    found = Divergence()
    found.take(edition, site.editions, site.states.items())
    assert (found.standings.customers, found.waiting) == (0, 2)
    site.sweep(T0 + DAY)
    found = Divergence()
    found.take(edition, site.editions, site.states.items())
    assert (found.standings.customers, found.standings.moved, found.waiting) == (2, 1, 0)
    assert found.standings.moves == {"value": {("floor", "gold"): 1, ("floor", "floor"): 1}}


def test_places_in_rankings_and_their_deadlines_are_those_without_a_shadow() -> None:
    """Also for whom only the shadow has a new record or deadline, and who is not in the cache."""
    abc = {"value": {"type": "pareto", "measure": "spent"}}
    daily = {"population": {"cadence": "daily"}}
    sites = []
    for shadowed in (True, False):
        site = Site(document(1, SPENT, abc, **daily))
        site.take(order(1, T0))
        if shadowed:
            site.begin(beside(measures=VISITS, gradings=BUSY))
            site.sweep(T0 + DAY)
        site.restart()
        site.take(visit(1, T0 + 2 * DAY), visit(2, T0 + 2 * DAY, customer="new"))
        sites.append(site)
    watched, alone = sites
    assert watched.ranks == alone.ranks
    assert [(key[1], reading) for key, reading in watched.ranks.items()] == [("c1", 500)]
    assert watched.due["c1"] == alone.due["c1"] == T0 + 30 * DAY
    assert watched.due["new"] is None


def test_an_id_that_is_merged_loses_its_shadow() -> None:
    """What was told of it is taken back, and another shadow passes it over."""
    site = Site(document(1, SPENT, VALUE))
    site.take(order(1, T0))
    site.begin(beside())
    site.sweep(T0 + DAY)
    at_ms = T0 + 2 * DAY
    merged = {"kind": "identity.merged", "event_id": "m", "customer_id": "c1"}
    merged |= {"into": "c2", "author": "ann", "reason": "one person"}
    site.take(merged | {"at_ms": at_ms, "record_ms": at_ms})
    assert site.differences[-1] == ("c1", None)
    assert site.bucket.customers["c1"].shadow is None
    site.restart()
    third = document(3, SPENT, CHEAPER)
    site.begin(shadow_started(third, T0 + 3 * DAY, "third"))
    site.sweep(T0 + 3 * DAY)
    assert site.bucket.customers["c1"].shadow is None
    found = Divergence()
    found.take(decode_book(site.editions).editions[-1], site.editions, site.states.items())
    assert (found.standings.customers, found.waiting) == (0, 0)
