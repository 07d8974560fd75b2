"""What is proved of small policies, of which the answer is known beforehand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.policy import parse_policy
from stream.proofs import reach as reaching
from stream.proofs.judge import Judge
from stream.proofs.report import Proven, Report, prove
from stream.sentinels import MISSING

REVENUE = {"sum": "revenue", "window": "365d"}
ORDERS = {"count": "orders", "window": "365d"}
AVERAGE = {"average": "revenue", "window": "365d"}
RECENCY = {"days_since": "last_order"}
REST = ("rest", None)


def proof(measures: dict[str, Any], **gradings: dict[str, Any]) -> Report:
    policy = {
        "policy": "unit",
        "version": 1,
        "time_zone": "UTC",
        "currency": "USD",
        "measures": measures,
        "gradings": gradings,
    }
    return prove(parse_policy(json.dumps(policy), "unit.yaml"))


def bands(measure: str, *levels: tuple[str, Any]) -> dict[str, Any]:
    tiers = [{"tier": tier, "enter": enter} for tier, enter in levels]
    return {"type": "bands", "measure": measure, "tiers": [*tiers, {"tier": "rest"}]}


def card(indicators: dict[str, Any], enter: int = 50) -> dict[str, Any]:
    return {
        "type": "weighted_scorecard",
        "rounding": {"mode": "truncate", "places": 0},
        "indicators": indicators,
        "tiers": [{"tier": "top", "enter": enter}, {"tier": "rest"}],
    }


def ranges(measure: str, level: Any, below: int, above: int) -> dict[str, Any]:
    rows = [{"below": level, "points": below}, {"points": above}]
    return {"measure": measure, "ranges": rows}


def rules(*levels: tuple[str, dict[str, Any] | None]) -> dict[str, Any]:
    made = [{"level": name} | ({"when": when} if when else {}) for name, when in levels]
    return {"type": "conditions", "levels": made}


def both(*tests: dict[str, Any]) -> dict[str, Any]:
    return {"all": list(tests)}


def warnings(report: Report) -> list[str]:
    return [remark.text for remark in report.remarks if remark.severity == "warning"]


def only(report: Report) -> Proven:
    (proven,) = report.gradings
    return proven


def test_a_witness_is_in_the_units_of_the_policy() -> None:
    """Money with its currency, days as days, percents as percents."""
    report = proof(
        {"revenue": REVENUE, "recency": RECENCY, "growth": {"growth": "revenue", "window": "90d"}},
        value=bands("revenue", ("gold", 1000.5)),
        silence=bands("recency", ("old", 30)),
        rising=bands("growth", ("up", "12.5%")),
    )
    first = [next(iter(proven.witnesses.values())) for proven in report.gradings]
    assert first == [{"revenue": "1000.50 USD"}, {"recency": "30 days"}, {"growth": "12.5%"}]


def test_readings_that_contradict_each_other_reach_nothing() -> None:
    """Silence for as long as a window means that there was no order in it."""
    odd = both({"measure": "recency", "at_least": 365}, {"measure": "orders", "at_least": 1})
    report = proof({"recency": RECENCY, "orders": ORDERS}, care=rules(("odd", odd), REST))
    assert only(report).never == 1
    assert "nobody can be odd" in warnings(report)[0]
    longer = ORDERS | {"window": "366d"}
    report = proof({"recency": RECENCY, "orders": longer}, care=rules(("odd", odd), REST))
    assert only(report).witnesses["odd"] == {"recency": "365 days", "orders": "1"}


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ({"sum": "revenue", "window": "30d"}, {"sum": "revenue", "window": "365d"}),
        ({"sum": "revenue", "window": "30d"}, {"sum": "gross", "window": "30d"}),
        ({"sum": "refunded", "window": "30d"}, {"sum": "gross"}),
        ({"sum": "contribution", "window": "30d"}, {"sum": "revenue", "window": "30d"}),
        ({"sum": "gross", "window": "30d", "before": "60d"}, {"sum": "gross", "window": "90d"}),
        ({"average": "revenue", "window": "30d"}, {"sum": "revenue", "window": "30d"}),
        ({"average": "gross", "window": "30d"}, {"max": "gross"}),
        ({"max": "gross", "window": "30d"}, {"max": "gross"}),
        ({"last": "gross"}, {"max": "gross"}),
    ],
)
def test_a_part_is_never_more_than_the_whole(small: dict[str, Any], large: dict[str, Any]) -> None:
    """And the other way round it may well be."""
    odd = both({"measure": "one", "at_least": 10}, {"measure": "other", "below": 10})
    care = rules(("odd", odd), REST)
    assert only(proof({"one": small, "other": large}, care=care)).never == 1
    assert only(proof({"one": large, "other": small}, care=care)).reached == 2


def test_a_witness_multiplies_out() -> None:
    """The total is the average times the number of orders, and none is above the largest."""
    many = both(
        {"measure": "revenue", "at_least": 1000},
        {"measure": "orders", "at_least": 3},
        {"measure": "average", "below": 400},
        {"measure": "largest", "below": 500},
    )
    report = proof(
        {"revenue": REVENUE, "orders": ORDERS, "average": AVERAGE, "largest": {"max": "gross"}},
        care=rules(("many", many), REST),
    )
    revenue, orders, average, largest = map(int, report.reached[0].found["many"].values)
    assert abs(revenue - average * orders) * 2 <= orders
    assert revenue <= orders * largest


def test_tiers_of_gradings_over_gradings_are_reached() -> None:
    """The witness names the measures at the bottom."""
    gold = {"grading": "value", "is": ["gold"]}
    report = proof(
        {"revenue": REVENUE, "recency": RECENCY},
        value=bands("revenue", ("gold", 1000)),
        care=rules(("rescue", both(gold, {"measure": "recency", "at_least": 90})), REST),
        again=rules(("call", {"grading": "care", "is": ["rescue"]}), REST),
    )
    assert [proven.reached for proven in report.gradings] == [2, 2, 2]
    assert report.gradings[2].witnesses["call"] == {"revenue": "1000.00 USD", "recency": "90 days"}


def test_what_is_too_much_to_look_at_is_not_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note says so; nothing is called unreachable."""
    odd = both({"measure": "revenue", "below": 5}, {"measure": "revenue", "at_least": 5})
    care = rules(("odd", odd), REST)
    assert only(proof({"revenue": REVENUE}, care=care)).never == 1
    monkeypatch.setattr(reaching, "LEAVES", 1)
    report = proof({"revenue": REVENUE}, care=care)
    assert (only(report).reached, only(report).never) == (1, 0)
    notes = [remark.text for remark in report.remarks if remark.severity == "note"]
    assert "not proved whether odd can be reached" in notes[0]


