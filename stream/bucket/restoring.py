"""Putting back what was lost or never kept: facts from the log, standings from announcements."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from stream.changes import POLICY_CHANGED, PROFILE, Cause
from stream.customer import Customer, Grade
from stream.refill import same_facts, take_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.bucket.bucket import Bucket


def complete(bucket: Bucket, customer_id: str, facts: Customer, instant_ms: int) -> bool:
    """Give a cached customer *facts* that were kept longer, and judge it by them.

    The cause is the policy in force, for whose windows they are. Returns whether any was news.
    """
    customer = bucket.brought(customer_id)
    now_ms = max(instant_ms, customer.clock_ms, facts.clock_ms)
    if same_facts(customer.clone(), facts, now_ms):
        return False
    cause = Cause(POLICY_CHANGED, bucket.in_force.edition.event_id)
    take = partial(take_facts, customer, facts)
    bucket.unwritten.tell(bucket.scorer.gather(customer, now_ms, cause, PROFILE, take))
    bucket.unwritten.touch(customer)
    return True


def stand(
    bucket: Bucket, customer_id: str, stands: Mapping[str, tuple[int, str | None]], instant_ms: int
) -> None:
    """Let a cached customer stand where it was said to, and judge it from there.

    *stands* has the sequence of the last change and the tier since, by grading; of gradings
    that the policy does not have too: what comes back goes on with its sequence.
    """
    customer = bucket.brought(customer_id)
    grades = dict(zip(bucket.scorer.plan.shape.names, customer.grades, strict=True))
    for name, (sequence, tier) in stands.items():
        grade = grades.get(name) or customer.retired.setdefault(name, Grade())
        grade.sequence, grade.tier = sequence, tier
    customer.packed_grades = None
    cause = Cause(POLICY_CHANGED, bucket.in_force.edition.event_id)
    now_ms = max(instant_ms, customer.clock_ms)
    bucket.unwritten.tell(bucket.scorer.gather(customer, now_ms, cause, PROFILE, _nothing))
    bucket.unwritten.touch(customer)


def _nothing(now_ms: int) -> None:
    """Apply nothing to a customer that is to be judged as it is."""
    del now_ms
