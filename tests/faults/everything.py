"""A log in which everything happens at once, made from a seed. No claims here.

Instants lie on a coarse grid, so that records meet deadlines, censuses and controls at the very
same millisecond: there an order that depended on who was faster would show.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.policy import parse_policy
from stream.calendar import DAY_MS, format_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START_MS = 852_076_800_000  # 1997-01-01T00:00:00Z, a Wednesday
FIRST_MONDAY_MS = START_MS + 5 * DAY_MS
GRID_MS = 6 * 3_600_000
AFTERWARDS_DAYS = 40
FORBIDDEN_DAYS = 12
PINNED_DAYS = 9
RETURNED_DAYS = 25
GOLDS = ("gold", "silver", "basic")

POLICY = """
policy: everything
version: {version}
time_zone: UTC
currency: USD
refund_days: 30
measures:
  revenue_30d: {{sum: revenue, window: 30d}}
  revenue_60d: {{sum: revenue, window: 60d}}
  orders_14d:  {{count: orders, window: 14d}}
  orders:      {{count: orders}}
  complaints:  {{count: complaint, window: 20d}}
  recency:     {{days_since: last_order}}
  industry:    {{attribute: industry, type: text}}
  {extra}
gradings:
  value:
    type: bands
    measure: revenue_30d
    minimum_evidence: {{measure: orders, at_least: 1}}
    tiers: [{{tier: gold, enter: {gold}, exit: 300}}, {{tier: silver, enter: 80, exit: 60}}, {{tier: basic}}]
    stability: {{minimum_hold_days: 4, grace_days: {grace}, cool_down_days: 3, one_step: true}}
  {rhythm}
  abc:
    type: pareto
    measure: revenue_60d
    minimum_evidence: {{measure: orders, at_least: 1}}
  segment:
    type: rfm_segments
    recency: {{measure: recency, high_below: 20}}
    frequency: {{measure: orders_14d, high: mean}}
    monetary: {{measure: revenue_60d, high: median}}
  care:
    type: conditions
    levels:
      - level: rescue
        when: {{all: [{{measure: complaints, at_least: 1}}, {{grading: value, is: [gold, silver]}}]}}
      - {{level: industrial, when: {{measure: industry, is: [steel]}}}}
      - {{level: key, when: {{grading: abc, is: [a]}}}}
      - {{level: standard}}
  cooling:
    type: tag
    add_when: {{all: [{{measure: revenue_60d, at_least: 100}}, {{measure: orders_14d, below: 1}}]}}
    remove_when: {{measure: recency, below: 2}}
    keep_days: 7
