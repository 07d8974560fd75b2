"""How a customer's orders are cut into batches never shows."""

from __future__ import annotations

import pytest

from tests.properties.driver import Run, plan_of, turns
from tests.unit.stream.policies import DAY, paid

POLICY = """
policy: p
version: 1
time_zone: UTC
currency: USD
measures:
  revenue: {sum: revenue, window: 30d}
gradings:
  value: {type: bands, measure: revenue, tiers: [{tier: silver, enter: 50}, {tier: basic}]}
"""
START = 20_000 * DAY
LOG = [(0, 2_305), (18, 181), (26, 1_437), (28, 1_718), (33, 539)]
"""Days and cents: silver from the fourth order until, two days later, the first has left."""


@pytest.mark.parametrize("cut", range(1, len(LOG)))
def test_an_order_that_leaves_within_a_batch_still_counts_for_those_before(cut: int) -> None:
    """The windows must not be moved to the end of a batch before its first order is judged."""
    events = [paid(n, START + day * DAY, cents) for n, (day, cents) in enumerate(LOG)]
    single, cutting = Run(plan_of(POLICY)), Run(plan_of(POLICY))
    for event in events:
        single.apply([event])
    cutting.apply(events[:cut])
    cutting.apply(events[cut:])
    assert [change.after for change in single.changes] == ["basic", "silver", "basic"]
    assert turns(cutting.changes) == turns(single.changes)
