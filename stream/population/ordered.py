"""All readings of a ranking in order, known bin by bin and read only where it matters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

from stream.population.bins import bin_of, bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from stream.rankings import Rankings

    Bins = Mapping[int, tuple[int, int]]
    Fetch = Callable[[int, int], Sequence[int]]


class Ordered:
    """The readings of everyone in a ranking, ascending.

    Counts and sums come from the bins; the readings themselves are fetched for the few bins in
    which an answer lies, once. Exact, as long as bins and readings are of one instant; where
    readings come or go in between, an answer is off by no more than those.

    Attributes:
        count: How many readings there are.
        total: Their sum.
    """

    __slots__ = ("_before", "_bins", "_fetch", "_known", "_places", "count", "total")

    def __init__(self, bins: Bins, fetch: Fetch) -> None:
        """Take the (customers, sum) of each bin, and what returns all readings in [low, high)."""
        self._bins = bins
        self._fetch = fetch
        self._known: dict[int, Sequence[int]] = {}
        self._places = sorted(bins)
        self._before = [0, *accumulate(bins[place][0] for place in self._places)]
        self.count = self._before[-1]
        self.total = sum(total for _, total in bins.values())

    @classmethod
    def of(cls, readings: Iterable[int]) -> Ordered:
        """Return the order of readings that are at hand.

        >>> order = Ordered.of([30, 50, 5, 15])
        >>> order.at(0), order.quantile(Fraction(1, 2)), order.below(30), order.total
        (5, Fraction(45, 2), 2, 100)
        """
        known = sorted(readings)
        bins: dict[int, tuple[int, int]] = {}
        for reading in known:
            place = bin_of(reading)
            count, total = bins.get(place, (0, 0))
            bins[place] = count + 1, total + reading
        return cls(
            bins, lambda low, high: known[bisect_left(known, low) : bisect_left(known, high)]
        )

    @classmethod
    def stored(cls, store: Rankings, buckets: Sequence[int], name: str) -> Ordered:
        """Return the order of a ranking over *buckets*, as they stand in a store now."""
        return cls(
            store.rank_bins(buckets, name),
            lambda low, high: store.rank_readings(buckets, name, low, high),
        )

    def at(self, index: int) -> int:
        """Return the reading with so many below it, ties counted as they come; 0 is the least."""
        position = bisect_right(self._before, index) - 1
        inside = self._inside(self._places[position])
        return inside[min(index - self._before[position], len(inside) - 1)]

    def below(self, reading: int) -> int:
        """Return how many readings are below *reading*."""
        place = bin_of(reading)
        position = bisect_left(self._places, place)
        count = self._before[position]
        if position < len(self._places) and self._places[position] == place:
            count += bisect_left(self._inside(place), reading)
        return count

    def mean(self) -> Fraction:
        """Return the mean of at least one reading."""
        return Fraction(self.total, self.count)

    def quantile(self, share: Fraction) -> Fraction:
        """Return the quantile of at least one reading, as `stream.population.cuts.quantile`."""
        steps = (self.count - 1) * share
        below = steps.numerator // steps.denominator
        rest = steps - below
        low = Fraction(self.at(below))
        return low if rest == 0 else low + rest * (self.at(below + 1) - low)

    def bringing(self, shares: Sequence[Fraction]) -> tuple[int, ...]:
        """Return, for each share, the least reading among those who bring it together.

        As `stream.population.cuts.pareto_cuts`: from the largest down, readings above 0 only.
        """
        earning = [place for place in reversed(self._places) if place > 0]
        total = sum(self._bins[place][1] for place in earning)
        return tuple(self._bring(earning, share * total) for share in shares)

    def earned_from(self, reading: int) -> int:
        """Return the sum of all readings above 0 that are at least *reading*.

        >>> Ordered.of([50, 30, 15, 5, -40]).earned_from(16)
        80
        """
        least = max(reading, 1)
        first = bin_of(least)
        above = sum(total for place, (_, total) in self._bins.items() if place > first)
        inside = self._inside(first) if first in self._bins else ()
        return above + sum(inside[bisect_left(inside, least) :])

    def _bring(self, earning: Sequence[int], needed: Fraction) -> int:
        reached = 0
        for place in earning:
            if reached + self._bins[place][1] < needed:
                reached += self._bins[place][1]
                continue
            inside = self._inside(place)
            for reading in reversed(inside):
                reached += reading
                if reached >= needed:
                    return reading
            return inside[0]
        return 1

    def _inside(self, place: int) -> Sequence[int]:
        """Return the readings of a bin, ascending; never none of them."""
        known = self._known.get(place)
        if known is None:
            low, high = bounds_of(place)
            count = self._bins[place][0]
            known = (low,) * count if high - low == 1 else self._fetch(low, high) or (low,)
            self._known[place] = known
        return known
