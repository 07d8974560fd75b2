"""A customer's last changes are kept in the commit that announces them, and no more than asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stream.adapters.memory_store import MemoryStore
from stream.bucket import Bucket
from stream.customer import Grade
from stream.fold import Scorer
from stream.history import Transition, decode_transition, stood_at, transition_payload
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


def transition(sequence: int, before: str | None, after: str | None, at_ms: int) -> Transition:
    return Transition(1, "value", before, after, "up", sequence, at_ms, "order", "e", 3, ())


FIRST = transition(1, None, "basic", 10)
SECOND = transition(2, "basic", "silver", 20)
THIRD = transition(3, "silver", "basic", 30)
NOW = {"value": Grade("basic", 3, 30)}


@pytest.mark.parametrize(
    ("instant_ms", "tier", "sequence", "since_ms"),
    [
        (9, None, 0, None),
        (10, "basic", 1, 10),
        (29, "silver", 2, 20),
        (30, "basic", 3, 30),
        (99, "basic", 3, 30),
    ],
)
def test_where_a_customer_stood_is_found_by_undoing_what_came_later(
    instant_ms: int, tier: str | None, sequence: int, since_ms: int | None
) -> None:
    """A change has happened at its own instant."""
    (stood,) = stood_at(NOW, [FIRST, SECOND, THIRD], instant_ms) or []
    assert (stood.tier, stood.sequence, stood.since_ms) == (tier, sequence, since_ms)
    assert (stood.transition is None) == (sequence == 0)


def test_a_history_that_has_let_go_of_what_it_takes_says_nothing() -> None:
    """Where the first change is gone, nobody can say what came before the second, or since when."""
    assert stood_at(NOW, [SECOND, THIRD], 19) is None
    assert stood_at(NOW, [THIRD], 25) is None
    assert stood_at(NOW, [FIRST, THIRD], 25) is None
    (stood,) = stood_at(NOW, [], 30) or []
    assert (stood.tier, stood.transition) == ("basic", None)


def test_a_history_read_after_the_state_may_know_more() -> None:
    (stood,) = stood_at({"value": Grade("silver", 2, 20)}, [FIRST, SECOND, THIRD], 25) or []
    assert (stood.tier, stood.since_ms) == ("silver", 20)
