"""What has to be ranked for a policy, and what a customer reads in it from when to when."""

from __future__ import annotations

from typing import Any

from stream.customer import Customer, decode, encode
from stream.plan import compile_policy
from stream.population.standings import Standings
from tests.unit.stream.gradings.test_within import document as within
from tests.unit.stream.population.test_census import ABC, CELLS, CLASSES, SEGMENT, document

LIVE = {"population": {"cadence": "daily"}}


def cuts_of(policy: Any) -> list[set[str]]:
    """Return the cuts of each ranking of a policy."""
    return [set(ranking.cuts) for ranking in compile_policy(policy).rankings]


def test_gradings_that_agree_share_a_ranking() -> None:
    """One for each measure, and another where the evidence asked for is another."""
    assert cuts_of(document(**LIVE)) == [
        {"segment.recency", "rfm.recency"},
        {"segment.frequency", "classes.frequency"},
        {"segment.monetary"},
        {"rfm.monetary", "classes.monetary", "abc.measure"},
    ]
    often = {"minimum_evidence": {"measure": "orders", "at_least": 2}}
    gradings = {"rfm": CELLS, "abc": ABC | often, "classes": CLASSES | often}
    assert cuts_of(document(gradings=gradings, **LIVE)) == [
        {"rfm.recency"},
        {"rfm.monetary"},
        {"classes.frequency"},
        {"classes.monetary", "abc.measure"},
    ] or cuts_of(document(gradings=gradings, **LIVE)) == [
        {"rfm.recency"},
        {"rfm.monetary"},
        {"abc.measure", "classes.monetary"},
        {"classes.frequency"},
    ]


def test_nothing_is_ranked_without_a_cadence_or_for_frozen_cuts() -> None:
    assert cuts_of(document()) == []
    frozen = {"frozen": {"abc.measure": [1, 3]}}
    assert cuts_of(document(gradings={"abc": ABC}, population=frozen)) == []
    gradings = {"abc": ABC, "segment": SEGMENT}
    live = frozen | LIVE["population"]
    assert cuts_of(document(gradings=gradings, population=live)) == [
        {"segment.recency"},
        {"segment.frequency"},
        {"segment.monetary"},
    ]


def test_a_ranking_keeps_its_name_while_its_definition_stays() -> None:
    """Readings of another definition must not be taken for those of this one."""
    (one,) = compile_policy(document(gradings={"abc": ABC}, **LIVE)).rankings
    (same,) = compile_policy(document(gradings={"abc": ABC}, version=2, **LIVE)).rankings
    assert one.name == same.name
    spent = {"measures": {"spent": {"sum": "revenue", "window": "365d"}}}
    (other,) = compile_policy(document(gradings={"abc": ABC}, **spent, **LIVE)).rankings
    (zone,) = compile_policy(
        document(gradings={"abc": ABC}, time_zone="Asia/Tokyo", **LIVE)
    ).rankings
    assert len({one.name, other.name, zone.name}) == 3


def test_a_customer_is_told_of_in_its_own_segment_and_taken_out_of_others_when_it_moves() -> None:
    """However its attributes came to be others than those that were loaded from the store."""
    plan = compile_policy(within())
    rankings = {r.segment[1].value: r.name for r in plan.rankings if r.segment is not None}
    stored = Customer("c1", plan.shape)
    stored.attributes = {"industry": "retail"}
    for now, expected in (
        ("retail", {rankings["retail"]: {"c1": 0}}),
        (
            "trade",
            {name: {"c1": None} for name in rankings.values()} | {rankings["trade"]: {"c1": 0}},
        ),
    ):
        customer = decode("c1", encode(stored, plan.shape), plan.shape)
        customer.attributes = {"industry": now}
        standings = Standings()
        standings.note("c1", 5)
        assert standings.tell({"c1": customer}, plan, lambda _: plan) == expected
        standings.note("c1", 6)
        assert standings.tell({"c1": customer}, plan, lambda _: plan) == {}
