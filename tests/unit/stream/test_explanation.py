"""An explanation: parts that add up, distances that are true, a forecast that comes true."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.replay.log import OrderRow, order_records, sorted_log
from agents.replay.offline import OfflineResult, replay_offline
from stream.calendar import DAY_MS, format_instant
from stream.explanation import POINTS, explain
from tests.unit.replay.histories import small_plan

PLAN = small_plan()
START_MS = 19_700 * DAY_MS


def paid(*orders: tuple[int, int], days: int = 0) -> OfflineResult:
    """Replay orders of one customer, each (day, cents); let time pass *days* after the last."""
    rows = [
        OrderRow("c", str(n), "paid", format_instant(at), at, cents, "USD")
        for n, (day, cents) in enumerate(orders)
        for at in [START_MS + day * DAY_MS]
    ]
    log = sorted_log(order_records(rows))
    return replay_offline(log, PLAN, as_of_ms=log[-1].record_ms + days * DAY_MS)


histories = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 15_000)), min_size=1, max_size=8)


@given(histories)
def test_the_parts_of_a_score_and_its_rounding_add_up_exactly(
    orders: list[tuple[int, int]],
) -> None:
    found = explain("c", paid(*orders).states["c"], PLAN, 0)
    score = found.gradings[1].score
    assert score is not None
    assert sum((part.contribution for part in score.parts), score.rounding) == score.value


@given(histories)
def test_what_is_missing_is_what_one_more_order_must_bring(orders: list[tuple[int, int]]) -> None:
    """The missing amount earns the better tier, and a cent less does not."""
    result = paid(*orders)
    found = explain("c", result.states["c"], PLAN, 0)
    standing = found.gradings[0].standing
    assert standing is not None
    if standing.better is None or standing.missing is None:
        return
    last = max(day for day, _ in orders)
    for cents, expected in ((standing.missing, True), (standing.missing - 1, False)):
        after = explain("c", paid(*orders, (last, cents)).states["c"], PLAN, 0)
        assert (after.gradings[0].tier == standing.better[0]) is expected


@given(histories)
def test_what_is_expected_happens_at_that_instant_if_nothing_else_does(
    orders: list[tuple[int, int]],
) -> None:
    result = paid(*orders)
    found = explain("c", result.states["c"], PLAN, 0)
    later = explain("c", paid(*orders, days=90).states["c"], PLAN, 0)
    for now, then in zip(found.gradings, later.gradings, strict=True):
        expected = now.outlook.forecast
        assert now.outlook.tier == now.tier
        if expected is None:
            assert then.tier == now.tier
        else:
            assert then.sequence > now.sequence
            assert expected.at_ms > result.as_of_ms
            assert expected.tier != now.tier


def test_ranges_hold_the_reading_and_points_are_told_in_points() -> None:
    found = explain("c", paid((0, 6_000)).states["c"], PLAN, START_MS)
    value, score = found.gradings
    (reach,) = value.reaches
    assert (reach.measure, reach.low, reach.value, reach.high) == (
        "revenue_30d",
        5_000,
        6_000,
        8_000,
    )
    assert score.standing is not None
    # 100 * 60 % + 10 * 40 %
    assert (score.standing.unit, score.standing.level, score.standing.missing) == (
        POINTS,
        6_400,
        1_600,
    )
