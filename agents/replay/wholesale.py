"""An invented wholesaler of industrial parts: 900 business customers over two years.

Made up so that every kind of grading has something to show, where the public order logs hold
nothing but orders: costs, profiles, surveys, visits, complaints, stages of the sale. The same
seed gives the same log, byte for byte. No person and no firm is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from agents.replay.log import LogRecord, OrderRow, order_records
from schemas.base import instant_ms, parse_instant
from stream.calendar import DAY_MS, format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

DATASET: Final = "wholesale"
CUSTOMERS: Final = 900
_FIRST_MS: Final = instant_ms(parse_instant("2024-07-01T00:00:00+08:00"))
_DAYS: Final = 730
_SEED: Final = 20_240_701
_CURRENCY: Final = "CNY"
_REGIONS: Final = ("shanghai", "jiangsu", "zhejiang", "guangdong", "shandong", "sichuan", "hubei")
_INDUSTRIES: Final = ("machinery", "electronics", "automotive", "chemicals", "steel", "food")
_OWNERS: Final = ("chen", "li", "wang", "zhao", "liu")
_encode = msgspec.json.Encoder().encode


class _Habit(NamedTuple):
    """How one kind of customer behaves.

    Attributes:
        share: Weight of the kind among customers.
        gap_days: Usual days between two orders.
        yuan: Usual amount of an order.
        cost: Usual share of the amount that it costs us.
        drift: By how much the gap grows with each order: below 1 for growing customers.
        stays: Share of those who never stop ordering.
        headcount: Usual size.
        liking: Usual answer to a survey.
    """

    share: int
    gap_days: float
    yuan: float
    cost: float
    drift: float
    stays: float
    headcount: int
    liking: int


_HABITS: Final = {
    "key": _Habit(3, 9, 52_000, 0.72, 1.0, 0.85, 1_400, 82),
    "growing": _Habit(9, 40, 15_000, 0.70, 0.94, 0.9, 320, 84),
    "steady": _Habit(24, 34, 9_500, 0.74, 1.0, 0.8, 220, 78),
    "bargain": _Habit(10, 30, 14_000, 0.955, 1.0, 0.75, 260, 66),
    "fading": _Habit(14, 26, 11_000, 0.76, 1.16, 0.1, 240, 58),
    "small": _Habit(26, 75, 2_400, 0.68, 1.02, 0.5, 45, 72),
    "once": _Habit(9, 900, 1_800, 0.66, 1.0, 0.0, 25, 70),
    "prospect": _Habit(5, 0, 0, 0, 1.0, 0.0, 150, 0),
}


@dataclass(slots=True)
class _Story:
    """One customer while its two years are told."""

    customer_id: str
    random: Random
    habit: _Habit
    name: str
    records: list[LogRecord]
    orders: list[OrderRow]

    def tell(self, topic: str, day: float, kind: str, **details: object) -> None:
        """Let something other than an order happen on *day*, if that is in the two years."""
        if not 0 <= day < _DAYS:
            return
        at_ms = _at(day)
        value = _encode(
            {
                "schema_version": 1,
                "event_id": f"{self.customer_id}:{kind}:{at_ms}",
                "occurred_at": format_instant(at_ms),
                "customer_id": self.customer_id,
                "kind": kind,
                **details,
            }
        )
        self.records.append(LogRecord(topic, self.customer_id.encode(), value, at_ms))


def wholesale_records(customers: int = CUSTOMERS) -> Iterator[LogRecord]:
    """Yield every record of the wholesaler's first *customers*, customer by customer."""
    kinds = [name for name, habit in _HABITS.items() for _ in range(habit.share)]
    for number in range(customers):
        random = Random(_SEED + number)  # noqa: S311 - makes a story, hides nothing
        name = random.choice(kinds)
        story = _Story(f"C{20_000 + 7 * number}", random, _HABITS[name], name, [], [])
        _live(story)
        yield from story.records
        yield from order_records(story.orders)


