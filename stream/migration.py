"""What a policy would do to stored customers if it took effect now. Pure; announces nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.calendar import DAY_MS
from stream.customer import unpack
from stream.editions import scorer_of
from stream.in_force import InForce

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stream.customer import Customer
    from stream.editions import Begin, Edition
    from stream.fold import Scorer
    from stream.plan import Plan

Move = tuple[str | None, str | None]
"""Tier under the policy in force, and under the new one; None: not graded."""


@dataclass(slots=True)
class Migration:
    """Where customers stand, and where they would.

    Attributes:
        customers: Looked at.
        moved: Of them, those that at least one grading would move.
        moves: Customers per grading and move, those that stay included.
    """

    customers: int = 0
    moved: int = 0
    moves: dict[str, Counter[Move]] = field(default_factory=dict)

    def count(self, before: Mapping[str, str | None], after: Mapping[str, str | None]) -> None:
        """Count one customer by its tiers per grading."""
        self.customers += 1
        moved = False
        for grading in dict.fromkeys([*before, *after]):
            move = before.get(grading), after.get(grading)
            self.moves.setdefault(grading, Counter())[move] += 1
            moved = moved or move[0] != move[1]
        self.moved += moved


class Preview:
    """Judges stored customers by the policy in force and by the one that would follow it."""

    def __init__(self, own: Scorer, first: Edition, begin: Begin, now_ms: int) -> None:
        """Compare at *now_ms*; *own* and *first* are what the workers were started with."""
        self._own, self._first, self._begin = own, first, begin
        self._now_ms = now_ms
        self.migration = Migration()

    def take(self, editions: bytes, states: Iterable[tuple[str, bytes]]) -> None:
        """Count the customers of one bucket, which stores *editions*."""
        current = InForce(editions, self._own, self._first)
        planned = InForce(editions, self._own, self._first)
        planned.begin(self._begin)
        for customer_id, state in states:
            customer = current.restore(customer_id, unpack(state))
            _exhaust(current.bring(customer))
            current.scorer.wake_before(customer, self._now_ms)
            before = _tiers(customer, current.scorer.plan)
            _exhaust(planned.bring(customer))
            self.migration.count(before, _tiers(customer, planned.scorer.plan))


@dataclass(slots=True)
class Divergence:
    """Where stored customers stand, and where they do under the policy that runs beside.

    Attributes:
        standings: As in a migration from the policy in force to the one beside it.
        waiting: Customers that have not been brought to the one beside yet; not counted there.
    """

    standings: Migration = field(default_factory=Migration)
    waiting: int = 0

    def take(self, edition: Edition, editions: bytes, states: Iterable[tuple[str, bytes]]) -> None:
        """Count the customers of one bucket, which stores *editions*; *edition* is the newest."""
        force = InForce(editions, scorer_of(edition), edition)
        for customer_id, state in states:
            customer = force.restore(customer_id, unpack(state))
            shadow, wanted = customer.shadow, edition.shadow
            if wanted is None or customer.edition < wanted.number:
                self.waiting += 1
                continue
            if shadow is None:
                continue  # its id was merged
            here = _tiers(customer, force.plan_of(customer.edition))
            self.standings.count(here, _tiers(shadow.customer, shadow.scorer.plan))


def never_kept(older: Plan, plan: Plan) -> Iterator[str]:
    """Yield, in words, what *plan* reads that was not kept under *older*: it starts empty."""
    for kind, spans in plan.shape.spans.items():
        if kind not in older.shape.spans:
            yield f"{kind}: not kept until now"
            continue
        needed_ms = max((span.far_ms for span in spans), default=0)
        kept = [span.far_ms for span in older.shape.spans[kind]]
        kept_ms = max([older.shape.retention_ms[kind], *kept])
        if needed_ms > kept_ms:
            yield f"{kind}: {needed_ms // DAY_MS} days needed, {kept_ms // DAY_MS} days kept"
    for name in sorted(plan.attributes - older.attributes):
        yield f"attribute {name}: not kept until now"


def _tiers(customer: Customer, plan: Plan) -> dict[str, str | None]:
    return {g.name: one.tier for g, one in zip(plan.gradings, customer.grades, strict=True)}


def _exhaust(told: Iterable[object]) -> None:
    for _ in told:
        pass
