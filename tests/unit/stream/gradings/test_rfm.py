"""RFM by fixed cuts: 125 cells and eight segments (seeds 001 and 002)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, happened, paid, policy

if TYPE_CHECKING:
    from collections.abc import Mapping

T0 = 852_076_800_000
MEASURES = {
    "recency": {"days_since": "last_order"},
    "f": {"attribute": "f", "type": "number"},
    "m": {"attribute": "m", "type": "number"},
}
CELLS = {
    "type": "rfm_cells",
    "recency": {"measure": "recency", "cuts": [30, 60, 90, 180]},
    "frequency": {"measure": "f", "cuts": [2, 3, 5, 10]},
    "monetary": {"measure": "m", "cuts": [50, 100, 200, 500]},
}
SEGMENTS = {
    "type": "rfm_segments",
    "recency": {"measure": "recency", "high_below": 90},
    "frequency": {"measure": "f", "high_from": 3},
    "monetary": {"measure": "m", "high_from": 200},
}
CELL_PLAN = policy(MEASURES, {"rfm": CELLS})
SEGMENT_PLAN = policy(MEASURES, {"rfm": SEGMENTS})
RECENCY = {5: (0, 29), 4: (30, 59), 3: (60, 89), 2: (90, 179), 1: (180, 999)}
FREQUENCY = {1: (0, 1), 2: (2, 2), 3: (3, 4), 4: (5, 9), 5: (10, 99)}
MONETARY = {1: (-7, 49), 2: (50, 99), 3: (100, 199), 4: (200, 499), 5: (500, 9_999)}


def grade(rule: Mapping[str, object], days: int | None, f: int, m: int) -> str | None:
    """Return the grade of a customer whose last order was *days* ago."""
    run = Run(CELL_PLAN if rule is CELLS else SEGMENT_PLAN)
    if days is not None:
        run.apply([paid(1, T0)])
    now = T0 + (days or 0) * DAY
    run.apply([happened("profile.changed", 1, now, attributes={"f": f, "m": m})])
    return run.grades()["rfm"]


def test_all_125_cells_at_both_ends_of_every_digit() -> None:
    """Recency counts fewer days as better; the other two digits rise with the measure."""
    seen = set()
    for r, f, m in product(RECENCY, FREQUENCY, MONETARY):
        for end in (0, 1):
            code = grade(CELLS, RECENCY[r][end], FREQUENCY[f][end], MONETARY[m][end])
            assert code == f"{r}{f}{m}"
        seen.add(code)
    assert len(seen) == 125


def test_who_never_ordered_stands_in_the_worst_part() -> None:
    assert grade(CELLS, None, 10, 500) == "155"
    assert grade(SEGMENTS, None, 3, 200) == "important_keep"


@pytest.mark.parametrize(
    ("recent", "frequent", "valuable", "segment"),
    [
        (True, True, True, "important_value"),  # 重要价值
        (False, True, True, "important_keep"),  # 重要保持
        (True, False, True, "important_develop"),  # 重要发展
        (False, False, True, "important_win_back"),  # 重要挽留
        (True, True, False, "general_value"),  # 一般价值
        (False, True, False, "general_keep"),  # 一般保持
        (True, False, False, "general_develop"),  # 一般发展
        (False, False, False, "general_win_back"),  # 一般挽留
    ],
)
def test_the_eight_segments_and_their_bits(
    recent: bool,  # noqa: FBT001 - a parameter
    frequent: bool,  # noqa: FBT001 - a parameter
    valuable: bool,  # noqa: FBT001 - a parameter
    segment: str,
) -> None:
    """Bits in the order R, F, M; R is high where the last order is recent (seed 001)."""
    days, f, m = 89 if recent else 90, 3 if frequent else 2, 200 if valuable else 199
    assert grade(SEGMENTS, days, f, m) == segment


def test_a_silent_customer_walks_down_the_cells_day_by_day() -> None:
    run = Run(CELL_PLAN)
    run.apply([paid(1, T0)])
    run.wake(T0 + 400 * DAY)
    assert [(c.after, (c.instant_ms - T0) // DAY) for c in run.changes] == [
        ("511", 0),
        ("411", 30),
        ("311", 60),
        ("211", 90),
        ("111", 180),
    ]
    assert all((c.instant_ms - T0) % DAY == 0 for c in run.changes)
    assert [c.direction for c in run.changes] == ["first", "down", "down", "down", "down"]


def test_segments_have_no_up_and_down() -> None:
    run = Run(SEGMENT_PLAN)
    run.apply([paid(1, T0)])
    run.wake(T0 + 90 * DAY)
    assert [c.direction for c in run.changes] == ["first", "lateral"]
