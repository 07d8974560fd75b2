"""Cuts of the population, against definitions written down a second time."""

from __future__ import annotations

import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.population.cuts import (
    mean_cut,
    median_cut,
    pareto_cuts,
    quantile,
    quantile_cuts,
    top_cut,
    top_share_count,
)

READINGS = st.lists(st.integers(-60, 60) | st.integers(-(10**14), 10**14), min_size=1, max_size=40)
SHARES = st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100)


@given(READINGS)
def test_a_reading_is_on_the_same_side_of_the_cut_as_of_the_mean(readings: list[int]) -> None:
    """The cut is an integer, the mean a rational: no integer lies between them."""
    mean = Fraction(sum(readings), len(readings))
    for reading in {*readings, mean.numerator // mean.denominator}:
        assert (reading >= mean_cut(readings)) is (reading >= mean)
        assert (reading < mean_cut(readings)) is (reading < mean)


@given(READINGS)
def test_a_reading_is_on_the_same_side_of_the_cut_as_of_the_median(readings: list[int]) -> None:
    median = statistics.median(map(Fraction, readings))
    for reading in {*readings, median.numerator // median.denominator}:
        assert (reading >= median_cut(readings)) is (reading >= median)


@given(READINGS.filter(lambda readings: len(readings) > 1), st.integers(2, 10))
def test_quantiles_are_those_of_the_inclusive_method(readings: list[int], parts: int) -> None:
    """The standard library has the same definition; given fractions it is exact as well."""
    told = statistics.quantiles(map(Fraction, readings), n=parts, method="inclusive")
    ours = [quantile(sorted(readings), Fraction(k, parts)) for k in range(1, parts)]
    assert ours == told
    for cut, exact in zip(quantile_cuts(readings, parts), told, strict=True):
        assert cut - 1 < exact <= cut


@pytest.mark.parametrize(
    ("readings", "quintiles"),
    [
        # numpy.quantile(readings, [.2, .4, .6, .8]) of numpy 2.4, method="linear".
        ([1, 2, 3, 4, 5, 6, 7], ["2.2", "3.4", "4.6", "5.8"]),
        ([3, -1, 4, 1, -5, 9, 2, 6], ["-0.2", "1.8", "3.2", "5.2"]),
        ([10, 10, 10, 40], ["10", "10", "10", "22"]),
    ],
)
def test_quintiles_are_those_of_numpy(readings: list[int], quintiles: list[str]) -> None:
    """Its default method, "linear"."""
    ours = [quantile(sorted(readings), Fraction(k, 5)) for k in range(1, 5)]
    assert ours == [Fraction(text) for text in quintiles]


def test_a_single_customer_is_every_cut() -> None:
    assert (mean_cut([7]), median_cut([7]), quantile_cuts([7], 5)) == (7, 7, (7, 7, 7, 7))


@given(READINGS, st.integers(1, 50))
def test_the_top_are_so_many_and_those_tied_with_the_last(readings: list[int], count: int) -> None:
    cut = top_cut(readings, count)
    inside = [reading for reading in readings if reading >= cut]
    assert len(inside) >= min(count, len(readings))
    assert sum(reading > cut for reading in readings) < count


def test_a_part_of_a_customer_in_the_top_is_a_whole_one() -> None:
    assert [top_share_count(n, Fraction(1, 5)) for n in (1, 5, 6, 100)] == [1, 1, 2, 20]


def test_g8_the_18_customers_of_seed_001_who_bring_80_of_100_million_are_a() -> None:
    """Seed 001: 100 customers, 18 of them order for 8,000 of 10,000 (万), the others for 2,000."""
    best = [4_000_000_00] * 8 + [4_800_000_00] * 10
    others = [243_902_43] * 80 + [243_902_80] * 2
    assert (len(best), sum(best)) == (18, 80_000_000_00)
    assert (len(others), sum(others)) == (82, 20_000_000_00)
    (cut,) = pareto_cuts(best + others, [Fraction(4, 5)])
    assert [reading for reading in best + others if reading >= cut] == best


def brute_group(readings: list[int], share: Fraction) -> list[int]:
    """Take the largest readings off one by one until they make the share; then those tied."""
    rest = sorted(reading for reading in readings if reading > 0)
    needed = share * sum(rest)
    group: list[int] = []
    while rest and (sum(group) < needed or rest[-1] == group[-1]):
        group.append(rest.pop())
    return group


@given(READINGS, SHARES)
def test_a_pareto_group_is_the_smallest_that_makes_its_share(
    readings: list[int], share: Fraction
) -> None:
    """Ties stay together; who brings nothing, or less, is in no group."""
    (cut,) = pareto_cuts(readings, [share])
    inside = sorted((reading for reading in readings if reading >= cut), reverse=True)
    assert inside == brute_group(readings, share)


@given(READINGS, st.lists(SHARES, min_size=2, max_size=4, unique=True).map(sorted))
def test_pareto_cuts_fall_as_shares_rise(readings: list[int], shares: list[Fraction]) -> None:
    cuts = pareto_cuts(readings, shares)
    assert list(cuts) == sorted(cuts, reverse=True)
    assert cuts == tuple(cut for share in shares for cut in pareto_cuts(readings, [share]))


def test_where_nobody_brings_anything_nobody_is_in_a_group() -> None:
    assert pareto_cuts([0, -5], [Fraction(4, 5), Fraction(19, 20)]) == (1, 1)
