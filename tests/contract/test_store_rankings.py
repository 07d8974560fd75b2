"""Rankings: who stands where, the exact bins beside it, and walking between two readings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.adapters.memory_store import MemoryStore
from stream.population.bins import bin_of, bounds_of
from stream.rankings import READING_LIMIT, Ranked
from stream.store import BucketCommit
from tests.contract.backends import RedisBackend, must

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.store import Store
    from tests.contract.backends import Backend

EVERY = (-READING_LIMIT, READING_LIMIT)
MANY = 5_000
NASTY = ["", " ", "a:b", "{b1}", "nul\x00nul", "naïve ☃ 客户", "new\nline", "10", "Z", "a", "é"]


def bins_of(readings: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return the bins by brute force."""
    bins: dict[int, tuple[int, int]] = {}
    for reading in readings:
        count, total = bins.get(bin_of(reading), (0, 0))
        bins[bin_of(reading)] = (count + 1, total + reading)
    return bins


def test_a_customer_moves_within_a_ranking_and_leaves_it(store: Store) -> None:
    """One reading each; the bins follow; None takes out also whom nobody knows."""
    must(store, BucketCommit(1, 0, ranks={"spend": {"ann": 100, "ben": 20, "cat": -5}}))
    must(store, BucketCommit(1, 1, ranks={"spend": {"ann": 19, "ben": 20, "eve": None}}))
    assert store.rank_bins([1], "spend") == bins_of([19, 20, -5])
    must(store, BucketCommit(1, 2, ranks={"spend": {"ben": None}}))
    assert store.rank_bins([1], "spend") == bins_of([19, -5])
    assert store.rank_members(1, "spend", *EVERY, 9) == [Ranked(-5, "cat"), Ranked(19, "ann")]


def test_a_ranking_nobody_is_in_answers_nothing(store: Store) -> None:
    """Neither one that never was, nor one that everybody has left, is an error."""
    must(store, BucketCommit(1, 0, ranks={"spend": {"ann": 1}}))
    must(store, BucketCommit(1, 1, ranks={"spend": {"ann": None}}))
    for name in ("spend", "never"):
        assert store.rank_bins([1, 2], name) == {}
        assert store.rank_readings([1, 2], name, *EVERY) == []
        assert store.rank_members(1, name, *EVERY, 9, Ranked(0, "ann")) == []
        assert store.rank_of([1, 2], name, 0) == 0
    assert store.rank_names(1) == ["spend"]
    assert store.rank_names(2) == []


def test_readings_are_merged_over_buckets(store: Store) -> None:
    """Bins add up, readings are sorted, and only larger readings stand above one."""
    must(store, BucketCommit(1, 0, ranks={"spend": {"ann": 5, "ben": 100}}))
    must(store, BucketCommit(2, 0, ranks={"spend": {"cat": 5, "dan": 7, "eve": -3}}))
    assert store.rank_bins([1, 2], "spend") == bins_of([5, 100, 5, 7, -3])
    assert store.rank_readings([2, 1], "spend", -3, 100) == [-3, 5, 5, 7]
    assert [store.rank_of([1, 2], "spend", reading) for reading in (-4, 5, 6, 100)] == [5, 2, 2, 0]


def test_a_dropped_ranking_is_gone_and_may_begin_again(store: Store) -> None:
    """Others stay, and what comes later counts from nothing."""
    must(store, BucketCommit(1, 0, ranks={"spend": {"ann": 5}, "visits": {"ann": 2}}))
    must(store, BucketCommit(1, 1, drop_ranks=["spend", "never"]))
    assert store.rank_names(1) == ["visits"]
    assert store.rank_bins([1], "spend") == {}
    must(store, BucketCommit(1, 2, ranks={"spend": {"ben": 6}}))
    assert store.rank_bins([1], "spend") == bins_of([6])
    assert store.rank_names(1) == ["spend", "visits"]


def test_the_store_bins_as_the_population_does(store: Store) -> None:
    """Both ends of every bin there is: as binning is monotone, so is all in between."""
    places = range(bin_of(1 - READING_LIMIT), bin_of(READING_LIMIT - 1) + 1)
    ends = {end for low, high in map(bounds_of, places) for end in (low, high - 1)}
    must(store, BucketCommit(1, 0, ranks={"spend": {str(end): end for end in ends}}))
    assert store.rank_bins([1], "spend") == bins_of(ends)
    assert store.rank_readings([1], "spend", *EVERY) == sorted(ends)