def _live(story: _Story) -> None:
    random, habit = story.random, story.habit
    joined = random.uniform(0, 20) if random.random() < 0.55 else random.uniform(20, _DAYS - 20)  # noqa: PLR2004
    headcount = max(4, int(habit.headcount * random.lognormvariate(0, 0.6)))
    attributes = {
        "industry": random.choice(_INDUSTRIES),
        "region": random.choice(_REGIONS),
        "owner": random.choice(_OWNERS),
        "headcount": headcount,
        "our_share": _within(int(random.gauss(habit.liking - 38, 16)), 1, 95),
        "growth_outlook": _within(int(random.gauss(45 + 12 * (habit.drift < 1), 22)), 0, 100),
    }
    story.tell("profiles", joined, "profile.changed", attributes=attributes)
    story.tell("interactions", joined + 1, "stage.changed", details={"stage": "demand"})
    if story.name == "prospect":
        story.tell("interactions", joined + 9, "visit")
        return
    story.tell("interactions", joined + 3, "stage.changed", details={"stage": "contract"})
    last = _order(story, joined + 5, headcount)
    story.tell("interactions", joined + 12, "stage.changed", details={"stage": "operation"})
    _keep_in_touch(story, joined + 20, last)


def _order(story: _Story, begun: float, headcount: int) -> float:
    """Let orders come from day *begun* on; return the day of the last one."""
    random, habit = story.random, story.habit
    size = (headcount / habit.headcount) ** 0.5
    stops = _DAYS if random.random() < habit.stays else begun + random.uniform(60, 520)
    gap, day, last, number = habit.gap_days * random.lognormvariate(0, 0.25), begun, begun, 0
    while day < min(stops, _DAYS):
        number += 1
        last = day
        minor = int(habit.yuan * size * random.lognormvariate(0, 0.45)) * 100 + 100
        cost = int(minor * _within_share(random.gauss(habit.cost, 0.05)))
        _row(story, day, number, "paid", minor, cost)
        if random.random() < 0.025:  # noqa: PLR2004 - one in forty comes back, in part
            _row(story, day + random.uniform(2, 9), number, "refunded", minor // 3, None)
        if random.random() < 0.03:  # noqa: PLR2004 - and a few are paid late
            late = {"days": int(random.uniform(5, 70))}
            story.tell("interactions", day + 40, "payment.overdue", details=late)
        gap = max(3.0, gap * habit.drift)
        day += gap * random.lognormvariate(0, 0.4)
    return last


def _row(story: _Story, day: float, number: int, kind: str, minor: int, cost: int | None) -> None:
    if day >= _DAYS:
        return
    at_ms = _at(day)
    story.orders.append(
        OrderRow(
            story.customer_id,
            str(number),
            "paid" if kind == "paid" else "refunded",
            format_instant(at_ms),
            at_ms,
            minor,
            _CURRENCY,
            cost,
        )
    )


def _keep_in_touch(story: _Story, begun: float, last: float) -> None:
    """Visits, surveys and complaints, until some time after the *last* order."""
    random, habit = story.random, story.habit
    day = begun
    while day < min(last + 60, _DAYS):
        story.tell("interactions", day, "visit")
        if random.random() < 0.6:  # noqa: PLR2004
            score = _within(int(random.gauss(habit.liking, 10)), 0, 100)
            story.tell("interactions", day + 2, "survey", details={"score": score})
        if random.random() < 0.08:  # noqa: PLR2004
            story.tell("interactions", day + 5, "complaint")
            story.tell("interactions", day + 5 + random.uniform(1, 12), "complaint.resolved")
        if habit.drift < 1 and random.random() < 0.15:  # noqa: PLR2004
            story.tell("interactions", day + 8, "referral")
        day += random.uniform(50, 110)


def _at(day: float) -> int:
    """Return the instant of a day of the story: in the hours of work, to the second."""
    whole = int(day)
    second = int((day - whole) * 9 * 3_600)
    return _FIRST_MS + whole * DAY_MS + (9 * 3_600 + second) * 1_000


def _within(number: int, low: int, high: int) -> int:
    return min(max(number, low), high)


def _within_share(share: float) -> float:
    return min(max(share, 0.4), 1.02)
