"""The census: which customers count, and which cuts come out, for every relative grading."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.policy import PolicyDocument, parse_policy
from stream.plan import compile_policy
from stream.population.census import census
from stream.sentinels import MISSING

MEASURES = {
    "recency": {"days_since": "last_order"},
    "orders": {"count": "orders"},
    "spent": {"sum": "revenue"},
    "average": {"average": "revenue"},
}
SEGMENT = {
    "type": "rfm_segments",
    "recency": {"measure": "recency", "high": "mean"},
    "frequency": {"measure": "orders", "high": "median"},
    "monetary": {"measure": "average", "high": "mean"},
}
CELLS = {
    "type": "rfm_cells",
    "recency": {"measure": "recency", "cuts": "quintiles"},
    "frequency": {"measure": "orders", "cuts": [2, 3, 5, 10]},
    "monetary": {"measure": "spent", "cuts": "quintiles"},
}
CLASSES = {
    "type": "rfm_classes",
    "recency": {"measure": "recency", "high_below": 90},
    "frequency": {"measure": "orders", "high": "mean"},
    "monetary": {"measure": "spent", "cuts": "terciles"},
}
ABC = {"type": "pareto", "measure": "spent"}
# recency, orders, spent, average; the last customer has never ordered
ROWS = [
    (10, 1, 500, 500),
    (20, 2, 300, 150),
    (31, 1, 150, 150),
    (200, 4, 50, 12),
    (MISSING, 0, 0, MISSING),
]


def document(**more: Any) -> PolicyDocument:
    """Return a policy with every relative grading, and what *more* says."""
    gradings = {"segment": SEGMENT, "rfm": CELLS, "classes": CLASSES, "abc": ABC}
    data = {
        "policy": "relative",
        "version": 1,
        "time_zone": "UTC",
        "currency": "USD",
        "measures": MEASURES,
        "gradings": gradings,
    }
    return parse_policy(json.dumps(data | more), "relative.yaml")


def test_the_census_names_every_cut_and_counts_who_has_a_reading() -> None:
    """Means are rounded up to the next integer: 65.25 days, 203 for 812/4."""
    assert census(document(), ROWS) == {
        "segment.recency": (66,),  # (10 + 20 + 31 + 200) / 4
        "segment.frequency": (1,),  # of 0 1 1 2 4
        "segment.monetary": (203,),
        "rfm.recency": (16, 23, 29, 99),  # 16, 22.2, 28.8, 98.6
        "rfm.monetary": (40, 110, 210, 340),  # of 0 50 150 300 500
        "classes.frequency": (2,),  # 8 / 5
        "classes.monetary": (84, 250),  # 83 1/3, 250
        "abc.measure": (150, 300),  # 500 + 300 of 1,000 make 80 %, 150 more 95 %
    }


def test_who_lacks_the_evidence_does_not_count() -> None:
    """A customer whom the grading does not grade does not move its boundaries either."""
    graded = SEGMENT | {"minimum_evidence": {"measure": "orders", "at_least": 2}}
    cuts = census(document(gradings={"segment": graded}), ROWS)
    assert cuts == {
        "segment.recency": (110,),
        "segment.frequency": (3,),
        "segment.monetary": (81,),
    }


def test_without_anybody_there_is_no_cut() -> None:
    cuts = census(document(), ROWS[-1:])
    assert "segment.recency" not in cuts
    assert cuts["abc.measure"] == (1, 1)
    assert census(document(), []) == {}


def test_a_relative_grading_without_its_cuts_grades_nobody() -> None:
    """Not yet graded, also where only one of its cuts is missing."""
    plan = compile_policy(document())
    assert all(not grading.cuts for grading in plan.gradings)
    part = {"segment.recency": (66,), "segment.frequency": (1,)}
    plan = compile_policy(document(), part)
    assert all(not grading.cuts for grading in plan.gradings)


def test_frozen_cuts_stand_before_those_of_a_census() -> None:
    """Frozen means that they do not follow; money is written as anywhere in a policy."""
    frozen = {"abc.measure": [1.5, 3], "segment.frequency": [7]}
    policy = document(population={"frozen": frozen})
    assert policy.frozen_cuts() == {"abc.measure": (150, 300), "segment.frequency": (7,)}
    assert "abc.measure" not in policy.open_cuts()
    assert len(policy.open_cuts()) == 6
    plan = compile_policy(policy, {"abc.measure": (1, 2)})
    (abc,) = (grading for grading in plan.gradings if grading.name == "abc")
    assert abc.cuts == {2: (150, 300)}


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS * 3])
def test_every_cut_rises_and_fits_its_grading(rows: list[tuple[int, ...]]) -> None:
    policy = document()
    cuts = census(policy, rows)
    for name, cut in policy.relative_cuts().items():
        assert len(cuts[name]) == cut.levels
        assert list(cuts[name]) == sorted(cuts[name])


def test_frozen_levels_grade_as_the_same_levels_written_in_the_grading() -> None:
    """Where a level comes from makes no difference to the compiled grading."""
    by_hand = {
        "segment": SEGMENT
        | {
            "recency": {"measure": "recency", "high_below": 66},
            "frequency": {"measure": "orders", "high_from": 1},
            "monetary": {"measure": "average", "high_from": 2.03},
        },
        "rfm": CELLS
        | {
            "recency": {"measure": "recency", "cuts": [16, 23, 29, 99]},
            "monetary": {"measure": "spent", "cuts": [0.4, 1.1, 2.1, 3.4]},
        },
        "classes": CLASSES
        | {
            "frequency": {"measure": "orders", "high_from": 2},
            "monetary": {"measure": "spent", "mid_from": 0.84, "high_from": 2.5},
        },
    }
    policy = document()
    plan = compile_policy(policy, census(policy, ROWS))
    assert plan.gradings[:3] == compile_policy(document(gradings=by_hand)).gradings


def test_the_best_so_many_and_those_tied_with_them_are_in() -> None:
    """Of 0 50 150 300 500: the best, then 40 % of the five customers."""
    for first, second in ((1, 2), ("20%", "40%")):
        classes = [{"class": "a", "top": first}, {"class": "b", "top": second}, {"class": "c"}]
        best = ABC | {"classes": classes}
        assert census(document(gradings={"abc": best}), ROWS) == {"abc.measure": (300, 500)}
        assert census(document(gradings={"abc": best}), ROWS[:1]) == {"abc.measure": (500, 500)}
