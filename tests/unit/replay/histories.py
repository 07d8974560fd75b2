"""A small policy and a small order history, written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.policy import parse_policy
from stream.plan import compile_policy

if TYPE_CHECKING:
    from pathlib import Path

    from stream.plan import Plan

HEADER = "customer_id,order_id,kind,occurred_at,amount,currency"

POLICY = """
policy: small
version: 1
time_zone: UTC
currency: USD
measures:
  revenue_30d: {sum: revenue, window: 30d}
  orders: {count: orders}
  average: {average: revenue, window: 30d}
gradings:
  value:
    type: bands
    measure: revenue_30d
    tiers:
      - {tier: gold, enter: 100.00, exit: 80.00}
      - {tier: silver, enter: 50.00}
      - {tier: bronze}
  score:
    type: interval_scorecard
    rounding: {mode: truncate, places: 2}
    indicators:
      money:
        weight: "60%"
        measures:
          revenue_30d: [{below: 50, points: "100/3"}, {points: full}]
      loyalty:
        weight: "40%"
        measures:
          orders: [{below: 2, points: 10}, {points: full}]
    tiers:
      - {tier: a, enter: 80}
      - {tier: b}
"""

HISTORY = f"""{HEADER}
ann,1,paid,2024-01-01T10:00:00Z,60.00,USD
bob,1,paid,2024-01-02T09:30:00+02:00,20.00,USD
ann,2,paid,2024-01-03T10:00:00Z,50.50,USD
ann,2,refunded,2024-01-04T10:00:00Z,20.00,USD
ann,2,refunded,2024-01-04T10:00:00Z,20.00,USD
bob,1,cancelled,2024-01-05,,
"""


def small_plan() -> Plan:
    """Return the plan of `POLICY`."""
    return compile_policy(parse_policy(POLICY, "small.yaml"))


def written(directory: Path, text: str, name: str = "orders.csv") -> Path:
    """Write *text* to a file and return its path."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path
