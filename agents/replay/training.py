"""Training data for a learned grading: what was known of customers, and how they turned out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.replay.offline import replay_offline
from stream.customer import Grade, decode
from stream.gradings.base import Reading
from stream.gradings.tree import grow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.replay.log import LogRecord
    from schemas.policy.gradings.tree import Tree
    from stream.customer import Customer, Value
    from stream.plan import Plan

HELD_OUT = 5
"""One customer in so many is kept for testing, by a checksum of the id."""


@dataclass(frozen=True, slots=True)
class Example:
    """One customer.

    Attributes:
        values: Every measure of the policy at the earlier instant.
        grade: In the target grading at the later instant.
        held_out: Whether to test with it, not to train.
    """

    values: Sequence[Value]
    grade: str
    held_out: bool


def examples(
    log: Sequence[LogRecord], plan: Plan, target: int, as_of_ms: int, ahead_ms: int
) -> list[Example]:
    """Return an example of every customer who has a grade, by customer id.

    Args:
        log: At least one record not after ``as_of_ms - ahead_ms``; none after *as_of_ms*.
        plan: The policy.
        target: Position of the grading to learn.
        as_of_ms: When grades are taken.
        ahead_ms: How long before that the measures are read; customers who were not known
            then are left out.
    """
    known_ms = as_of_ms - ahead_ms
    earlier = [record for record in log if record.record_ms <= known_ms]
    before = replay_offline(earlier, plan, as_of_ms=known_ms).states
    after = replay_offline(log, plan, as_of_ms=as_of_ms).states if ahead_ms else before
    found = []
    for customer_id in sorted(before):
        grade = _customer(customer_id, after, plan).grades[target].tier
        if grade is not None:
            customer = _customer(customer_id, before, plan)
            customer.roll(known_ms)
            held_out = zlib.crc32(customer_id.encode()) % HELD_OUT == 0
            found.append(Example(plan.read(customer, known_ms), grade, held_out))
    return found


def _customer(customer_id: str, states: dict[str, bytes], plan: Plan) -> Customer:
    return decode(customer_id, states[customer_id], plan.shape)


def foretold(tree: Tree, found: Sequence[Example], plan: Plan) -> float | None:
    """Return the share of *found* that *tree* grades as they turned out, from 0 to 1."""
    grading = grow("tree", tree, {measure.name: i for i, measure in enumerate(plan.measures)})
    right = [grading.tier(Reading(0, e.values, []), Grade()) == e.grade for e in found]
    return sum(right) / len(right) if right else None


def most_common(training: Sequence[Example], found: Sequence[Example]) -> float | None:
    """Return the share of *found* that has the grade most common in *training*."""
    grades = [example.grade for example in training]
    common = max(sorted(set(grades)), key=grades.count)
    return sum(e.grade == common for e in found) / len(found) if found else None
