"""How far cuts move at one census: the dead band, the cap, and what never happens."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.policy.relative import Population
from stream.population.follow import follow
from stream.population.ordered import Ordered

LEVELS = st.lists(st.integers(-60, 60), min_size=1, max_size=4).map(sorted).map(tuple)
READINGS = st.lists(st.integers(-50, 50), min_size=1, max_size=40)
NOBODY = Ordered.of([1])


def population(**more: str) -> Population:
    """Return what a policy says of the population."""
    return Population.model_validate({"cadence": "daily", **more})


@pytest.mark.parametrize(
    ("old", "new", "then"),
    [
        ((100,), (105,), (100,)),  # exactly the band: not more than it
        ((100,), (106,), (106,)),
        ((100,), (95,), (100,)),
        ((-100,), (-106,), (-106,)),
        ((0,), (1,), (1,)),  # no share of nothing
        ((100, 200), (104, 211), (104, 211)),  # one level takes the others with it
    ],
)
def test_a_cut_moves_when_a_level_has_left_the_dead_band(
    old: tuple[int, ...], new: tuple[int, ...], then: tuple[int, ...]
) -> None:
    """As a whole: levels that move one by one could pass each other."""
    assert follow(old, new, population(dead_band="5%"), NOBODY) == then


@pytest.mark.parametrize(
    ("old", "new", "then"),
    [
        ((1,), (100,), (21,)),  # passes 20 of 100
        ((51,), (1,), (31,)),
        ((90,), (100,), (100,)),
        ((200,), (500,), (500,)),  # nobody is there
    ],
)
def test_a_level_passes_no_more_than_its_share_of_customers(
    old: tuple[int, ...], new: tuple[int, ...], then: tuple[int, ...]
) -> None:
    order = Ordered.of(range(1, 101))
    assert follow(old, new, population(most_moved="20%"), order) == then


def test_customers_with_one_reading_are_passed_together() -> None:
    """Else a level in front of many equal readings would stay there for good."""
    order = Ordered.of([5] * 90 + [9] * 10)
    capped = population(most_moved="10%")
    assert follow((5,), (9,), capped, order) == (6,)
    assert follow((6,), (3,), capped, order) == (5,)


@given(READINGS, LEVELS, st.data(), st.integers(1, 100))
def test_capped_levels_ascend_approach_and_arrive(
    readings: list[int], old: tuple[int, ...], data: st.DataObject, percent: int
) -> None:
    """Each step passes no more than the cap, or one reading; and so the cut arrives in the end."""
    size = len(old)
    new = tuple(sorted(data.draw(st.lists(st.integers(-60, 60), min_size=size, max_size=size))))
    order, capped = Ordered.of(readings), population(most_moved=f"{percent}%")
    most = int(Fraction(percent, 100) * len(readings))
    for _ in range(2 * len(readings) + 2):
        if old == new:
            break
        then = follow(old, new, capped, order)
        assert list(then) == sorted(then)
        for here, there, goal in zip(old, then, new, strict=True):
            assert min(here, goal) <= there <= max(here, goal)
            low, high = min(here, there), max(here, there)
            passed = [reading for reading in readings if low <= reading < high]
            assert len(passed) <= most or len(set(passed)) == 1
        assert then != old
        old = then
    assert old == new