def test_sums_stay_exact_beyond_64_bits(store: Store) -> None:
    """Thousands of the largest readings in one bin: neither overflow nor rounding."""
    largest = {str(i): READING_LIMIT - 1 - i for i in range(MANY)}
    must(store, BucketCommit(1, 0, ranks={"gain": dict(largest.items())}))
    must(store, BucketCommit(1, 1, ranks={"loss": {name: -r for name, r in largest.items()}}))
    total = sum(largest.values())
    assert total > 2**63
    assert store.rank_bins([1], "gain") == {bin_of(READING_LIMIT - 1): (MANY, total)}
    assert store.rank_bins([1], "loss") == {bin_of(1 - READING_LIMIT): (MANY, -total)}
    must(store, BucketCommit(1, 2, ranks={"gain": dict.fromkeys(largest), "loss": {"0": None}}))
    assert store.rank_bins([1], "gain") == {}
    assert store.rank_bins([1], "loss") == {
        bin_of(1 - READING_LIMIT): (MANY - 1, READING_LIMIT - 1 - total)
    }


def test_pages_of_equal_readings_neither_skip_nor_repeat(store: Store) -> None:
    """Thousands of customers with one reading are walked in the order of their ids."""
    names = sorted([*NASTY, *(f"customer-{i}" for i in range(MANY))])
    readings: dict[str, int | None] = dict.fromkeys(names, 7)
    must(store, BucketCommit(1, 0, ranks={"spend": readings | {"x": 6, "y": 8}}))
    walked: list[Ranked] = []
    while page := store.rank_members(1, "spend", 7, 8, 700, walked[-1] if walked else None):
        walked += page
    assert walked == [Ranked(7, name) for name in names]


def test_a_walk_goes_on_though_the_last_customer_has_left(store: Store) -> None:
    """Who stays where it was comes exactly once, whatever the others do."""
    must(store, BucketCommit(1, 0, ranks={"spend": {"a": 1, "b": 1, "c": 1, "d": 2, "e": 3}}))
    first = store.rank_members(1, "spend", 0, 4, 2)
    assert first == [Ranked(1, "a"), Ranked(1, "b")]
    must(store, BucketCommit(1, 1, ranks={"spend": {"a": None, "b": 9, "d": 1}}))
    assert store.rank_members(1, "spend", 0, 4, 9, first[-1]) == [
        Ranked(1, "c"),
        Ranked(1, "d"),
        Ranked(3, "e"),
    ]
    assert store.rank_members(1, "spend", 2, 3, 9, first[-1]) == []
    assert store.rank_members(1, "spend", 0, 4, 0) == []


MOVES = st.dictionaries(
    st.sampled_from(["ann", "ben", "cat", "dan"]),
    st.none() | st.integers(-40, 40) | st.integers(1 - READING_LIMIT, READING_LIMIT - 1),
)


@pytest.mark.parametrize("backend", ["memory", "valkey-9"], indirect=True)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(MOVES, st.lists(st.sampled_from(["ann", "ben"]))), max_size=8))
def test_bins_and_members_equal_a_recount(
    backend: Backend, steps: list[tuple[dict[str, int | None], list[str]]]
) -> None:
    """After any moves and erasures, in any order, nothing has drifted."""
    if isinstance(backend, RedisBackend):
        backend.clear()
        store: Store = backend.connect()
    else:
        store = MemoryStore()
    expected: dict[str, int] = {}
    for version, (moves, erased) in enumerate(steps):
        must(store, BucketCommit(1, version, ranks={"spend": moves}, erased=erased))
        kept = {name: reading for name, reading in expected.items() if name not in erased}
        expected = {name: r for name, r in (kept | moves).items() if r is not None}
        assert store.rank_bins([1], "spend") == bins_of(expected.values())
        members = store.rank_members(1, "spend", *EVERY, 99)
        assert members == sorted(Ranked(r, name) for name, r in expected.items())
        assert Counter(store.rank_readings([1], "spend", *EVERY)) == Counter(expected.values())
