"""A census of customers who are all at hand, as an offline replay has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.population.follow import Census, take_census
from stream.population.ordered import Ordered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from stream.bucket import Bucket
    from stream.plan import Plan


class Assembly:
    """Everyone's ranked readings, kept as a store keeps them but in dictionaries."""

    __slots__ = ("_readings",)

    def __init__(self) -> None:
        """Start with nobody."""
        self._readings: dict[tuple[int, str], dict[str, int]] = {}

    def gather(self, buckets: Collection[Bucket], now_ms: int) -> None:
        """Let time pass up to *now_ms* for everyone in *buckets*, and take their readings."""
        for bucket in buckets:
            for customer_id in bucket.customers:
                bucket.wake(customer_id, now_ms)
            for name, told in bucket.tell_ranks().items():
                known = self._readings.setdefault((bucket.number, name), {})
                for customer_id, reading in told.items():
                    if reading is None:
                        known.pop(customer_id, None)
                    else:
                        known[customer_id] = reading

    def census(self, plan: Plan, before: Mapping[str, tuple[int, ...]]) -> Census:
        """Return the cuts that hold from now on; *before* are those in force."""
        return take_census(
            plan,
            before,
            lambda ranking: Ordered.of(
                reading
                for (_, name), known in self._readings.items()
                if name == ranking.name
                for reading in known.values()
            ),
        )

    def settle(self, buckets: Collection[Bucket], now_ms: int) -> None:
        """Visit in *buckets* all those whom the newest edition concerns, at once."""
        for bucket in buckets:
            if bucket.in_force.swept:
                continue
            for customer_id in list(self._concerned(bucket)):
                bucket.visit(customer_id, now_ms)
            bucket.in_force.finish()

    def _concerned(self, bucket: Bucket) -> Iterator[str]:
        moves = bucket.in_force.moves()
        if moves is None:
            yield from bucket.customers
            return
        for move in moves:
            known = self._readings.get((bucket.number, move.ranking), {})
            for customer_id, reading in known.items():
                if move.low <= reading < move.high:
                    yield customer_id