@pytest.mark.parametrize(("enter", "reached"), [(58, 2), (59, 1)])
def test_a_score_that_no_points_come_to(enter: int, reached: int) -> None:
    """Proved by every sum there is: 40 for the survey, 18 for money."""
    indicators = {
        "opinion": {"weight": "40%", "points_from": "survey"},
        "money": {"weight": "60%", "ranges": ranges("revenue", 10, 0, 30)},
    }
    measures = {"revenue": REVENUE, "survey": {"last": "survey"}}
    report = proof(measures, score=card(indicators, enter))
    assert only(report).reached == reached
    assert all("the score is never above 58" in text for text in warnings(report))
    assert len(warnings(report)) == 2 - reached


@pytest.mark.parametrize(
    ("measure", "level", "points", "orders"),
    [
        (ORDERS, 3, (10, 90), "proved"),
        (ORDERS, 3, (90, 10), "lowered"),
        (AVERAGE, 30, (10, 90), "lowered"),
        (RECENCY, 30, (90, 10), "proved"),
        (RECENCY, 30, (10, 90), "lowered"),
        ({"sum": "contribution"}, 0, (10, 90), "lowered"),
        ({"max": "gross"}, 30, (10, 90), "proved"),
        ({"last": "gross"}, 30, (10, 90), "lowered"),
        ({"days_since": "first_order"}, 9, (90, 10), "proved"),
        ({"count": "complaint"}, 1, (90, 10), "proved"),
        ({"growth": "revenue", "window": "30d"}, 0, (10, 90), "proved"),
        (REVENUE | {"before": "365d"}, 9, (90, 10), "proved"),
        ({"ratio": {"of": "refunded", "to": "gross"}}, "5%", (10, 90), "open"),
    ],
)
def test_more_orders_never_lower_the_tier_or_an_example_shows_it(
    measure: dict[str, Any], level: Any, points: tuple[int, int], orders: str
) -> None:
    """An example's readings, looked at by themselves, are of the better and the worse tier."""
    score = card({"only": {"weight": "100%", "ranges": ranges("m", level, *points)}})
    report = proof({"m": measure}, score=score)
    assert only(report).orders == orders
    assert (orders == "lowered") == bool(report.examples)
    judge = Judge(report.plan)
    for example in report.examples.values():
        tiers = [judge.fresh(values, [0])[0] for values in (example.before, example.after)]
        assert tiers == ["top", "rest"]


