"""Why a customer ends in another tier, in one sentence each."""

from __future__ import annotations

import pytest

from agents.report.words import reason_texts, unmatched
from agents.simulation.run import simulate
from stream.simulation.difference import Difference
from tests.unit.simulation.histories import NEW, OLD, history, job, paid

POINTS = OLD.replace('points: "100/3"', "points: 0").replace(
    "{tier: a, enter: 80}", "{tier: a, enter: 60}"
)
LOOKS = (
    OLD.replace("measure: revenue_30d\n    tiers", "measure: orders\n    tiers")
    .replace("enter: 100.00, exit: 80.00", "enter: 100, exit: 80")
    .replace("enter: 50.00", "enter: 50")
)


def why(grading: str, customer: str, new: str, old: str = OLD) -> list[str]:
    found = simulate(history(), job(old=old, new=new))
    comparison = next(c for c in found.comparisons if c.name == grading)
    (mover,) = [m for m in comparison.tally.movers.items if m.customer_id == customer]
    return reason_texts(mover.reasons, "USD")


def test_a_level_that_moved_is_named_with_both_ranges() -> None:
    assert why("value", "ann", NEW) == [
        "revenue_30d 115.00 USD: 100.00 USD or more under old, 110.00 to 120.00 USD under new"
    ]


def test_points_that_moved_are_named_with_the_score() -> None:
    """ann: 60 + 4 points are enough for a from 60 on."""
    assert why("score", "ann", POINTS) == [
        "score 64 points: below 80 under old, 60 or more under new"
    ]


def test_points_of_a_range_that_moved_are_named() -> None:
    """cat: 100/3 of 60 % and 4; nothing and 4."""
    lines = why("score", "cat", POINTS.replace("enter: 60}", "enter: 3}"))
    assert lines == [
        "score 24 → 4 points: below 80 under old, 3 or more under new",
        "revenue_30d 20.00 USD (20 → 0 points)",
    ]


def test_a_measure_that_only_one_policy_looks_at_is_named_as_such() -> None:
    assert why("value", "ann", LOOKS) == [
        "orders 1: looked at under new only",
        "revenue_30d 115.00 USD: looked at under old only",
    ]


def test_the_same_levels_with_another_past_say_so() -> None:
    assert reason_texts([Difference("past", "value", "tier", None, None)], "USD") == [
        "same readings and levels: keeps the tier that it held before"
    ]


def test_points_of_a_condition_are_named() -> None:
    reason = Difference("points", "referrals", "", None, None, None, None, "5", None)
    assert reason_texts([reason], "USD") == ["referrals (5 → 0 points)"]


def test_another_grading_that_was_looked_at_is_named() -> None:
    assert reason_texts([Difference("grading", "value", "tier", "gold", None)], "USD") == [
        "value is gold under old, (not graded) under new"
    ]


@pytest.mark.parametrize(
    ("new", "line"),
    [
        (NEW.replace("\n  score:", "\n  points:"), "grading points: only in the new policy"),
        (NEW.replace("currency: USD", "currency: EUR"), "revenue is in EUR"),
        (NEW.replace("currency: USD", "currency: EUR"), "6 records were refused under the new"),
    ],
)
def test_what_could_not_be_compared_is_told(new: str, line: str) -> None:
    assert any(text.startswith(line) for text in unmatched(simulate(history(), job(new=new))))


def test_a_tie_in_the_ranking_goes_by_customer_id() -> None:
    log = sorted([*history(), *(paid(c, 1, 5, 115) for c in "zy")], key=lambda r: r.record_ms)
    found = simulate(log, job(shown=2))
    assert [m.customer_id for m in found.comparisons[0].tally.movers.items] == ["ann", "y"]
