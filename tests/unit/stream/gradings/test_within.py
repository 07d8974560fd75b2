"""Gradings within a segment: who is compared with whom, and what reasons say of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from schemas.policy import PolicyDocument, parse_policy
from stream.customer import Customer, Grade
from stream.fold import Scorer
from stream.gradings.base import Reading
from stream.gradings.ungraded import Ungraded
from stream.plan import compile_policy
from stream.population.census import census
from stream.reasons import moved_reasons, reasons_for
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.customer import Value
    from stream.plan import Plan

BEST = {
    "type": "pareto",
    "measure": "spent",
    "within": {"measure": "industry", "segments": ["retail", "trade"]},
    "classes": [{"class": "top", "top": 1}, {"class": "others"}],
}
# spent, industry
ROWS: list[tuple[Value, Value]] = [
    (900, "retail"),
    (800, "retail"),
    (70, "trade"),
    (60, "trade"),
    (500, "farming"),
    (300, MISSING),
    (400, "Trade"),
]


def document(grading: Mapping[str, Any] = BEST) -> PolicyDocument:
    data = {
        "policy": "unit",
        "version": 1,
        "time_zone": "UTC",
        "currency": "USD",
        "measures": {
            "spent": {"sum": "revenue"},
            "industry": {"attribute": "industry", "type": "text"},
        },
        "gradings": {"best": grading},
        "population": {"cadence": "daily"},
    }
    return parse_policy(json.dumps(data), "unit.yaml")


def tiers_of(plan: Plan, rows: Sequence[Sequence[Value]]) -> list[str | None]:
    (grading,) = plan.gradings
    return [grading.tier(Reading(0, row, [None]), Grade()) for row in rows]


def test_customers_are_compared_within_their_segment() -> None:
    """Who has another value than those listed, or none, is in one segment with the like."""
    cuts = census(document(), ROWS)
    assert cuts == {
        "best.measure[retail]": (900,),
        "best.measure[trade]": (70,),
        "best.measure[]": (500,),
    }
    plan = compile_policy(document(), cuts)
    top = [row for row, tier in zip(ROWS, tiers_of(plan, ROWS), strict=True) if tier == "top"]
    assert top == [(900, "retail"), (70, "trade"), (500, "farming")]


def test_a_segment_without_cuts_grades_nobody_in_it() -> None:
    """The others are graded; with no cut at all nobody is."""
    plan = compile_policy(document(), {"best.measure[trade]": (70,)})
    assert tiers_of(plan, ROWS) == [None, None, "top", "others", None, None, None]
    (grading,) = plan.gradings
    assert grading.rank("top") == 0
    assert isinstance(compile_policy(document()).gradings[0], Ungraded)


def test_only_cuts_of_ones_own_segment_are_a_boundary() -> None:
    """Although any of them may be looked at again when a reading passes it."""
    plan = compile_policy(document(), census(document(), ROWS))
    (grading,) = plan.gradings
    assert grading.cuts[0] == (70, 500, 900)
    assert grading.boundary(0, 10, 1_000, (1_000, "trade")) == 70
    assert grading.boundary(0, 100, 600, (600, "trade")) is None
    assert grading.boundary(0, 100, 600, (600, "mining")) == 500


def test_reasons_name_the_segment() -> None:
    """Whether a reading has crossed a cut, or the customer has gone elsewhere."""
    plan = compile_policy(document(), census(document(), ROWS))
    (risen,) = reasons_for(plan, 0, (60, "trade"), ["others"], Reading(0, (80, "trade"), ["top"]))
    assert (risen.name, risen.boundary, risen.segment) == ("spent", 70, "trade")
    (gone,) = reasons_for(plan, 0, (80, "trade"), ["top"], Reading(0, (80, MISSING), ["others"]))
    assert (gone.name, gone.before, gone.after, gone.segment) == ("industry", "trade", None, "")


def test_a_moved_cut_of_another_segment_is_no_reason() -> None:
    """Of each customer only the cut of its own segment is told, as it was and as it is."""
    before = {
        "best.measure[retail]": (900,),
        "best.measure[]": (500,),
        "best.measure[trade]": (70,),
    }
    older = compile_policy(document(), before)
    newer = compile_policy(document(), {name: (level - 40,) for name, (level,) in before.items()})
    (moved,) = moved_reasons(older, newer, 0, ["others"], Reading(0, (480, "mining"), ["top"]))
    assert (moved.boundary_before, moved.boundary, moved.segment) == (500, 460, "")
    (moved,) = moved_reasons(older, newer, 0, ["others"], Reading(0, (60, "trade"), ["top"]))
    assert (moved.boundary_before, moved.boundary, moved.segment) == (70, 30, "trade")


def test_a_segment_keeps_its_ranking_while_others_are_listed_anew() -> None:
    """The rest is another one then: who was in it may have got a segment of its own."""
    more = BEST | {"within": {"measure": "industry", "segments": ["trade", "retail", "oil"]}}
    one, two = (compile_policy(document(grading)) for grading in (BEST, more))
    names = [{r.segment[1].value: r.name for r in p.rankings if r.segment} for p in (one, two)]
    assert names[0]["retail"] == names[1]["retail"]
    assert names[0]["trade"] == names[1]["trade"]
    assert names[0][""] != names[1][""]
    assert len(set(names[1].values())) == 4


def test_a_reading_may_move_between_the_cuts_of_ones_own_segment() -> None:
    """An order that passes the cut of another costs no evaluation; a new segment has new cuts."""
    plan = compile_policy(document(), census(document(), ROWS))
    scorer, customer = Scorer(plan), Customer("c1", plan.shape)
    (spent,) = plan.watched
    assert spent.cuts == (70, 500, 900)
    industries = {"retail": 900, "trade": 70, None: 500}
    for record_ms, (industry, level) in enumerate(industries.items(), start=1):
        scorer.describe(customer, record_ms, f"e{record_ms}", {"industry": industry})
        assert customer.high == [level]
