"""Caps and vetoes: the seeds' two customers can be ranked either way, and it is said why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import PolicyFileError
from stream.customer import Grade
from stream.gradings.base import Reading
from stream.gradings.cap import Cap, Rule
from tests.properties.driver import Run
from tests.properties.profiles import tries
from tests.unit.stream.policies import DAY, happened, paid, policy

T0 = 852_076_800_000
MEASURES: dict[str, Any] = {
    "revenue": {"sum": "revenue", "window": "365d"},
    "contribution": {"sum": "contribution", "window": "365d"},
    "late": {"max": "payment.overdue", "window": "365d"},
}
M = 1_000_000_00


def ladder(measure: str, *enters: int) -> dict[str, Any]:
    """Return tiers t0, t1, ... by their enter levels, and a floor."""
    tiers: list[dict[str, Any]] = [
        {"tier": f"t{position}", "enter": enter} for position, enter in enumerate(enters)
    ]
    return {"type": "bands", "measure": measure, "tiers": [*tiers, {"tier": "floor"}]}


HALF_A_YEAR_LATE = {
    "rule": "half_a_year_late",
    "when": {"measure": "late", "at_least": 180},
    "at_most": "floor",
}


def rank(run: Run, grading: str) -> int:
    """Return how good the customer's tier is; higher is better."""
    position = next(i for i, g in enumerate(run.plan.gradings) if g.name == grading)
    tier = run.customer.grades[position].tier
    assert tier is not None
    found = run.plan.gradings[position].rank(tier)
    assert found is not None
    return found


def why(run: Run, grading: str) -> str | None:
    """Return the rule that decided a grading."""
    customer = run.customer
    reading = Reading(
        customer.clock_ms,
        run.plan.read(customer, customer.clock_ms),
        [grade.tier for grade in customer.grades],
    )
    (found,) = (g for g in run.plan.gradings if g.name == grading)
    return found.decided_by(reading)


def test_g15_ten_million_paid_late_against_eight_million_on_time() -> None:
    """Seed 001/002: by volume 甲 ranks first, with the cap 乙 does, and the rule is named."""
    plan = policy(
        MEASURES,
        {
            "volume": ladder("revenue", 10_000_000, 8_000_000),
            "credit": {"type": "cap", "of": "volume", "rules": [HALF_A_YEAR_LATE]},
        },
    )
    jia, yi = Run(plan), Run(plan)
    jia.apply([paid(1, T0, 10 * M)])
    yi.apply([paid(1, T0, 8 * M), happened("payment.overdue", 1, T0 + 1, value=0)])
    jia.apply([happened("payment.overdue", 1, T0 + DAY, value=183)])
    assert rank(jia, "volume") > rank(yi, "volume")
    assert rank(jia, "credit") < rank(yi, "credit")
    assert (why(jia, "credit"), why(yi, "credit")) == ("half_a_year_late", None)
    fall = jia.changes[-1]
    assert (fall.grading, fall.before, fall.after, fall.direction) == (
        "credit",
        "t0",
        "floor",
        "down",
    )
    assert [(r.name, r.before, r.after, r.boundary) for r in fall.reasons] == [
        ("late", None, 183, 180)
    ]