def test_conditions_that_orders_lower_are_only_a_note() -> None:
    """Their levels are often kinds of treatment, neither better nor worse."""
    care = rules(("call", {"measure": "recency", "at_least": 90}), REST)
    report = proof({"recency": RECENCY}, care=care)
    assert only(report).orders == "lowered"
    (remark,) = report.remarks
    assert remark.severity == "note"
    assert "takes a customer from call to rest: recency" in remark.text


def test_a_tag_kept_after_its_rule_counts_for_those_that_look_at_it() -> None:
    """Present for 30 days more: someone may have it with less than it takes to get it."""
    low = {"measure": "revenue", "below": 100}
    fading = both({"grading": "big", "is": ["present"]}, low)
    report = proof(
        {"revenue": REVENUE},
        big={"type": "tag", "add_when": {"measure": "revenue", "at_least": 100}, "keep_days": 30},
        care=rules(("fading", fading), REST),
    )
    assert [proven.reached for proven in report.gradings] == [2, 2]


def test_a_tier_kept_below_its_enter_counts_for_those_that_look_at_it() -> None:
    """Gold is entered at 100 and kept down to 50: someone gold may have less than 60."""
    tiers = [{"tier": "gold", "enter": 100, "exit": 50}, {"tier": "rest"}]
    low = both({"grading": "value", "is": ["gold"]}, {"measure": "revenue", "below": 60})
    report = proof(
        {"revenue": REVENUE},
        value={"type": "bands", "measure": "revenue", "tiers": tiers},
        care=rules(("fading", low), REST),
    )
    assert report.gradings[1].reached == 2
    assert report.reached[1].found["fading"].tiers[0] == "gold"


def test_all_cells_that_can_occur_are_found() -> None:
    """Of 125 cells those with orders in a year of silence are left out, and nothing else."""
    report = proof(
        {"recency": RECENCY, "orders": ORDERS, "revenue": REVENUE},
        rfm={
            "type": "rfm_cells",
            "recency": {"measure": "recency", "cuts": [30, 60, 90, 365]},
            "frequency": {"measure": "orders", "cuts": [1, 2, 3, 4]},
            "monetary": {"measure": "revenue", "cuts": [10, 20, 30, 40]},
        },
    )
    # Four digits of recency with an order or more and any money; else nothing at all.
    assert (only(report).reached, only(report).never) == (4 * 4 * 5 + 1, 125 - 81)
    assert warnings(report) == []


def test_unknown_is_not_zero() -> None:
    """Who never ordered has no recency."""
    new = {"measure": "recency", "is_known": False}
    report = proof({"recency": RECENCY}, care=rules(("new", new), REST))
    assert report.reached[0].found["new"].values == (MISSING,)
