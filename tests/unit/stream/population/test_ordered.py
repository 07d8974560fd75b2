"""Readings known bin by bin give the answers that all readings in one list give."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.population.bins import bin_of, bounds_of
from stream.population.cuts import pareto_cuts, quantile
from stream.population.ordered import Ordered

# Many ties, both signs, and amounts up to what a store can rank.
READINGS = st.lists(
    st.integers(-40, 40) | st.integers(0, 5_000) | st.integers(-(2**53) + 1, 2**53 - 1),
    min_size=1,
    max_size=60,
)
SHARES = st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100)


@given(READINGS)
def test_every_position_and_every_count_is_that_of_the_sorted_list(readings: list[int]) -> None:
    order, known = Ordered.of(readings), sorted(readings)
    assert [order.at(index) for index in range(len(known))] == known
    for reading in {*readings, *(reading + 1 for reading in readings), 0}:
        assert order.below(reading) == bisect_left(known, reading)
    assert (order.count, order.total) == (len(readings), sum(readings))


@given(READINGS, SHARES)
def test_quantiles_and_shares_are_those_of_the_whole_list(
    readings: list[int], share: Fraction
) -> None:
    order = Ordered.of(readings)
    assert order.quantile(share) == quantile(sorted(readings), share)
    assert order.bringing([share]) == pareto_cuts(readings, [share])


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60), SHARES)
def test_quantiles_and_means_are_those_of_numpy(readings: list[int], share: Fraction) -> None:
    """A second opinion, in binary floats and so nearly equal only."""
    order = Ordered.of(readings)
    assert float(order.quantile(share)) == pytest.approx(np.quantile(readings, float(share)))
    assert float(order.mean()) == pytest.approx(np.mean(readings))


def test_only_the_bins_in_which_an_answer_lies_are_read() -> None:
    readings = range(1, 100_000)
    asked = []

    def fetch(low: int, high: int) -> list[int]:
        asked.append((low, high))
        return list(readings)[low - 1 : high - 1]

    sums: Counter[int] = Counter()
    for reading in readings:
        sums[bin_of(reading)] += reading
    counts = Counter(bin_of(reading) for reading in readings)
    order = Ordered({place: (counts[place], sums[place]) for place in counts}, fetch)
    assert order.quantile(Fraction(1, 2)) == 50_000
    assert order.quantile(Fraction(1, 2)) == 50_000
    assert asked == [bounds_of(bin_of(50_000))]


def test_readings_that_left_between_bins_and_bin_leave_an_answer_in_place() -> None:
    """On the wall clock commits go on while a census reads: it is off by those, and no worse."""
    bins = {bin_of(100): (3, 300), bin_of(1_000): (1, 1_000)}
    order = Ordered(
        bins, lambda low, high: [reading for reading in (100,) if low <= reading < high]
    )
    assert [order.at(index) for index in range(4)] == [100, 100, 100, bounds_of(bin_of(1_000))[0]]
    assert order.bringing([Fraction(1, 2)]) == (bounds_of(bin_of(1_000))[0],)
