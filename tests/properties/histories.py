"""Random histories of one customer: orders, refunds before and after, late and repeated records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.properties.policies import KINDS, STAGES

HOUR = 3_600_000
DAY = 24 * HOUR
# A week before daylight saving ends in New York and begins on Lord Howe Island had begun.
STARTS = [
    datetime(2024, 10, 24, tzinfo=UTC),
    datetime(2024, 3, 5, tzinfo=UTC),
    datetime(2024, 3, 28, tzinfo=UTC),
    datetime(2024, 10, 3, tzinfo=UTC),
]
# Few instants within a day, so that days, deadlines and records often meet to the millisecond.
MOMENTS = [0, 1, 4 * HOUR, 5 * HOUR, 9 * HOUR, 12 * HOUR, 16 * HOUR, DAY - 1]
AMOUNTS = [0, 1, 49, 50, 50, 51, 99, 100, 100, 150, 1_000]
Event = dict[str, Any]


def epoch_ms(moment: datetime) -> int:
    """Return an aware datetime as milliseconds since the epoch."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@st.composite
def histories(
    draw: st.DrawFn, *, max_size: int = 14, days: int = 24, lateness: bool = True
) -> list[Event]:
    """Return records in the order in which they arrive; record times may go backwards.

    Without *lateness* every record carries its own instant, in order.
    """
    start = epoch_ms(draw(st.sampled_from(STARTS)))
    currencies = draw(
        st.sampled_from([["EUR"], ["JPY"], ["KWD"], ["EUR", "EUR", "JPY"], ["EUR", "JPY", "KWD"]])
    )
    events: list[Event] = []
    for number in range(draw(st.integers(1, max_size))):
        event = draw(_event(number, currencies))
        event["event_id"] = f"e{number}"
        event["at_ms"] = start + draw(st.integers(0, days)) * DAY + draw(st.sampled_from(MOMENTS))
        delay = 0
        if lateness and not draw(st.integers(0, 3)):
            delay = draw(st.sampled_from([-HOUR, 1, HOUR, 5 * HOUR, DAY, 3 * DAY, 12 * DAY]))
        event["record_ms"] = event["at_ms"] + delay
        events.append(event)
    events.sort(key=lambda event: event["record_ms"])
    if lateness and len(events) > 1 and not draw(st.integers(0, 3)):
        place = draw(st.integers(1, len(events) - 1))
        events[place - 1], events[place] = events[place], events[place - 1]
    return events


@st.composite
def _event(draw: st.DrawFn, number: int, currencies: list[str]) -> Event:
    kind = draw(
        st.sampled_from(["paid"] * 6 + ["refunded"] * 2 + ["cancelled", "interaction", "profile"])
    )
    if kind == "interaction":
        event: Event = {"kind": draw(st.sampled_from(KINDS))}
        if event["kind"] in {"survey", "payment.overdue"}:
            event["value"] = draw(st.sampled_from([0, 1, 20, 79, 80, 100]))
        if event["kind"] == "payment.received":
            event["bill_currency"] = draw(st.sampled_from(currencies))
        if event["kind"] == "stage.changed":
            event["value"] = draw(st.integers(0, len(STAGES) - 1))
        return event
    if kind == "profile":
        names = st.sampled_from(["industry", "headcount", "colour"])
        values = st.sampled_from(["steel", "cement", 7, 20, 0, True, None])
        attributes = draw(st.dictionaries(names, values, min_size=1, max_size=2))
        return {"kind": "profile.changed", "attributes": attributes}
    # Later orders can be named too: their refunds then come first.
    other = f"o{draw(st.integers(max(0, number - 4), number + 1))}"
    if kind == "cancelled":
        return {"kind": "order.cancelled", "order_id": other}
    money = {"currency": draw(st.sampled_from(currencies))}
    if kind == "refunded":
        amount = draw(st.sampled_from([n for n in AMOUNTS if n]))
        return {"kind": "order.refunded", "order_id": other, "amount_minor": amount} | money
    event = {"kind": "order.paid", "order_id": f"o{number}", **money}
    event["amount_minor"] = draw(st.sampled_from(AMOUNTS))
    if draw(st.booleans()):
        event["cost_minor"] = draw(st.sampled_from([0, 1, 50, 120]))
    return event
