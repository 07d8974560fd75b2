"""Where the population's boundaries lie: mean, median, quantiles, the top, Pareto shares.

Readings are integers, so every boundary can be one as well: a reading is at or above a
rational cut exactly where it is at or above the next integer, and below it exactly where it
is below that integer. All functions return such integers and leave the population as it is.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HALF = Fraction(1, 2)


def mean_cut(readings: Sequence[int]) -> int:
    """Return the least integer that is not below the mean of at least one reading.

    >>> mean_cut([1, 2]), mean_cut([-1, -2]), mean_cut([3, 3])
    (2, -1, 3)
    """
    return -(-sum(readings) // len(readings))


def quantile(ordered: Sequence[int], share: Fraction) -> Fraction:
    """Return the exact quantile of at least one reading in ascending order.

    The quantile lies ``(n - 1) * share`` steps from the least reading; between two readings
    it is interpolated on a straight line. That is definition 7 of Hyndman and Fan ("Sample
    Quantiles in Statistical Packages", The American Statistician 50, 1996): numpy's default
    ``method="linear"`` and Python's ``statistics.quantiles(method="inclusive")``, but in
    fractions.

    >>> quantile([10, 20, 30, 40], Fraction(1, 5)), quantile([7], Fraction(1, 5))
    (Fraction(16, 1), Fraction(7, 1))
    """
    steps = (len(ordered) - 1) * share
    below = steps.numerator // steps.denominator
    rest = steps - below
    low = Fraction(ordered[below])
    return low if rest == 0 else low + rest * (ordered[below + 1] - ordered[below])


def median_cut(readings: Sequence[int]) -> int:
    """Return the least integer that is not below the median of at least one reading.

    >>> median_cut([4, 1, 2]), median_cut([4, 1, 2, 3])
    (2, 3)
    """
    return ceil(quantile(sorted(readings), HALF))


def quantile_cuts(readings: Sequence[int], parts: int) -> tuple[int, ...]:
    """Return the ``parts - 1`` cuts between *parts* equal shares of at least one reading.

    Ascending; with many ties neighbouring cuts are equal, and the part between is empty.

    >>> quantile_cuts(range(1, 11), 5), quantile_cuts([1, 1, 1, 1, 9], 5)
    ((3, 5, 7, 9), (1, 1, 1, 3))
    """
    ordered = sorted(readings)
    return tuple(ceil(quantile(ordered, Fraction(part, parts))) for part in range(1, parts))


def top_cut(readings: Sequence[int], count: int) -> int:
    """Return the least reading among the top *count* (1 or more); ties of it are in as well.

    With fewer readings than that, all are in.

    >>> top_cut([5, 9, 7, 7], 2), top_cut([5, 9], 3)
    (7, 5)
    """
    return sorted(readings, reverse=True)[min(count, len(readings)) - 1]


def top_share_count(customers: int, share: Fraction) -> int:
    """Return how many the top *share* of so many customers are, a part counted as a whole one.

    >>> top_share_count(100, Fraction(1, 5)), top_share_count(11, Fraction(1, 5))
    (20, 3)
    """
    return ceil(customers * share)


def pareto_cuts(readings: Sequence[int], shares: Sequence[Fraction]) -> tuple[int, ...]:
    """Return, for each share of the total, the least reading among those who bring it together.

    Readings are added up from the largest down until their sum first reaches the share; the
    one that makes it is in, and so are those tied with it. The total is that of the readings
    above 0: one of 0 or less brings nothing, counts for nothing, and is in no such group.
    Where no reading is above 0 every cut is 1. Descending for ascending shares (each above 0
    and at most 1).

    >>> pareto_cuts([50, 30, 15, 5, -40], [Fraction(4, 5), Fraction(19, 20)])
    (30, 15)
    """
    earning = sorted((reading for reading in readings if reading > 0), reverse=True)
    total = sum(earning)
    cuts = []
    for share in shares:
        needed, reached, cut = share * total, 0, 1
        for reading in earning:
            reached, cut = reached + reading, reading
            if reached >= needed:
                break
        cuts.append(cut)
    return tuple(cuts)
