"""Rank, percentile and share of a reading, and how far the cuts next to it are."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from schemas.policy.relative import RelativeCut
from stream.explanation.place import places_of, rank_of
from stream.plan import compile_policy
from stream.population.ordered import Ordered
from stream.population.places import Places
from stream.sentinels import MISSING
from tests.unit.stream.gradings.test_within import BEST, ROWS, document

if TYPE_CHECKING:
    from stream.explanation.place import Place
    from stream.population.rankings import Ranking

SHARES = RelativeCut("measure", "spent", "shares", 1, (Fraction(4, 5),), grading="abc")
RECENCY = RelativeCut("recency", "silent", "mean", grading="abc")
CUTS = {"best.measure[retail]": (850,), "best.measure[trade]": (70,)}


@given(st.lists(st.integers(-100, 3_000), min_size=1, max_size=30), st.data())
def test_a_rank_is_that_among_all_readings(readings: list[int], data: st.DataObject) -> None:
    """Ties share every place; found from bins, it equals what all readings in order say."""
    reading = data.draw(st.sampled_from(readings))
    found, places = rank_of(SHARES, reading, Ordered.of(readings)), Places(readings)
    assert found is not None
    assert (found.rank, found.customers) == (places.rank(reading), len(readings))
    assert found.percentile == places.percentile(reading)
    assert found.share == places.share(reading)
    assert found.cumulative == places.cumulative_share(reading)
    turned = rank_of(RECENCY, reading, Ordered.of(readings))
    assert turned is not None
    mirrored = Places([-other for other in readings])
    assert (turned.rank, turned.percentile) == (
        mirrored.rank(-reading),
        mirrored.percentile(-reading),
    )
    assert turned.share is None


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=10), st.integers(-60, 60))
def test_a_reading_that_is_newer_than_everybodys_has_a_rank_among_them(
    readings: list[int], reading: int
) -> None:
    """It may have been stored a moment later than the others were counted."""
    found = rank_of(SHARES, reading, Ordered.of(readings))
    assert found is not None
    assert 1 <= found.rank <= found.customers == len(readings)
    assert 0 < found.percentile <= 1


def order(ranking: Ranking) -> Ordered:
    """Return the order of all rows that count."""
    return Ordered.of(spent for spent, *by in ROWS if ranking.holds((spent, *by)))  # type: ignore[misc]


def place(row: tuple[int | str, int | str], *, known: bool = True) -> Place:
    """Return the one place of a customer, where everyone's readings are *known* or not."""
    plan = compile_policy(document(), CUTS)
    (found,) = places_of(plan, "best", row, order if known else None)
    return found


def test_a_place_is_one_among_the_customers_of_the_segment() -> None:
    found = place((800, "retail"))
    assert (found.cut, found.segment, found.levels) == ("best.measure[retail]", "retail", (850,))
    assert (found.value, found.up, found.down) == (800, 850, None)
    assert found.rank is not None
    assert (found.rank.rank, found.rank.customers) == (2, 2)
    assert found.rank.share == Fraction(8, 17)
    assert found.rank.cumulative == 1


def test_a_cut_that_no_census_has_set_has_ranks_nevertheless() -> None:
    """In the rest nobody is graded yet, but readings are there."""
    found = place((300, MISSING))
    assert (found.cut, found.segment, found.levels, found.up) == ("best.measure[]", "", None, None)
    assert found.rank is not None
    assert (found.rank.rank, found.rank.customers) == (3, 3)


def test_without_a_reading_or_without_the_others_there_is_no_rank() -> None:
    assert place((MISSING, "retail")).rank is None
    alone = place((900, "retail"), known=False)
    assert (alone.rank, alone.down, alone.frozen) == (None, 850, False)


def test_who_lacks_the_evidence_has_no_rank() -> None:
    evidence = {"minimum_evidence": {"measure": "spent", "at_least": 5}}
    plan = compile_policy(document(BEST | evidence), CUTS)
    (poor,) = places_of(plan, "best", (499, "trade"), order)
    (rich,) = places_of(plan, "best", (500, "trade"), order)
    assert poor.rank is None
    assert rich.rank is not None
