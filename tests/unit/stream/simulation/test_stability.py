"""Weeks, and changes back and forth."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.calendar import DAY_MS
from stream.changes import TIME_PASSED, Change
from stream.simulation.stability import turns_back, week_of, week_start_ms

LADDER = ("gold", "silver", "bronze")


def history(tiers: str, *, ordered: bool = True) -> list[Change]:
    """Return the changes of a customer who goes through *tiers*, one letter each; - is None."""
    names = {name[0]: name for name in LADDER}
    walked = [None, *(names.get(letter) for letter in tiers)]
    changes = []
    for number, (before, after) in enumerate(itertools.pairwise(walked), start=1):
        way = "lateral"
        if before is None:
            way = "first"
        elif ordered and after is not None:
            way = "up" if LADDER.index(after) < LADDER.index(before) else "down"
        changes.append(
            Change("c", "value", before, after, way, number, number, TIME_PASSED, (), None)
        )
    return changes


@pytest.mark.parametrize(
    ("tiers", "turns"),
    [
        ("", 0),
        ("s", 0),
        ("bsg", 0),  # rises
        ("bsgsb", 1),  # rises and falls once
        ("sgsgsg", 4),  # at an edge
        ("bgsgb", 3),
    ],
)
def test_a_change_turns_back_when_it_goes_against_the_last_one(tiers: str, turns: int) -> None:
    assert turns_back(history(tiers)) == turns


@pytest.mark.parametrize(
    ("tiers", "turns"),
    [("sgbs", 0), ("sgs", 1), ("sgsg", 2), ("sg-g", 0), ("sgsbs", 2)],
)
def test_without_an_order_it_turns_back_when_it_returns(tiers: str, turns: int) -> None:
    """Losing the grade and getting it again is a first grade once more, and counts for nothing."""
    assert turns_back(history(tiers, ordered=False)) == turns


@given(st.text("gsb", min_size=1, max_size=20))
def test_there_are_fewer_turns_than_moves(tiers: str) -> None:
    walked = "".join(a for a, b in zip(tiers, f" {tiers}", strict=False) if a != b)
    assert 0 <= turns_back(history(walked)) <= max(len(walked) - 2, 0)


@given(st.integers(-(10**14), 10**14))
def test_every_instant_lies_in_its_week(instant_ms: int) -> None:
    start_ms = week_start_ms(week_of(instant_ms))
    assert start_ms <= instant_ms < start_ms + 7 * DAY_MS
    assert (start_ms // DAY_MS) % 7 == 4  # a Monday: 1970-01-05 was one
