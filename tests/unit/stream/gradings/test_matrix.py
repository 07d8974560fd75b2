"""Matrices: KAISM (seed 001), Boston (seed 002), value by fit (seed 003), nine-grid (seed 000)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, bands, paid, policy

if TYPE_CHECKING:
    from collections.abc import Iterable

T0 = 852_076_800_000


def described(number: int, at_ms: int = T0, **attributes: object) -> dict[str, Any]:
    """Return a profile record."""
    return {
        "kind": "profile.changed",
        "event_id": f"d{number}",
        "at_ms": at_ms,
        "record_ms": at_ms,
        "attributes": attributes,
    }


def cells(names: Iterable[tuple[str, str, str]]) -> list[dict[str, str]]:
    """Return cells from ``(cell, row, column)``."""
    return [{"cell": cell, "row": row, "column": column} for cell, row, column in names]


def scorecard(measure: str) -> dict[str, Any]:
    """Return a scorecard of one direct indicator, strong from 60 points."""
    return {
        "type": "weighted_scorecard",
        "rounding": {"mode": "half_up", "places": 0},
        "indicators": {"review": {"weight": "100%", "points_from": measure}},
        "tiers": [{"tier": "strong", "enter": 60}, {"tier": "weak"}],
    }


HIGH_LOW = {"low": ["weak"], "high": ["strong"]}
KAISM = {
    "type": "matrix",
    "rows": {"grading": "attractiveness", "positions": HIGH_LOW},
    "columns": {"grading": "strength", "positions": HIGH_LOW},
    "cells": cells(
        [
            ("key", "high", "high"),
            ("develop", "high", "low"),
            ("maintain", "low", "high"),
            ("opportunistic", "low", "low"),
        ]
    ),
}


@pytest.mark.parametrize(
    ("attractive", "strong", "cell"),
    [(80, 80, "key"), (80, 20, "develop"), (20, 80, "maintain"), (20, 20, "opportunistic")],
)
def test_kaism_of_seed_001(attractive: int, strong: int, cell: str) -> None:
    """Attractiveness by our strength, both scorecards, as seed 001 tells the four apart.

    关键 deserve more resources. 发展 have great potential value and turn on our competitive
    position: attractive, we are not yet strong. 维持 are easily won and stay for long: we are
    strong. 机会 are hard to win and hard to earn from: neither.
    """
    measures = {name: {"attribute": name, "type": "number"} for name in ("a", "s")}
    run = Run(
        policy(
            measures,
            {"kaism": KAISM, "attractiveness": scorecard("a"), "strength": scorecard("s")},
        )
    )
    run.apply([described(1, a=attractive, s=strong)])
    assert run.grades()["kaism"] == cell


@pytest.mark.parametrize(
    ("revenue", "cost", "cell"),
    [(1000, 200, "star"), (500, 50, "cow"), (1000, 900, "question"), (500, 450, "dog")],
)
def test_boston_of_seed_002(revenue: int, cost: int, cell: str) -> None:
    """Revenue (销售额) takes the place of growth, profit (利润) that of share, in that order.

    明星 both high; 金牛 low and high; 问题 high and low; 瘦狗 both low.
    """
    boston = {
        "type": "matrix",
        "rows": {"measure": "revenue", "levels": [8.00], "positions": ["low", "high"]},
        "columns": {"measure": "profit", "levels": [4.00], "positions": ["low", "high"]},
        "cells": cells(
            [
                ("star", "high", "high"),
                ("cow", "low", "high"),
                ("question", "high", "low"),
                ("dog", "low", "low"),
            ]
        ),
    }
    measures = {"revenue": {"sum": "revenue"}, "profit": {"sum": "contribution"}}
    run = Run(policy(measures, {"boston": boston}))
    run.apply([paid(1, T0, revenue, cost_minor=cost)])
    assert run.grades() == {"boston": cell}


def test_value_by_fit_of_seed_003() -> None:
    """Fit (匹配度) is a grading of its own, on attributes alone, and crosses with value."""
    fit = {
        "type": "conditions",
        "levels": [
            {"level": "fits", "when": {"measure": "industry", "is": ["steel"]}},
            {"level": "misfit", "when": {"measure": "industry", "is_known": True}},
        ],
    }
    by_fit = {
        "type": "matrix",
        "rows": {"grading": "value", "positions": {"low": ["floor"], "high": ["gold", "silver"]}},
        "columns": {"grading": "fit", "positions": {"poor": ["misfit"], "good": ["fits"]}},
        "cells": cells(
            [
                ("grow", "high", "good"),
                ("serve", "high", "poor"),
                ("seek", "low", "good"),
                ("leave", "low", "poor"),
            ]
        ),
    }
    run = Run(
        policy(
            {
                "revenue": {"sum": "revenue", "window": "30d"},
                "industry": {"attribute": "industry", "type": "text"},
            },
            {"by_fit": by_fit, "value": bands("revenue", gold=20, silver=10), "fit": fit},
        )
    )
    run.apply([paid(1, T0, 1500)])
    assert run.grades()["by_fit"] is None
    run.apply([described(1, T0 + 1, industry="steel")])
    run.apply([paid(2, T0 + 2, 1500)])  # from silver to gold: still the same cell
    run.apply([described(2, T0 + 3, industry="toys")])
    run.wake(T0 + 40 * DAY)
    run.apply([described(3, T0 + 41 * DAY, industry=None)])
    moves = [c for c in run.changes if c.grading == "by_fit"]
    assert [c.after for c in moves] == ["grow", "serve", "leave", None]
    assert [c.cause.kind for c in moves] == ["profile", "profile", "time", "profile"]
    assert {c.direction for c in moves} == {"first", "lateral"}
    (why,) = moves[2].reasons
    assert (why.name, why.unit, why.before, why.after) == ("value", "tier", "gold", "floor")


def test_the_nine_grid_has_a_cell_for_every_pair_of_thirds() -> None:
    """The nine-grid (九宫格) that seed 000 names: three levels by three, each its own cell."""
    steps = ["low", "middle", "high"]
    nine = {
        "type": "matrix",
        "rows": {"measure": "value", "levels": [40, 70], "positions": steps},
        "columns": {"measure": "fit", "levels": [40, 70], "positions": steps},
        "cells": cells((f"{row}_{column}", row, column) for row, column in product(steps, steps)),
    }
    measures = {name: {"attribute": name, "type": "number"} for name in ("value", "fit")}
    run = Run(policy(measures, {"nine": nine}))
    seen = []
    for number, (value, fit) in enumerate(product((39, 40, 70), (39, 69, 70))):
        run.apply([described(number, T0 + number, value=value, fit=fit)])
        seen.append(run.grades()["nine"])
    assert seen == [f"{row}_{column}" for row, column in product(steps, steps)]
    assert run.plan.gradings[0].tiers == tuple(seen)


def test_an_unknown_measure_has_no_place_on_an_axis() -> None:
    """Not yet graded, rather than the lowest position."""
    matrix = {
        "type": "matrix",
        "rows": {"measure": "average", "levels": [0], "positions": ["loss", "gain"]},
        "columns": {"measure": "orders", "levels": [2], "positions": ["once", "again"]},
        "cells": cells(product(["any"], ["loss", "gain"], ["once", "again"])),
    }
    measures = {
        "average": {"average": "contribution", "window": "9d"},
        "orders": {"count": "orders"},
    }
    run = Run(policy(measures, {"m": matrix}))
    run.apply([paid(1, T0)])
    run.wake(T0 + 20 * DAY)
    assert [(c.after, (c.instant_ms - T0) // DAY) for c in run.changes] == [("any", 0), (None, 9)]
