"""The paced sweep: whoever a new edition concerns is brought to it, a few with each batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from stream.changes import POLICY_CHANGED
from stream.customer import edition_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.bucket import Bucket
    from stream.editions import Edition
    from stream.store import Store


def concerned(store: Store, bucket: int, edition: Edition) -> Iterator[str]:
    """Yield the customers of *bucket* that must be brought to *edition*, its newest.

    Each that was stored when the edition began comes at least once; those that stand under it
    already are passed over. Asks the store page by page, as it is consumed.
    """
    if edition.cause == POLICY_CHANGED:
        for customer_id, stored in store.scan_states(bucket):
            if edition_of(stored) < edition.number:
                yield customer_id


@dataclass(slots=True)
class _Walk:
    """One bucket's sweep.

    Attributes:
        number: Of the edition that customers are brought to.
        customers: Those that are left.
        ended: Whether all of them have been handed out.
    """

    number: int
    customers: Iterator[str]
    ended: bool = False


@dataclass(slots=True)
class Sweep:
    """Where the sweeps of a worker's buckets stand. Forgotten with the buckets.

    Attributes:
        store: Only read.
    """

    store: Store
    _walks: dict[int, _Walk] = field(default_factory=dict)

    def next(self, buckets: Sequence[Bucket], limit: int, *, start: bool) -> dict[int, list[str]]:
        """Return up to *limit* customers to visit with this batch, per bucket. Blocks.

        Args:
            buckets: Those whose newest edition is not swept.
            limit: Most customers.
            start: Whether sweeps may begin: not while a commit is under way, which may hold the
                edition itself, or customers that were judged before it began.
        """
        found: dict[int, list[str]] = {}
        for bucket in buckets:
            if limit <= 0:
                break
            edition = bucket.in_force.edition
            walk = self._walks.get(bucket.number)
            if walk is None or walk.number != edition.number:
                if not start:
                    continue
                walk = _Walk(edition.number, concerned(self.store, bucket.number, edition))
                self._walks[bucket.number] = walk
            if walk.ended:
                continue
            page = list(islice(walk.customers, limit))
            walk.ended = len(page) < limit
            limit -= len(page)
            if page:
                found[bucket.number] = page
        return found

    def ended(self, bucket: Bucket) -> bool:
        """Say whether everyone who had to be visited in *bucket* has been handed out."""
        walk = self._walks.get(bucket.number)
        return walk is not None and walk.ended and walk.number == bucket.in_force.edition.number
