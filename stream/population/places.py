"""A reading's place in the population: rank, percentile, shares, concentration."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

from stream.population.cuts import top_share_count

if TYPE_CHECKING:
    from collections.abc import Iterable

FIFTH = Fraction(1, 5)


class Places:
    """All readings of one measure, in order. Ties share every place.

    Shares are of the total of the readings above 0; one of 0 or less has a share of 0, and
    where no reading is above 0 every share is 0.

    >>> places = Places([50, 30, 15, 5, -40])
    >>> places.rank(30), places.percentile(30), places.cumulative_share(30)
    (2, Fraction(4, 5), Fraction(4, 5))
    """

    def __init__(self, readings: Iterable[int]) -> None:
        """Order *readings*, one or more."""
        self._ordered = sorted(readings)
        self._sums = [0, *accumulate(max(reading, 0) for reading in self._ordered)]

    @property
    def total(self) -> int:
        """Sum of the readings above 0."""
        return self._sums[-1]

    def rank(self, reading: int) -> int:
        """Return 1 for the largest, and for any other one more than there are above it."""
        return len(self._ordered) - bisect_right(self._ordered, reading) + 1

    def percentile(self, reading: int) -> Fraction:
        """Return the share of customers at or below *reading*, from 0 to 1."""
        return Fraction(bisect_right(self._ordered, reading), len(self._ordered))

    def share(self, reading: int) -> Fraction:
        """Return *reading* as a share of the total."""
        return Fraction(max(reading, 0), self.total) if self.total else Fraction(0)

    def cumulative_share(self, reading: int) -> Fraction:
        """Return the share of the total that those at or above *reading* bring together."""
        below = self._sums[bisect_left(self._ordered, reading)]
        return Fraction(self.total - below, self.total) if self.total else Fraction(0)

    def concentration(self, top: Fraction = FIFTH) -> Fraction:
        """Return the share of the total that the *top* share of customers brings.

        A part of a customer counts as a whole one. Who of those tied at the edge is in makes
        no difference.
        """
        if not self.total:
            return Fraction(0)
        count = top_share_count(len(self._ordered), top)
        return Fraction(self.total - self._sums[len(self._ordered) - count], self.total)