population: {{cadence: weekly, dead_band: 2%, most_moved: 30%}}
forecasts: {{lead_days: 4, in_changes: instant}}
"""  # noqa: E501 - a tier list is easier to read on one line
_RHYTHM = """rhythm:
    type: bands
    measure: orders_14d
    tiers: [{tier: often, enter: 2, exit: 1}, {tier: seldom}]
    stability: {cool_down_days: 2}"""
_LOYALTY = _RHYTHM.replace("rhythm:", "loyalty:").replace("orders_14d", "orders_45d")


def policy(version: int, *, other: bool = False) -> str:
    """Return a version of the policy; the *other* one moves levels and gives up a grading."""
    return POLICY.format(
        version=version,
        gold=320 if other else 400,
        grace=2 if other else 5,
        extra="orders_45d:  {count: orders, window: 45d}" if other else "",
        rhythm=_LOYALTY if other else _RHYTHM,
    )


@dataclass(slots=True)
class Story:
    """What happens; use it once.

    Attributes:
        events: How many orders and the like there are; what follows from them comes on top.
        days: Days over which they are spread.
    """

    events: int
    days: int
    seed: int

    def write(self, path: Path) -> int:
        """Write the log as wire events to *path*; return how many records it has."""
        lines = [*self._shopping(), *self._decisions(), *self._policies()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return len(lines)

    @property
    def as_of_ms(self) -> int:
        """How far time goes: past the last record of a customer by more than a window."""
        return self._published[-1] + DAY_MS

    @property
    def _last_census_ms(self) -> int:
        return FIRST_MONDAY_MS + (self.days + AFTERWARDS_DAYS) // 7 * 7 * DAY_MS

    @property
    def _customers(self) -> int:
        return max(20, self.events // 25)

    def _instants(self, chance: random.Random) -> Callable[[], int]:
        return lambda: START_MS + chance.randrange(self.days * DAY_MS // GRID_MS) * GRID_MS

    def _shopping(self) -> Iterator[dict[str, Any]]:
        """Orders with refunds and cancellations, complaints, attributes; some are sent twice."""
        chance = random.Random(self.seed)
        at = self._instants(chance)
        for number in range(self.events):
            at_ms, customer = at(), f"c{int(self._customers * chance.random() ** 2)}"
            kind = chance.random()
            if kind < 0.06:
                yield _event("complaint", f"x{number}", customer, at_ms)
                continue
            if kind < 0.1:
                attributes = {"industry": chance.choice(["steel", "glass", None])}
                yield _event(
                    "profile.changed", f"x{number}", customer, at_ms, attributes=attributes
                )
                continue
            money: dict[str, Any] = {
                "amount_minor": chance.randrange(100, 20_000),
                "currency": "USD",
            }
            order = {"order_id": f"o{number}"}
            paid = _event("order.paid", f"x{number}", customer, at_ms, **order, **money)
            yield paid
            if kind > 0.98:
                yield paid
            later_ms = at_ms + chance.randrange(1, RETURNED_DAYS * DAY_MS // GRID_MS) * GRID_MS
            if kind < 0.2:
                money["amount_minor"] //= chance.choice([1, 2])
                yield _event("order.refunded", f"r{number}", customer, later_ms, **order, **money)
            elif kind < 0.25:
                yield _event("order.cancelled", f"r{number}", customer, later_ms, **order)

    def _decisions(self) -> Iterator[dict[str, Any]]:
        """Pins, words on consent, and erasures: of one customer in a few each."""
        chance = random.Random(self.seed + 1)
        at = self._instants(chance)
        person = {"grading": "value", "author": "ann", "reason": "as agreed"}
        for number in range(self._customers):
            customer, at_ms = f"c{number}", at()
            what = chance.randrange(12)
            if what in {0, 1}:
                until = format_instant(at_ms + chance.randrange(1, PINNED_DAYS) * DAY_MS)
                pin = {**person, "tier": chance.choice(GOLDS), "expires_at": until}
                yield _event("tier.pinned", f"p{number}", customer, at_ms, **pin)
            if what == 1:
                lifted_ms = at_ms + chance.randrange(1, PINNED_DAYS) * DAY_MS
                yield _event("tier.unpinned", f"u{number}", customer, lifted_ms, **person)
            if what in {1, 2, 3}:
                again_ms = at_ms + chance.randrange(1, FORBIDDEN_DAYS) * DAY_MS
                yield _event("consent.changed", f"n{number}", customer, at_ms, scoring=False)
                yield _event("consent.changed", f"y{number}", customer, again_ms, scoring=True)
            if what in {3, 4}:
                erased_ms = chance.choice([at(), *self._published[:2]])
                yield _event("customer.erase", f"e{number}", customer, erased_ms, reason="asked")

    @property
    def _published(self) -> list[int]:
        """When policies are published: in the middle of a day, when a census is due, and at last.

        The last one brings everybody up, also those whom the last cuts have not passed: of them
        only the forecasts are new, and these are told when they are next looked at.
        """
        weeks = self.days * 2 // 3 // 7
        return [
            START_MS + self.days * DAY_MS // 3 // GRID_MS * GRID_MS,
            FIRST_MONDAY_MS + weeks * 7 * DAY_MS,
            self._last_census_ms + DAY_MS,
        ]

    def _policies(self) -> Iterator[dict[str, Any]]:
        texts = policy(2, other=True), policy(3), policy(4)
        for at_ms, text in zip(self._published, texts, strict=True):
            document = parse_policy(text, "published").model_dump(mode="json")
            yield {
                "schema_version": 1,
                "event_id": f"publish-{document['version']}",
                "kind": "policy.published",
                "occurred_at": format_instant(at_ms),
                "policy": document,
            }


def _event(kind: str, event_id: str, customer: str, at_ms: int, **more: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "event_id": event_id,
        "kind": kind,
        "occurred_at": format_instant(at_ms),
        "customer_id": customer,
        **more,
    }
