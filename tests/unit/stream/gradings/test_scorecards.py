"""Scorecards: the worked examples of the seeds, rounding, and parts that add up."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from schemas.policy import PolicyFileError
from stream.gradings.scorecard import round_units
from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, happened, paid, policy

if TYPE_CHECKING:
    from stream.changes import Change

T0 = 852_076_800_000
HALF = {"below": 1, "points": 5}
FULL = {"points": "full"}
TIERS = [{"tier": "a", "enter": 80, "exit": 75}, {"tier": "b"}]


def scored(
    measures: dict[str, Any], card: dict[str, Any], attributes: dict[str, int], *events: Any
) -> Change:
    """Return the change that a customer with these attributes and orders ends with."""
    run = Run(policy(measures, {"score": card}))
    run.apply([*events, happened("profile.changed", 1, T0 + 9, attributes=attributes)])
    return run.changes[-1]


def test_g1_the_weighted_scorecard_of_seed_000_comes_to_84() -> None:
    """90 * 40 % + 90 * 40 % + 60 * 20 % = 84."""
    names = {"profitability": 90, "growth": 90, "loyalty": 60}
    measures = {name: {"attribute": name, "type": "number"} for name in names}
    card = {
        "type": "weighted_scorecard",
        "rounding": {"mode": "truncate", "places": 2},
        "indicators": {
            "profitability": {"weight": "40%", "points_from": "profitability"},
            "growth": {"weight": "40%", "points_from": "growth"},
            "loyalty": {"weight": "20%", "points_from": "loyalty"},
        },
        "tiers": TIERS,
    }
    change = scored(measures, card, names)
    assert change.score is not None
    assert change.score.value == 84
    assert change.score.rounding == 0
    assert change.after == "a"
    assert [part.contribution for part in change.score.parts] == [36, 36, 12]


@pytest.mark.parametrize(
    ("mode", "places", "value"),
    [
        ("truncate", 2, "78.66"),
        ("half_up", 2, "78.67"),
        ("half_even", 2, "78.67"),
        ("truncate", 0, "78"),
        ("half_up", 0, "79"),
        ("truncate", 6, "78.666666"),
    ],
)
def test_g2_the_interval_scorecard_of_seed_000_comes_to_78_66(
    mode: str, places: int, value: str
) -> None:
    """236/3 = 78.666...: the seed prints it truncated, so the mode belongs to the policy.

    The seed's table 2 gives one row in words: sales over two years of 5M to 10M CNY earn 30 of
    the 100/3 points of that measure. The other rows here are chosen so that the printed total
    comes out: 0.4 * (30 + 100/3 + 100/3) + 0.4 * (20 + 25 + 25) + 0.2 * (20 + 20 + 20).
    """
    sales = [
        {"below": 5_000_000, "points": 20},
        {"below": 10_000_000, "points": 30},
        {"points": "full"},
    ]
    indicators: dict[str, Any] = {
        "profitability": {
            "weight": "40%",
            "measures": {"sales_2y": sales, "planned": [HALF, FULL], "change": [HALF, FULL]},
        },
        "strength": {"weight": "40%", "measures": {}},
        "relation": {"weight": "20%", "measures": {}},
    }
    measures: dict[str, Any] = {"sales_2y": {"sum": "revenue", "window": "730d"}}
    points = {"capital": 20, "share": 25, "staff": 25, "years": 20, "loyalty": 20, "referral": 20}
    for position, (name, earned) in enumerate(points.items()):
        indicator = "strength" if position < 3 else "relation"
        indicators[indicator]["measures"][name] = [{"below": 1, "points": 0}, {"points": earned}]
    attributes = dict.fromkeys(["planned", "change", *points], 1)
    measures |= {name: {"attribute": name, "type": "number"} for name in attributes}
    card = {
        "type": "interval_scorecard",
        "rounding": {"mode": mode, "places": places},
        "indicators": indicators,
        "tiers": [{"tier": "a", "enter": 78}, {"tier": "b"}],
    }
    change = scored(measures, card, attributes, paid(1, T0, 5_000_000_00))
    assert change.score is not None
    assert change.score.value == Fraction(value)
    exact = sum((part.contribution for part in change.score.parts), Fraction(0))
    assert exact == Fraction(236, 3)
    assert exact + change.score.rounding == change.score.value
    assert change.score.parts[0].points == 30
    assert change.score.parts[1].points == Fraction(100, 3)


def test_ranges_take_their_lower_end_in_and_their_upper_end_not() -> None:
    """Sales of 4,999,999.99 earn 20 points, of 5,000,000.00 they earn 30 (seed 000)."""
    ranges = [{"below": 5_000_000, "points": 20}, {"below": 10_000_000, "points": 30}, FULL]
    card = {
        "type": "weighted_scorecard",
        "rounding": {"mode": "half_even", "places": 0},
        "indicators": {
            "sales": {"weight": "100%", "ranges": {"measure": "sales", "ranges": ranges}}
        },
        "tiers": [{"tier": "a", "enter": 100}, {"tier": "b", "enter": 30}, {"tier": "c"}],
    }
    run = Run(policy({"sales": {"sum": "revenue"}}, {"score": card}))
    amounts = [4_999_999_99, 1, 4_999_999_99, 1]
    run.apply([paid(number, T0 + number, amount) for number, amount in enumerate(amounts)])
    values = [change.score and change.score.value for change in run.changes]
    assert values == [20, 30, 100]


def test_a_measure_that_is_unknown_earns_what_the_lowest_range_does() -> None:
    card = {
        "type": "interval_scorecard",
        "rounding": {"mode": "half_even", "places": 0},
        "indicators": {
            "one": {"weight": "100%", "measures": {"survey": [{"below": 50, "points": 7}, FULL]}}
        },
        "tiers": TIERS,
    }
    run = Run(policy({"survey": {"last": "survey"}, "n": {"count": "orders"}}, {"score": card}))
    run.apply([paid(1, T0)])
    assert [change.score and change.score.value for change in run.changes] == [7]


def test_direct_points_are_held_between_0_and_100() -> None:
    card = {
        "type": "weighted_scorecard",
        "rounding": {"mode": "half_even", "places": 0},
        "indicators": {"review": {"weight": "100%", "points_from": "review"}},
        "tiers": [{"tier": "a", "enter": 100}, {"tier": "b", "enter": 1}, {"tier": "c"}],
    }
    run = Run(policy({"review": {"attribute": "review", "type": "number"}}, {"score": card}))
    for number, review in enumerate([-5, 1, 250, "no number"]):
        told = happened("profile.changed", number, T0 + number, attributes={"review": review})
        run.apply([told])
    assert [change.after for change in run.changes] == ["c", "b", "a", "c"]
    assert [change.score and change.score.value for change in run.changes] == [0, 1, 100, 0]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("truncate", [2, 0, -2, 78]),
        ("half_up", [3, 1, -2, 79]),
        ("half_even", [2, 0, -2, 79]),
    ],
)
def test_rounding_modes_differ_at_halves(mode: str, expected: list[int]) -> None:
    numbers = [(5, 2), (1, 2), (-5, 2), (236, 3)]
    assert [round_units(*number, mode) for number in numbers] == expected


def test_a_tier_is_kept_down_to_its_exit_level() -> None:
    """The score falls from 80 to 75 and stays an a; at 74 it is a b, and 79 does not restore it."""
    card = {
        "type": "weighted_scorecard",
        "rounding": {"mode": "half_even", "places": 0},
        "indicators": {"review": {"weight": "100%", "points_from": "review"}},
        "tiers": TIERS,
    }
    run = Run(policy({"review": {"attribute": "review", "type": "number"}}, {"score": card}))
    seen = []
    for number, review in enumerate([79, 80, 75, 74, 79, 80]):
        told = happened("profile.changed", number, T0 + number * DAY, attributes={"review": review})
        run.apply([told])
        seen.append(run.grades()["score"])
    assert seen == ["b", "a", "a", "b", "b", "a"]


def by_industry(rule: dict[str, Any], steel: dict[str, Any]) -> dict[str, Any]:
    """Return a scorecard of one indicator that is another one for steel."""
    return {
        "type": "interval_scorecard",
        "rounding": {"mode": "half_even", "places": 0},
        "indicators": {"sales": {"weight": "100%", "measures": rule}},
        "variants": {
            "by": "industry",
            "tables": {"steel": {"sales": {"weight": "100%", "measures": steel}}},
        },
        "tiers": TIERS,
    }


VARIANT_MEASURES: dict[str, Any] = {
    "sales": {"sum": "revenue"},
    "tons": {"attribute": "tons", "type": "number"},
    "industry": {"attribute": "industry", "type": "text"},
}


def test_range_tables_may_differ_by_industry() -> None:
    """Seed 000: ranges are agreed for each type of enterprise; others keep the usual table."""
    card = by_industry(
        {"sales": [{"below": 100, "points": 10}, FULL]},
        {"sales": [{"below": 500, "points": 40}, FULL]},
    )
    run = Run(policy(VARIANT_MEASURES, {"score": card}))
    run.apply([paid(1, T0, 200_00)])
    for number, industry in enumerate(["steel", "wood", None, "steel"]):
        attributes = {"industry": industry}
        run.apply([happened("profile.changed", number, T0 + 1 + number, attributes=attributes)])
    run.apply([paid(2, T0 + 9, 299_99), paid(3, T0 + 10, 1)])
    scores = [change.score for change in run.changes]
    assert [score and score.value for score in scores] == [100, 40, 100, 40, 100]
    assert [score and score.parts[0].table for score in scores] == [
        None,
        "steel",
        None,
        "steel",
        "steel",
    ]
    names = [[reason.name for reason in change.reasons] for change in run.changes]
    assert names == [["sales"], ["industry"], ["industry"], ["industry"], ["sales"]]
    assert [run.changes[-1].reasons[0].boundary, run.changes[-1].instant_ms] == [500_00, T0 + 10]


def test_a_measure_that_only_another_table_reads_is_no_reason() -> None:
    """Tons matter to steel alone: to others they neither change a grade nor explain one."""
    card = by_industry({"sales": [HALF, FULL]}, {"tons": [{"below": 50, "points": 0}, FULL]})
    run = Run(policy(VARIANT_MEASURES, {"score": card}))
    run.apply([happened("profile.changed", 0, T0, attributes={"industry": "wood", "tons": 1})])
    run.apply([happened("profile.changed", 1, T0 + 1, attributes={"tons": 60})])
    run.apply([happened("profile.changed", 2, T0 + 2, attributes={"industry": "steel"})])
    assert [change.after for change in run.changes] == ["b", "a"]
    assert [reason.name for reason in run.changes[1].reasons] == ["industry"]


def test_the_weights_of_a_variant_add_up_too() -> None:
    """The usual weight of what a variant leaves out counts with those it names."""
    half = {"weight": "50%", "measures": {"tons": [HALF, FULL]}}
    card = by_industry({"sales": [HALF, FULL]}, {"sales": [HALF, FULL]})
    card["indicators"] = {"sales": half, "size": half}
    with pytest.raises(PolicyFileError, match=r"tables\.steel: a total weight of 150% is not"):
        policy(VARIANT_MEASURES, {"score": card})
