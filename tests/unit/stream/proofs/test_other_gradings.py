"""The engine knows gradings by their cuts and tiers alone: every kind goes through it unchanged."""

from __future__ import annotations

from typing import Any

from tests.unit.stream.proofs.test_proofs import (
    AVERAGE,
    ORDERS,
    RECENCY,
    REST,
    REVENUE,
    bands,
    only,
    proof,
    ranges,
    rules,
    warnings,
)

TIERS = [{"tier": "top", "enter": 50}, {"tier": "rest"}]


def capped(when: dict[str, Any]) -> dict[str, Any]:
    rule = {"rule": "held_down", "when": when, "at_most": "rest"}
    return {"type": "cap", "of": "value", "rules": [rule]}


def test_a_cap_is_reached_below_and_above() -> None:
    """Payments are not orders: whoever pays late is not lowered by ordering more."""
    late = {"max": "payment.overdue", "window": "365d"}
    report = proof(
        {"revenue": REVENUE, "late": late},
        value=bands("revenue", ("gold", 1000)),
        held=capped({"measure": "late", "at_least": 30}),
    )
    assert [(p.reached, p.orders) for p in report.gradings] == [(2, "proved"), (2, "proved")]


def test_a_cap_that_an_order_springs_is_shown() -> None:
    report = proof(
        {"revenue": REVENUE, "average": AVERAGE},
        value=bands("revenue", ("gold", 1000)),
        held=capped({"measure": "average", "below": 100}),
    )
    assert [p.orders for p in report.gradings] == ["proved", "lowered"]
    assert "takes a customer from gold to rest: average" in warnings(report)[0]


def test_a_leaf_of_a_tree_that_contradicts_the_way_to_it_is_out_of_reach() -> None:
    inner = {
        "measure": "revenue",
        "at_most": 200_00,
        "missing": "low",
        "low": {"grade": "fair"},
        "high": {"grade": "good"},
    }
    root = inner | {"at_most": 100_00, "low": inner, "high": {"grade": "poor"}}
    tree = {
        "grades": ["good", "fair", "poor"],
        "measures": {"revenue": "money"},
        "currency": "USD",
        "root": root,
    }
    report = proof({"revenue": REVENUE}, learned={"type": "tree", "tree": tree})
    assert (only(report).reached, only(report).never) == (2, 1)
    assert any("nobody can reach good" in text for text in warnings(report))
    assert only(report).orders == "lowered", "from fair to poor above 100"


def test_a_score_that_only_one_industry_comes_to_has_it_in_its_witness() -> None:
    usual = {"sales": {"weight": "100%", "ranges": ranges("revenue", 10, 0, 40)}}
    steel = {"sales": {"weight": "100%", "ranges": ranges("revenue", 10, 0, 60)}}
    report = proof(
        {"revenue": REVENUE, "industry": {"attribute": "industry", "type": "text"}},
        score={
            "type": "weighted_scorecard",
            "rounding": {"mode": "truncate", "places": 0},
            "indicators": usual,
            "variants": {"by": "industry", "tables": {"steel": steel}},
            "tiers": TIERS,
        },
    )
    assert only(report).orders == "proved"
    assert only(report).witnesses["top"] == {"revenue": "10.00 USD", "industry": "'steel'"}


def test_bonus_points_that_a_condition_earns_count_towards_what_can_be_reached() -> None:
    report = proof(
        {"revenue": REVENUE, "orders": ORDERS},
        level={
            "type": "base_bonus",
            "base": {"measure": "revenue", "ranges": [{"below": 10, "points": 0}, {"points": 40}]},
            "bonus": {"loyal": {"when": {"measure": "orders", "at_least": 5}, "points": 10}},
            "tiers": TIERS,
        },
    )
    assert (only(report).reached, only(report).orders) == (2, "proved")
    assert only(report).witnesses["top"] == {"revenue": "10.00 USD", "orders": "5"}
    assert report.tables == 1


def test_what_waits_for_the_population_may_yet_be_anything() -> None:
    """Nothing is claimed of it, nor of what looks at it."""
    segment = {
        "type": "rfm_segments",
        "recency": {"measure": "recency", "high": "mean"},
        "frequency": {"measure": "orders", "high": "mean"},
        "monetary": {"measure": "revenue", "high": "mean"},
    }
    best = {"grading": "segment", "is": ["important_value"]}
    report = proof(
        {"recency": RECENCY, "orders": ORDERS, "revenue": REVENUE},
        segment=segment,
        care=rules(("best", best), REST),
    )
    assert warnings(report) == []
    assert [(p.reached, p.never) for p in report.gradings] == [(0, 0), (2, 0)]
    assert any("relative to the population" in remark.text for remark in report.remarks)
