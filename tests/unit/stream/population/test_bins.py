"""Log bins: monotone, without gaps, symmetric, and never wider than an eighth of a reading."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from stream.population.bins import bin_of, bounds_of

READINGS = st.integers(1 - 2**53, 2**53 - 1) | st.integers(-100, 100)


@given(READINGS, READINGS)
def test_a_larger_reading_never_has_a_smaller_bin(one: int, other: int) -> None:
    """The order of readings is the order of bins, but for ties."""
    low, high = sorted((one, other))
    assert bin_of(low) <= bin_of(high)


@given(READINGS)
def test_a_reading_lies_within_the_bounds_of_its_bin(reading: int) -> None:
    """And the bin is at most an eighth as wide as what it holds."""
    low, high = bounds_of(bin_of(reading))
    assert low <= reading < high
    assert high - low == 1 or (high - low) * 8 <= abs(reading)


@given(READINGS)
def test_bins_are_symmetric(reading: int) -> None:
    """A loss has the bin of the same gain, with the sign turned."""
    assert bin_of(-reading) == -bin_of(reading)


def test_bins_meet_without_a_gap_over_every_reading_there_is() -> None:
    """Each bin begins where the one below ends, from the least reading to the largest."""
    places = range(bin_of(1 - 2**53), bin_of(2**53 - 1) + 1)
    bounds = [bounds_of(place) for place in places]
    assert bounds[0][0] == 1 - 2**53
    assert bounds[-1][1] == 2**53
    assert all(below[1] == above[0] for below, above in itertools.pairwise(bounds))
    assert [bin_of(low) for low, _ in bounds] == list(places)
