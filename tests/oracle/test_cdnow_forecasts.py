"""On the CDNOW log every forecast that no order interrupted came true at the instant it named."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from stream.calendar import format_instant
from stream.outbox import TIER_CHANGES, TIER_FORECASTS
from tests.oracle.facts import DAY
from tests.oracle.test_cdnow import POLICY, events_of
from tests.properties.driver import Run, plan_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.properties.histories import Event

FORECASTS = "\nforecasts: {lead_days: 14, in_changes: instant}\n"
FAR = "9999"


class Score(NamedTuple):
    """How many forecasts there were, and what became of them."""

    forecasts: int
    uninterrupted: int
    warnings: int
    withdrawn: int

    def plus(self, other: Score) -> Score:
        """Return the sum."""
        return Score(*(a + b for a, b in zip(self, other, strict=True)))


def test_forecasts_of_a_tenth_of_the_sample_come_true() -> None:
    """236 customers: what changes foretell, and what is warned of."""
    orders = events_of("cdnow-sample")
    found = _score({key: orders[key] for key in sorted(orders)[::10]})
    assert found.uninterrupted > 236
    assert found.warnings > found.withdrawn > 0


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_forecasts_of_every_customer_come_true() -> None:
    """All 69,659 orders of 23,570 customers."""
    found = _score(events_of("cdnow"))
    assert found.uninterrupted > 23_570


def _score(orders: Mapping[str, Sequence[Event]]) -> Score:
    plan = plan_of(POLICY.read_text() + FORECASTS)
    score = Score(0, 0, 0, 0)
    for key, listed in orders.items():
        run = Run(plan, key)
        run.apply(listed)
        run.wake(listed[-1]["record_ms"] + 1_200 * DAY)
        said: dict[str, list[dict[str, Any]]] = {TIER_CHANGES: [], TIER_FORECASTS: []}
        for row in run.rows:
            if row.topic in said and row.value is not None:
                said[row.topic].append(json.loads(row.value))
        score = score.plus(_held(said[TIER_CHANGES], said[TIER_FORECASTS], Orders(listed)))
    return score


class Orders:
    """The orders of a customer, in the order in which they came."""

    def __init__(self, orders: Sequence[Event]) -> None:
        self.instants = [*(format_instant(order["record_ms"]) for order in orders), FAR]
        self._places = {order["event_id"]: place for place, order in enumerate(orders)}

    def after(self, change: Mapping[str, Any]) -> str:
        """Return when the next order came, which may have been at the same instant."""
        cause = change["cause"]["event_id"]
        if cause is None:
            return self.instants[bisect_right(self.instants, change["instant"])]
        return self.instants[self._places[cause] + 1]


def _held(changes: list[dict[str, Any]], warnings: list[dict[str, Any]], orders: Orders) -> Score:
    """Hold every forecast and warning to what happened, and count them."""
    happened = {(c["grading"], c["instant"]): c for c in changes}
    following = {(c["grading"], c["sequence"] - 1): c for c in changes}
    told = uninterrupted = 0
    for change in changes:
        next_order = orders.after(change)
        after = following.get((change["grading"], change["sequence"]))
        forecast = change.get("forecast")
        if forecast is None:
            continue  # nothing was in sight, and nothing was said
        told += 1
        if forecast["at"] < next_order:
            uninterrupted += 1
            assert after is not None, change
            assert (after["instant"], after["to"]) == (forecast["at"], forecast["to"]), change
            assert after["cause"]["kind"] == "time"
        else:
            assert after is None or after["instant"] >= next_order, change
    given = [w for w in warnings if w["status"] == "at_risk"]
    withdrawn = {w["withdraws"] for w in warnings if w["status"] == "withdrawn"}
    assert withdrawn <= {w["id"] for w in given}
    for warning in given:
        fall = happened.get((warning["grading"], warning["expected_at"]))
        came = fall is not None and fall["to"] == warning["expected_tier"]
        issued = bisect_left(orders.instants, warning["issued_at"])
        interrupted = orders.instants[issued] <= warning["expected_at"]
        if warning["id"] in withdrawn:
            assert interrupted, warning
        else:
            assert came, warning
    return Score(told, uninterrupted, len(given), len(withdrawn))
