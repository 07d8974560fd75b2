"""Gradings whose boundaries the population sets: segments, cells, four classes, ABC."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from schemas.policy import parse_policy
from schemas.policy.gradings.rfm import SEGMENT_LABELS
from stream.customer import Grade
from stream.gradings.base import Reading
from stream.plan import compile_policy
from stream.population.census import census
from stream.sentinels import MISSING
from tests.properties.driver import Run
from tests.unit.stream.policies import bands, happened, policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MEASURES = {
    "r": {"days_since": "last_order"},
    "f": {"attribute": "f", "type": "number"},
    "m": {"attribute": "m", "type": "number"},
}
AXES = (("recency", "r"), ("frequency", "f"), ("monetary", "m"))


def graded(rule: Mapping[str, Any], rows: Sequence[tuple[int, ...]]) -> list[str | None]:
    """Return the grade of each customer by the census of all; rows are (r, f, m)."""
    data = {
        "policy": "unit",
        "version": 1,
        "time_zone": "UTC",
        "currency": "USD",
        "measures": MEASURES,
        "gradings": {"it": rule},
    }
    document = parse_policy(json.dumps(data), "unit.yaml")
    (grading,) = compile_policy(document, census(document, rows)).gradings
    return [grading.tier(Reading(0, row, [None]), Grade()) for row in rows]


def high(how: str) -> dict[str, Any]:
    axes = {axis: {"measure": measure, "high": how} for axis, measure in AXES}
    return {"type": "rfm_segments"} | axes


@pytest.mark.parametrize("how", ["mean", "median"])
@pytest.mark.parametrize(
    ("arrows", "chinese"),
    [
        ("↑↑↑", "重要价值客户"),
        ("↓↑↑", "重要保持客户"),
        ("↑↓↑", "重要发展客户"),
        ("↓↓↑", "重要挽留客户"),
        ("↑↑↓", "一般价值客户"),
        ("↓↑↓", "一般保持客户"),
        ("↑↓↓", "一般发展客户"),
        ("↓↓↓", "一般挽留客户"),
    ],
)
def test_g5_the_eight_segments_of_seed_002_by_the_population(
    how: str, arrows: str, chinese: str
) -> None:
    """Bits R, F, M against the mean or median; R is up where the last order is recent (002)."""
    everyone = [
        (5 if r else 95, 9 if f else 1, 900 if m else 100)
        for r, f, m in product((True, False), repeat=3)
    ]
    bits = tuple(arrow == "↑" for arrow in arrows)
    place = list(product((True, False), repeat=3)).index(bits)
    segment = graded(high(how), everyone)[place]
    assert segment is not None
    assert SEGMENT_LABELS[segment].zh == chinese


def test_who_is_exactly_average_is_high_in_f_and_m_and_not_recent() -> None:
    """High is from the mean up; recent is below the mean number of days (seed 002)."""
    rows = [(10, 4, 100), (30, 6, 300), (20, 5, 200)]
    assert graded(high("mean"), rows)[2] == "important_keep"


def test_the_mean_is_exact_where_it_is_no_integer() -> None:
    """Mean 4/3: 1 is below it and 2 is not; days below 4/3 are 0 and 1."""
    rows = [(1, 1, 1), (1, 1, 1), (2, 2, 2)]
    assert graded(high("mean"), rows) == [
        "general_develop",
        "general_develop",
        "important_keep",
    ]


def test_g6_quintiles_of_125_customers_make_125_cells_of_one() -> None:
    """Seed 002: each of R, F and M in five equal parts; 5 * 5 * 5 = 125 cells."""
    rows = [(10 * r, 10 * f, 10 * m) for r, f, m in product(range(1, 6), repeat=3)]
    rule = {"type": "rfm_cells"} | {
        axis: {"measure": measure, "cuts": "quintiles"} for axis, measure in AXES
    }
    cells = graded(rule, rows)
    assert len(set(cells)) == len(rows) == 125
    assert cells[rows.index((10, 50, 50))] == "555"
    assert cells[rows.index((50, 10, 10))] == "111"


def cells_rule(**more: object) -> dict[str, Any]:
    axes = {axis: {"measure": measure, "cuts": [2, 3, 4, 5]} for axis, measure in AXES}
    return {"type": "rfm_cells"} | axes | more


def ranks(rule: Mapping[str, Any]) -> list[str]:
    (grading,) = policy(MEASURES, {"it": rule}).gradings
    return sorted(grading.tiers, key=lambda tier: -(grading.rank(tier) or 0))


def test_cells_are_ordered_by_score_then_by_r_f_and_m() -> None:
    """R counts more than F, F more than M, unless the policy weighs otherwise (seed 002)."""
    order = ranks(cells_rule())
    assert len(set(order)) == 125
    assert order[0] == "555"
    assert order[-1] == "111"
    assert order.index("511") < order.index("151") < order.index("115")
    weighed = cells_rule(weights={"recency": "20%", "frequency": "30%", "monetary": "50%"})
    order = ranks(weighed)
    assert order.index("115") < order.index("151") < order.index("511")


@pytest.mark.parametrize(
    ("values", "code", "score"),
    [((0, 9, 9), "555", 100), ((9, 0, 0), "111", 20), ((4, 3, 2), "232", Fraction(46))],
)
def test_the_parts_of_a_cells_score_add_up(
    values: tuple[int, ...], code: str, score: Fraction
) -> None:
    """20 points for each step of a digit, by 50, 30 and 20 %."""
    (grading,) = policy(MEASURES, {"it": cells_rule()}).gradings
    reading = Reading(0, values, [None])
    found = grading.score(reading)
    assert grading.tier(reading, Grade()) == code
    assert found is not None
    assert found.value == score == sum(part.contribution for part in found.parts)
    assert [part.indicator for part in found.parts] == ["recency", "frequency", "monetary"]


FOUR = {
    "type": "rfm_classes",
    "recency": {"measure": "r", "high_below": 90},
    "frequency": {"measure": "f", "high_from": 3},
    "monetary": {"measure": "m", "mid_from": 100, "high_from": 200},
}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((89, 3, 200), "high_value"),  # 高价值客户: R高 F高 M高
        ((90, 3, 199), "important_win_back"),  # 重要挽留客户: R低 F高 M中
        ((89, 2, 99), "new"),  # 新客户: R高 F低 M低
        ((90, 2, 99), "low_value"),  # 低价值客户: R低 F低 M低
        ((90, 3, 200), "other"),
        ((89, 3, 100), "other"),
        ((90, 2, 100), "other"),
        ((MISSING, 0, 0), "low_value"),
    ],
)
def test_the_four_classes_of_seed_002_and_other(row: tuple[int, ...], expected: str) -> None:
    """The seed defines four of the twelve combinations; the rest is said to be the rest."""
    assert graded(FOUR, [row]) == [expected]


def test_the_four_classes_leave_eight_of_twelve_combinations_to_other() -> None:
    rows = list(product((0, 365), (0, 9), (0, 150, 900)))
    grades = graded(FOUR, rows)
    assert len(rows) == 12
    assert grades.count("other") == 8


def test_the_four_classes_by_the_population() -> None:
    """Mean, median and terciles instead of levels."""
    rule = FOUR | {
        "recency": {"measure": "r", "high": "mean"},
        "frequency": {"measure": "f", "high": "median"},
        "monetary": {"measure": "m", "cuts": "terciles"},
    }
    rows = [(10, 9, 900), (100, 9, 500), (10, 1, 10), (100, 1, 10), (100, 9, 900), (10, 1, 500)]
    assert graded(rule, rows) == [
        "high_value",
        "important_win_back",
        "new",
        "low_value",
        "other",
        "other",
    ]


def abc(**more: object) -> dict[str, Any]:
    return {"type": "pareto", "measure": "m"} | more


def by_value(values: Iterable[int]) -> list[tuple[int, ...]]:
    return [(0, 0, value) for value in values]


def test_g8_the_18_of_100_customers_with_80_of_100_million_are_a() -> None:
    """Seed 001: 18 customers order for 8,000 of 10,000 (万), the other 82 for 2,000."""
    best = [4_000_000] * 8 + [4_800_000] * 10
    others = [243_902] * 81 + [243_938]
    assert (sum(best), sum(others)) == (80_000_000, 20_000_000)
    grades = graded(abc(), by_value(best + others))
    assert grades[:18] == ["a"] * 18
    assert "a" not in grades[18:]
    assert set(grades[18:]) == {"b"}, "82 who bring the same stay together"


def test_abc_is_80_95_100_unless_the_policy_says_otherwise() -> None:
    values = by_value([50, 30, 10, 5, 3, 2, 0, -40])
    assert graded(abc(), values) == ["a", "a", "b", "b", "c", "c", "c", "c"]
    two = [{"class": "key", "share": "80%"}, {"class": "rest"}]
    assert graded(abc(classes=two), values) == ["key"] * 2 + ["rest"] * 6


def test_who_brings_nothing_or_a_loss_is_in_the_last_class() -> None:
    """A loss takes nothing off the total: the shares are those of what was brought."""
    assert graded(abc(), by_value([100, -1_000])) == ["a", "c"]
    assert graded(abc(), by_value([0, -5])) == ["c", "c"]
    assert graded(abc(), by_value([100, MISSING])) == ["a", "c"]


PYRAMIDS = {
    "four tiers of seed 002 (铂金 黄金 钢铁 铅)": ("platinum", "gold", "iron", "lead"),
    "three tiers of seed 000 (高价值 高潜力 普通)": ("high_value", "high_potential", "ordinary"),
    "four kinds of seed 001 (VIP 重要 普通 潜在)": ("vip", "important", "ordinary", "potential"),
}


@pytest.mark.parametrize("names", PYRAMIDS.values(), ids=PYRAMIDS)
def test_g7_a_pyramid_of_any_tiers_stands_on_contribution(names: tuple[str, ...]) -> None:
    """Bands over contribution: any number of tiers with any names; a loss is at the bottom."""
    levels = {name: 1_000 * 10**step for step, name in enumerate(reversed(names[:-1]))}
    ladder = bands("contribution", **dict(reversed(levels.items())))
    ladder["tiers"][-1] = {"tier": names[-1]}
    plan = policy({"contribution": {"attribute": "c", "type": "number"}}, {"pyramid": ladder})
    for step, name in enumerate(reversed(names)):
        for value in (-500, 0, 999) if step == 0 else (10 ** (step + 2), 10 ** (step + 3) - 1):
            run = Run(plan)
            run.apply([happened("profile.changed", 1, 852_076_800_000, attributes={"c": value})])
            assert run.grades() == {"pyramid": name}


@pytest.mark.parametrize("money", ["sum", "average"])
def test_m_may_be_cumulative_or_average(money: str) -> None:
    """Seed 002 names both: what was bought in all, and on average each time."""
    measures = {"r": MEASURES["r"], "f": {"count": "orders"}, "m": {money: "revenue"}}
    (grading,) = policy(measures, {"it": cells_rule()}).gradings
    assert grading.cuts[2] == (200, 300, 400, 500)
