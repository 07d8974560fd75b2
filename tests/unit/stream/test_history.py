"""A customer's last changes are kept in the commit that announces them, and no more than asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stream.adapters.memory_store import MemoryStore
from stream.bucket import Bucket
from stream.fold import Scorer
from stream.history import decode_transition, transition_payload
from stream.outbox import TIER_CHANGES, decode_row
from tests.properties.driver import CUSTOMER, WINDOW, plan_of, to_arrival
from tests.unit.stream.policies import DAY, paid

POLICY = """
policy: p
version: 3
time_zone: UTC
currency: USD
history_transitions: {kept}
measures:
  revenue: {{sum: revenue, window: 30d}}
gradings:
  value: {{type: bands, measure: revenue, tiers: [{{tier: silver, enter: 50}}, {{tier: basic}}]}}
"""
START = 20_000 * DAY


def announced_and_kept(kept: int) -> tuple[list[dict[str, Any]], list[dict[str, object]]]:
    """Let one customer rise and fall four times; return what was announced and what is kept."""
    plan = plan_of(POLICY.format(kept=kept))
    store = MemoryStore()
    store.install(1)
    (head,) = store.open([0], "orders/0")
    bucket = Bucket(head, Scorer(plan), WINDOW)
    bucket.epochs["orders/0"] = head.epoch
    bucket.adopt(CUSTOMER, None)
    announced = []
    for number in range(4):
        at_ms = START + number * 60 * DAY
        bucket.apply_to(CUSTOMER, [to_arrival(paid(number, at_ms, 9_000), plan)])
        bucket.wake(CUSTOMER, at_ms + 40 * DAY)
        commit = bucket.commit({}, None)
        rows = map(decode_row, commit.outbox)
        announced += [msgspec.json.decode(r.value or b"") for r in rows if r.topic == TIER_CHANGES]
        store.commit([commit])
    kept_entries = map(decode_transition, store.load_history(0, CUSTOMER))
    return announced, [transition_payload(entry) for entry in kept_entries]


@pytest.mark.parametrize("limit", [0, 3, 100])
def test_the_last_changes_are_kept_as_they_were_announced(limit: int) -> None:
    announced, kept = announced_and_kept(limit)
    assert len(announced) == 8
    wanted = announced[-limit:] if limit else []
    assert len(kept) == len(wanted)
    for entry, change in zip(kept, wanted, strict=True):
        assert entry.pop("policy_version") == change["policy"]["version"] == 3
        reasons = entry.pop("reasons")
        crossed = [
            {k: v for k, v in reason.items() if k != "crossed"} for reason in change["reasons"]
        ]
        assert reasons == crossed
        assert entry == {key: change[key] for key in entry}
