"""What a store answers about rankings: who stands where, bucket by bucket. No I/O here.

A ranking is a name under which each customer of a bucket has at most one reading. It is there from
the first `BucketCommit.ranks` that names it until a `BucketCommit.drop_ranks` does. Readings are
integers of either sign with an absolute value below `READING_LIMIT`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

READING_LIMIT = 2**53


class Ranked(NamedTuple):
    """A customer in a ranking; sorts as `Rankings.rank_members` does.

    Attributes:
        reading: What it is ranked by.
        customer_id: Who.
    """

    reading: int
    customer_id: str


class Rankings(Protocol):
    """Reads of the rankings. A ranking that is not there is an empty one.

    Each bucket answers as of one instant between two commits; several buckets do not answer as of
    the same one. Nothing here changes anything.
    """

    def rank_names(self, bucket: int) -> list[str]:
        """Return the names of the rankings of *bucket*, sorted; some may hold nobody."""

    def rank_bins(self, buckets: Sequence[int], name: str) -> dict[int, tuple[int, int]]:
        """Return (customers, sum of their readings) by bin, added up over *buckets*.

        Both are exact, and bins without a customer are left out. Which readings a bin holds is
        told by `stream.population.bins`.
        """

    def rank_readings(self, buckets: Sequence[int], name: str, low: int, high: int) -> list[int]:
        """Return all readings in [*low*, *high*) over *buckets*, ascending."""

    def rank_members(
        self, bucket: int, name: str, low: int, high: int, limit: int, after: Ranked | None = None
    ) -> list[Ranked]:
        """Return the next customers with a reading in [*low*, *high*), at most *limit*.

        In the order of reading, then of customer id by code point, and strictly after *after*:
        the last one of the page before, whether or not it is still there. Over all pages a
        customer whose reading stays comes exactly once. One whose reading moves meanwhile may
        come twice, once, or not at all; it was in a commit after the first page was read.
        """

    def rank_of(self, buckets: Sequence[int], name: str, reading: int) -> int:
        """Return how many customers over *buckets* have a larger reading than *reading*."""