def test_g15_sixty_million_at_ten_percent_against_fifty_million_at_fifteen() -> None:
    """Seeds: by revenue the first ranks higher, by contribution (6M against 7.5M) the second."""
    plan = policy(
        MEASURES,
        {
            "revenue": ladder("revenue", 60_000_000, 50_000_000),
            "contribution": ladder("contribution", 7_500_000, 6_000_000),
        },
    )
    large, rich = Run(plan), Run(plan)
    large.apply([paid(1, T0, 60 * M, cost_minor=54 * M)])
    rich.apply([paid(1, T0, 50 * M, cost_minor=50 * M * 85 // 100)])
    assert rank(large, "revenue") > rank(rich, "revenue")
    assert rank(large, "contribution") < rank(rich, "contribution")
    reasons = {c.grading: c.reasons[0] for c in rich.changes}
    assert (reasons["contribution"].after, reasons["contribution"].boundary) == (
        7_500_000_00,
        7_500_000_00,
    )
    assert (reasons["revenue"].after, reasons["revenue"].boundary) == (50 * M, 50 * M)


def test_a_cap_ends_by_itself_when_what_it_looks_at_leaves_its_window() -> None:
    """The late payment is forgotten after 365 days, at that instant."""
    plan = policy(
        MEASURES | {"ever": {"sum": "revenue"}},
        {
            "volume": ladder("ever", 100),
            "credit": {"type": "cap", "of": "volume", "rules": [HALF_A_YEAR_LATE]},
        },
    )
    run = Run(plan)
    run.apply([paid(1, T0, M), happened("payment.overdue", 1, T0 + DAY, value=200)])
    run.wake(T0 + 900 * DAY)
    moves = [(c.after, c.instant_ms - T0) for c in run.changes if c.grading == "credit"]
    assert moves == [("t0", 0), ("floor", DAY), ("t0", 366 * DAY)]


def test_who_is_not_graded_is_not_capped() -> None:
    """Minimum evidence of the grading below goes through."""
    volume = ladder("revenue", 100)
    volume["minimum_evidence"] = {"measure": "revenue", "at_least": 1}
    plan = policy(
        MEASURES,
        {"credit": {"type": "cap", "of": "volume", "rules": [HALF_A_YEAR_LATE]}, "volume": volume},
    )
    run = Run(plan)
    run.apply([happened("payment.overdue", 1, T0, value=200)])
    assert run.grades() == {"volume": None, "credit": None}
    run.apply([paid(1, T0 + 1, M)])
    assert run.grades() == {"volume": "t0", "credit": "floor"}


def always(_: Reading) -> bool:
    """Hold for everyone."""
    return True


def never(_: Reading) -> bool:
    """Hold for no one."""
    return False


TIERS = ("a", "b", "c", "d")
rules = st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.booleans()), max_size=5)


@given(st.sampled_from(TIERS), rules)
@tries(200)
def test_a_cap_never_raises_and_names_the_rule_that_decided(
    earned: str, drawn: list[tuple[bool, int, bool]]
) -> None:
    """Against a second reading of the definition: caps up to the first veto, the lowest counts."""
    made = tuple(
        Rule(f"r{i}", always if holds else never, limit, final)
        for i, (holds, limit, final) in enumerate(drawn)
    )
    cap = Cap("cap", TIERS, of=0, rules=made)
    reading = Reading(0, [], [earned])
    looked_at = []
    for i, (holds, limit, final) in enumerate(drawn):
        if holds:
            looked_at.append((f"r{i}", limit))
            if final:
                break
    lowest = max([TIERS.index(earned), *(limit for _, limit in looked_at)])
    assert cap.tier(reading, Grade()) == TIERS[lowest]
    decided = next((name for name, limit in looked_at if limit == lowest), None)
    assert cap.decided_by(reading) == (None if TIERS[lowest] == earned else decided)


def test_only_grades_that_go_from_best_to_worst_can_be_capped() -> None:
    """Segments call for different treatment; none of them is at most another."""
    segments = {
        "type": "rfm_segments",
        "recency": {"measure": "days", "high_below": 90},
        "frequency": {"measure": "revenue", "high_from": 3},
        "monetary": {"measure": "revenue", "high_from": 200},
    }
    cap = {"type": "cap", "of": "segment", "rules": [HALF_A_YEAR_LATE]}
    said = r"credit\.of: 'segment' is not allowed; allowed: a grading whose grades go from best"
    with pytest.raises(PolicyFileError, match=said):
        policy(
            MEASURES | {"days": {"days_since": "last_order"}},
            {"segment": segments, "credit": cap},
        )
