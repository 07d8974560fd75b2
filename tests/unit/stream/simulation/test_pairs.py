"""Which gradings are compared, and which way a customer moves."""

from __future__ import annotations

import pytest

from schemas.policy import parse_policy
from stream.plan import Plan, compile_policy
from stream.simulation.pairs import direction_of, pair_gradings, tiers_in_order

HEAD = """
policy: small
version: 1
time_zone: UTC
currency: USD
measures: {orders: {count: orders}}
gradings:
"""
LADDER = "  {name}: {{type: bands, measure: orders, tiers: [{rungs}]}}\n"


def plan(**ladders: str) -> Plan:
    """Return a policy with ladders given as tiers, best first, such as ``"gold iron"``."""
    text = HEAD
    for name, tiers in ladders.items():
        names = tiers.split()
        rungs = [f"{{tier: {t}, enter: {len(names) - i}}}" for i, t in enumerate(names[:-1])]
        text += LADDER.format(name=name, rungs=", ".join([*rungs, f"{{tier: {names[-1]}}}"]))
    return compile_policy(parse_policy(text, "small.yaml"))


def test_gradings_are_matched_by_name_and_the_others_are_named() -> None:
    old, new = plan(value="a b", care="a b", gone="a b"), plan(fresh="a b", care="a b", value="a c")
    pairing = pair_gradings(old, new)
    assert [pair.name for pair in pairing.pairs] == ["care", "value"]
    assert all(old.gradings[p.old].name == new.gradings[p.new].name for p in pairing.pairs)
    assert (pairing.only_old, pairing.only_new) == (("gone",), ("fresh",))


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("gold", "gold", "stayed"),
        ("iron", "gold", "up"),
        ("gold", "iron", "down"),
        (None, "iron", "graded"),
        ("iron", None, "ungraded"),
        ("lead", "gold", "up"),  # by the old ladder, which knows both
        ("lead", "diamond", "lateral"),  # no ladder knows both
    ],
)
def test_a_move_is_judged_by_the_ladder_that_knows_both_tiers(
    before: str | None, after: str | None, direction: str
) -> None:
    old = plan(value="gold iron lead").gradings[0]
    new = plan(value="diamond gold iron").gradings[0]
    assert direction_of(old, new, before, after) == direction


def test_the_new_policy_decides_where_ladders_disagree() -> None:
    old, new = plan(value="gold iron").gradings[0], plan(value="iron gold").gradings[0]
    assert direction_of(old, new, "gold", "iron") == "up"


def test_tiers_keep_their_order_and_the_ungraded_come_last() -> None:
    assert tiers_in_order(["b", "a"], {None, "a", "z"}) == ("b", "a", "z", None)
