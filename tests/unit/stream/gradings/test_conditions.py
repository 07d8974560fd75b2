"""Condition matching, first match wins (seed 003, 条件匹配)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.properties.driver import Run
from tests.unit.stream.policies import bands, happened, policy

T0 = 852_076_800_000
MEASURES = {
    "industry": {"attribute": "industry", "type": "text"},
    "size": {"attribute": "size", "type": "number"},
}


def holds(condition: dict[str, Any], **attributes: object) -> bool:
    """Say whether a condition holds for a customer with these attributes."""
    rule = {
        "type": "conditions",
        "levels": [{"level": "yes", "when": condition}, {"level": "no"}],
    }
    run = Run(policy(MEASURES, {"g": rule, "value": bands("size", gold=10)}))
    run.apply([happened("profile.changed", 0, T0, attributes={"size": 5, "industry": "x"})])
    run.apply([happened("profile.changed", 1, T0, attributes=attributes)])
    return run.grades()["g"] == "yes"


LARGE = {"measure": "size", "at_least": 10}
SMALL = {"measure": "size", "below": 10}
STEEL = {"measure": "industry", "is": ["steel", "cement"]}


@pytest.mark.parametrize(
    ("condition", "attributes", "expected"),
    [
        (LARGE, {"size": 10}, True),
        (LARGE, {"size": 9}, False),
        (SMALL, {"size": 9}, True),
        (SMALL, {"size": 10}, False),
        (STEEL, {"industry": "cement"}, True),
        (STEEL, {"industry": "Cement"}, False),
        ({"measure": "size", "is": [7, 9]}, {"size": 9}, True),
        ({"measure": "size", "is": [7, 9]}, {"size": 8}, False),
        ({"measure": "size", "is_known": True}, {"size": 0}, True),
        ({"all": [LARGE, STEEL]}, {"size": 10, "industry": "steel"}, True),
        ({"all": [LARGE, STEEL]}, {"size": 10, "industry": "wood"}, False),
        ({"any": [LARGE, STEEL]}, {"size": 1, "industry": "steel"}, True),
        ({"any": [LARGE, STEEL]}, {"size": 1, "industry": "wood"}, False),
        ({"not": STEEL}, {"industry": "wood"}, True),
        ({"grading": "value", "is": ["gold"]}, {"size": 10}, True),
        ({"not": {"grading": "value", "is": ["gold"]}}, {"size": 9}, True),
    ],
)
def test_every_test_of_the_language(
    condition: dict[str, Any], attributes: dict[str, object], expected: object
) -> None:
    assert holds(condition, **attributes) is expected


@pytest.mark.parametrize("condition", [LARGE, SMALL, STEEL, {"measure": "size", "is": [0]}])
def test_what_is_unknown_fails_every_test_but_not_known(condition: dict[str, Any]) -> None:
    assert not holds(condition, size=None, industry=None)
    assert holds({"measure": "size", "is_known": False}, size=None)
    assert holds({"not": condition}, size=None, industry=None)


def test_the_first_match_wins_and_none_is_not_yet_graded() -> None:
    """A customer may match several levels, and gets the first."""
    rule = {
        "type": "conditions",
        "levels": [
            {"level": "vip", "when": {"measure": "size", "at_least": 100}},
            {"level": "key", "when": {"measure": "size", "at_least": 10}},
            {"level": "steel", "when": STEEL},
        ],
    }
    run = Run(policy(MEASURES, {"g": rule}))
    seen = []
    told = [(100, "steel"), (10, "steel"), (1, "steel"), (1, "wood"), (100, "wood")]
    for number, (size, industry) in enumerate(told):
        attributes = {"size": size, "industry": industry}
        run.apply([happened("profile.changed", number, T0 + number, attributes=attributes)])
        seen.append(run.grades()["g"])
    assert seen == ["vip", "key", "steel", None, "vip"]
    assert [c.direction for c in run.changes] == ["first", "down", "down", "lateral", "first"]


def test_a_count_that_is_listed_is_left_as_well_as_reached() -> None:
    rule = {
        "type": "conditions",
        "levels": [
            {"level": "twice", "when": {"measure": "visits", "is": [2]}},
            {"level": "else"},
        ],
    }
    run = Run(policy({"visits": {"count": "visit"}}, {"g": rule}))
    for number in range(4):
        run.apply([happened("visit", number, T0 + number)])
    assert [(c.after, c.instant_ms - T0) for c in run.changes] == [
        ("else", 0),
        ("twice", 1),
        ("else", 2),
    ]


def test_gradings_may_stand_in_any_order_in_the_file() -> None:
    """One event moves a grading and, at the same instant, those that look at it."""
    rule = {
        "type": "conditions",
        "levels": [
            {"level": "yes", "when": {"grading": "value", "is": ["gold"]}},
            {"level": "no"},
        ],
    }
    run = Run(policy(MEASURES, {"first": rule, "value": bands("size", gold=10)}))
    for number, size in enumerate([1, 10, 9]):
        attributes = {"size": size}
        run.apply([happened("profile.changed", number, T0 + number, attributes=attributes)])
    moves = [(c.grading, c.after, c.instant_ms - T0) for c in run.changes]
    assert sorted(moves, key=lambda move: move[2]) == [
        ("value", "floor", 0),
        ("first", "no", 0),
        ("value", "gold", 1),
        ("first", "yes", 1),
        ("value", "floor", 2),
        ("first", "no", 2),
    ]
