"""A simulation of CDNOW under two policies against brute force: matrix, weeks and revenue."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest
import yaml

from agents.replay.source import load_log
from agents.simulation.run import simulate
from agents.simulation.shard import Job
from schemas.policy import parse_policy
from stream.simulation.comparison import Rules
from stream.simulation.stability import week_of
from stream.simulation.tally import NEW, OLD
from tests.oracle.facts import DAY, Policy
from tests.oracle.history import History
from tests.oracle.test_cdnow import POLICY, events_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.test_cdnow import Event

# Every sixtieth customer in the quick suite.
SAMPLE = 60
# A stricter variant: what it changes is looked at by every grading but the tag.
CHANGES = {
    "policy: cdnow": "policy: cdnow-strict",
    "enter: 200.00, exit: 160.00": "enter: 250.00, exit: 240.00",
    "below: 90, points: 60": "below: 60, points: 60",
    "cuts: [2, 3, 5, 10]": "cuts: [2, 4, 6, 12]",
    "high_below: 90": "high_below: 60",
    "keep_days: 60": "keep_days: 20",
}


def variant() -> str:
    text = POLICY.read_text()
    for before, after in CHANGES.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    return text


def test_a_sixtieth_of_the_customers_agrees_with_brute_force() -> None:
    """393 customers under two policies with six gradings each."""
    orders = events_of("cdnow")
    _agrees({customer: orders[customer] for customer in sorted(orders)[::SAMPLE]})


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_every_customer_agrees_with_brute_force() -> None:
    """All 69,659 orders of 23,570 customers; some minutes."""
    orders = events_of("cdnow")
    assert len(orders) == 23_570
    _agrees(orders)


def _agrees(orders: Mapping[str, list[Event]]) -> None:
    texts = POLICY.read_text(), variant()
    log = [record for record in load_log("cdnow") if record.key.decode() in orders]
    end = log[-1].record_ms + 30 * DAY
    old, new = (parse_policy(text, "policy.yaml") for text in texts)
    found = simulate(log, Job(old, new, Rules(end)))

    policies = [Policy(yaml.safe_load(text)) for text in texts]
    matrix: dict[str, Counter[tuple[str | None, str | None]]] = defaultdict(Counter)
    revenue: dict[str, Counter[tuple[str | None, str | None]]] = defaultdict(Counter)
    weeks: dict[str, tuple[Counter[int], Counter[int]]] = defaultdict(
        lambda: (Counter(), Counter())
    )
    for customer_id, listed in orders.items():
        brute = [_brute(policy, customer_id, listed, end) for policy in policies]
        grades = [history.grades() for history in brute]
        recent = sum(e["amount_minor"] for e in listed if e["at_ms"] > end - 365 * DAY)
        for name in grades[OLD]:
            flow = grades[OLD][name], grades[NEW][name]
            matrix[name][flow] += 1
            revenue[name][flow] += recent
        for side in (OLD, NEW):
            for turn in brute[side].turns:
                if turn.before is not None:
                    weeks[turn.grading][side][week_of(turn.instant_ms)] += 1

    assert {c.name for c in found.comparisons} == matrix.keys()
    for comparison in found.comparisons:
        flows = comparison.tally.flows
        assert {flow: a.customers for flow, a in flows.items()} == matrix[comparison.name]
        assert {flow: a.revenue_minor for flow, a in flows.items()} == revenue[comparison.name]
        assert comparison.tally.weeks == weeks[comparison.name]
    assert sum(c.moving().customers for c in found.comparisons) > 0


def _brute(policy: Policy, customer_id: str, orders: list[Event], end: int) -> History:
    history = History(policy, customer_id)
    for order in orders:
        history.apply(order)
    history.advance(end)
    return history
