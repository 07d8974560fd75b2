"""The paced sweep: whoever a new edition concerns is brought to it, a few with each batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.customer import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.bucket import Bucket
    from stream.in_force import Move
    from stream.rankings import Ranked
    from stream.store import Store

VISIT = 4  # what visiting a customer costs, in looks at one who need not be visited
_PAGE = 1_000


def concerned(store: Store, bucket: Bucket) -> Iterator[str | None]:
    """Yield the customers of *bucket* that must be brought to its newest edition.

    Each that was stored when the edition began comes at least once; those that were seen to
    stand under it already are passed over, and for each whom it leaves where it is comes None.
    Asks the store page by page, as it is consumed.
    """
    number, moves = bucket.in_force.edition.number, bucket.in_force.moves()
    if moves is not None:
        for move in moves:
            yield from _passed(store, bucket.number, move)
        return
    unmoved = bucket.in_force.unmoved
    for customer_id, stored in store.scan_states(bucket.number):
        found = unpack(stored)
        if found.edition < number:
            yield None if unmoved.holds(customer_id, found) else customer_id


def _passed(store: Store, bucket: int, move: Move) -> Iterator[str]:
    """Yield who stands where a cut has passed."""
    last: Ranked | None = None
    while page := store.rank_members(bucket, move.ranking, move.low, move.high, _PAGE, last):
        for _, customer_id in page:
            yield customer_id
        last = page[-1]


@dataclass(slots=True)
class _Walk:
    """One bucket's sweep.

    Attributes:
        number: Of the edition that customers are brought to.
        customers: Those that are left; None for one that need not be visited.
        ended: Whether all of them have been handed out.
    """

    number: int
    customers: Iterator[str | None]
    ended: bool = False


@dataclass(slots=True)
class Sweep:
    """Where the sweeps of a worker's buckets stand. Forgotten with the buckets.

    Attributes:
        store: Only read.
        spared: How many were looked at so far who need not be visited.
    """

    store: Store
    spared: int = 0
    _walks: dict[int, _Walk] = field(default_factory=dict)

    def next(self, buckets: Sequence[Bucket], limit: int, *, start: bool) -> dict[int, list[str]]:
        """Return customers to visit with this batch, per bucket. Blocks.

        Args:
            buckets: Those whose newest edition is not swept.
            limit: How much to do: to look at a customer counts 1, and at one to visit `VISIT`.
            start: Whether sweeps may begin: not while a commit is under way, which may hold the
                edition itself, or customers that were judged before it began.
        """
        if start:
            self._begin(buckets)
        found: dict[int, list[str]] = {}
        for bucket in buckets:
            walk = self._walks.get(bucket.number)
            if walk is None or walk.ended or walk.number != bucket.in_force.edition.number:
                continue
            if limit <= 0:
                break
            page: list[str] = []
            for customer_id in walk.customers:
                if customer_id is None:
                    limit -= 1
                    self.spared += 1
                else:
                    limit -= VISIT
                    page.append(customer_id)
                if limit <= 0:
                    break
            else:
                walk.ended = True
            if page:
                found[bucket.number] = page
        return found

    def _begin(self, buckets: Sequence[Bucket]) -> None:
        """Let every sweep begin that has not: nothing is asked of the store before its turn."""
        for bucket in buckets:
            number, walk = bucket.in_force.edition.number, self._walks.get(bucket.number)
            if walk is None or walk.number != number:
                self._walks[bucket.number] = _Walk(number, concerned(self.store, bucket))

    def ended(self, bucket: Bucket) -> bool:
        """Say whether everyone who had to be visited in *bucket* has been handed out."""
        walk = self._walks.get(bucket.number)
        return walk is not None and walk.ended and walk.number == bucket.in_force.edition.number
