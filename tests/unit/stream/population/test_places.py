"""Rank, percentile, shares and concentration, by counting."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from stream.population.places import Places

READINGS = st.lists(st.integers(-9, 30), min_size=1, max_size=30)


@given(READINGS)
def test_places_are_what_counting_gives(readings: list[int]) -> None:
    places = Places(readings)
    total = sum(x for x in readings if x > 0)
    for reading in set(readings):
        above = [x for x in readings if x > reading]
        assert places.rank(reading) == len(above) + 1
        assert places.percentile(reading) == Fraction(len(readings) - len(above), len(readings))
        assert places.share(reading) * total == (max(reading, 0) if total else 0)
        together = sum(x for x in readings if x >= reading and x > 0)
        assert places.cumulative_share(reading) * total == (together if total else 0)


@given(READINGS)
def test_all_shares_make_the_whole(readings: list[int]) -> None:
    places = Places(readings)
    whole = 1 if places.total else 0
    assert sum(places.share(reading) for reading in readings) == whole
    assert places.cumulative_share(min(readings)) == whole
    assert places.concentration(Fraction(1)) == whole


def test_concentration_is_what_the_top_fifth_brings() -> None:
    """Of 11 customers the top 20 % are three, a part counted as a whole one."""
    assert Places([50, 30, 10, 10]).concentration() == Fraction(1, 2)
    assert Places([*[1] * 8, 30, 40, 22]).concentration() == Fraction(92, 100)
    assert Places([0, -3]).concentration() == 0
