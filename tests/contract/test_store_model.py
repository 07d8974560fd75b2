"""Random histories: Redis and the memory store must never be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from stream.adapters.memory_store import MemoryStore
from stream.rankings import READING_LIMIT, Ranked
from stream.store import ABSENT, LARGEST_NUMBER, BucketCommit
from tests.contract.backends import ON_REDIS

if TYPE_CHECKING:
    from stream.store import Store
    from tests.contract.backends import RedisBackend

BUCKETS = [0, 1]
SOURCES = ["orders/0", "profiles/0"]
NAMES = st.sampled_from(["ann", "ben", "é\x00:", "10"])
BLOBS = st.binary(max_size=8)
NUMBERS = st.one_of(st.integers(0, 40), st.integers(0, LARGEST_NUMBER))
PERIODS = st.integers(0, 2)
SLIP = st.sampled_from([0] * 12 + [1])
"""Mostly no slip, so that most commits get past most checks."""
READINGS = st.one_of(st.integers(-20, 20), st.integers(1 - READING_LIMIT, READING_LIMIT - 1))
EVERY = (-READING_LIMIT, READING_LIMIT)
RANKINGS = ["spend", "naïve {x}:1"]
ENTRIES = st.dictionaries(PERIODS, st.dictionaries(NAMES, BLOBS, max_size=3), max_size=2)


class Twins(RuleBasedStateMachine):
    """The same calls on two stores, and the same answers expected."""

    def __init__(self, model: Store, real: Store) -> None:
        super().__init__()
        self.model = model
        self.real = real
        self.epochs: dict[tuple[int, str], int] = {}

    @rule(bucket=st.sampled_from(BUCKETS), source=st.sampled_from(SOURCES))
    def open(self, bucket: int, source: str) -> None:
        """Mint an epoch on both."""
        heads = self.model.open([bucket], source)
        assert self.real.open([bucket], source) == heads
        self.epochs[bucket, source] = heads[0].epoch

    @rule(
        data=st.data(),
        bucket=st.sampled_from(BUCKETS),
        sources=st.lists(st.sampled_from(SOURCES), unique=True),
    )
    def commit(self, data: st.DataObject, bucket: int, sources: list[str]) -> None:
        """Commit twice over, mostly well; the second is at best stale."""
        (head,) = self.model.heads([bucket])
        orders = data.draw(st.just({}) | ENTRIES, "orders")
        fresh = data.draw(st.just({}) | ENTRIES, "fresh orders")
        free = sorted({0, 1, 2} - orders.keys() - fresh.keys())
        commit = BucketCommit(
            bucket=bucket,
            version=head.version + data.draw(SLIP, "version slips by"),
            epochs={s: self.epochs.get((bucket, s), 0) + data.draw(SLIP) for s in sources},
            cursors={
                s: (head.cursors.get(s, ABSENT) + data.draw(SLIP), data.draw(NUMBERS))
                for s in sources
                if head.cursors.get(s, ABSENT) < LARGEST_NUMBER
            },
            states=data.draw(st.dictionaries(NAMES, BLOBS | st.none()), "states"),
            due=data.draw(st.dictionaries(NAMES, NUMBERS | st.none()), "due"),
            fresh_orders=fresh,
            orders=orders,
            drop_periods=data.draw(st.lists(st.sampled_from(free)), "drop") if free else [],
            marks=data.draw(BLOBS, "marks"),
            drop_marks=data.draw(st.integers(0, 3), "drop marks"),
            outbox=data.draw(st.lists(BLOBS, max_size=3), "outbox"),
            clock_ms=data.draw(NUMBERS | st.none(), "clock"),
            editions=data.draw(st.none() | BLOBS, "editions"),
        )
        self.add_people(data, commit)
        assert self.real.commit([commit, commit]) == self.model.commit([commit, commit])

    @staticmethod
    def add_people(data: st.DataObject, commit: BucketCommit) -> None:
        """Rank, remember and erase."""
        dropped = data.draw(st.sampled_from([[], [], [], RANKINGS[:1], RANKINGS]), "drop ranks")
        readings = st.dictionaries(NAMES, READINGS | st.none())
        commit.drop_ranks = dropped
        for name in [name for name in RANKINGS if name not in dropped]:
            if data.draw(st.booleans(), f"rank by {name}"):
                commit.ranks[name] = data.draw(readings, "readings")
        commit.history = data.draw(st.dictionaries(NAMES, st.lists(BLOBS, max_size=3)), "history")
        commit.history_limit = data.draw(st.integers(1, 4), "history limit")
        commit.erased = data.draw(st.just([]) | st.lists(NAMES, max_size=3), "erased")
        commit.gone_orders = data.draw(
            st.just({}) | st.dictionaries(PERIODS, st.lists(NAMES, max_size=2), max_size=2), "gone"
        )

    @rule(bucket=st.sampled_from(BUCKETS), row=st.integers(0, 20))
    def trim(self, bucket: int, row: int) -> None:
        """Trim rows, also some that do not exist yet."""
        self.model.trim_outbox({bucket: row})
        self.real.trim_outbox({bucket: row})

    @rule(buckets=st.lists(st.sampled_from(BUCKETS), unique=True), row=st.integers(0, 20))
    def skip(self, buckets: list[int], row: int) -> None:
        """Skip row numbers, also some that have been given."""
        self.model.skip_rows(buckets, row)
        self.real.skip_rows(buckets, row)

    @rule(upto_ms=NUMBERS, limit=st.integers(0, 5), each=st.none() | st.integers(0, 5))
    def due(self, upto_ms: int, limit: int, each: int | None) -> None:
        """Ask for deadlines."""
        assert self.real.soonest(BUCKETS) == self.model.soonest(BUCKETS)
        wanted = self.model.due(BUCKETS, upto_ms, limit, each)
        assert self.real.due(BUCKETS, upto_ms, limit, each) == wanted

    @rule(data=st.data(), low=READINGS, high=READINGS, limit=st.integers(0, 4))
    def page(self, data: st.DataObject, low: int, high: int, limit: int) -> None:
        """Ask for a page of a ranking, also after customers that are not there."""
        name, bucket = data.draw(st.sampled_from(RANKINGS)), data.draw(st.sampled_from(BUCKETS))
        after = data.draw(st.none() | st.builds(Ranked, READINGS, NAMES))
        found = self.model.rank_members(bucket, name, low, high, limit, after)
        assert self.real.rank_members(bucket, name, low, high, limit, after) == found

    @rule(after=st.integers(0, 10), limit=st.integers(0, 5))
    def read(self, after: int, limit: int) -> None:
        """Ask for rows."""
        wanted = dict.fromkeys(BUCKETS, after)
        assert self.real.read_outbox(wanted, limit) == self.model.read_outbox(wanted, limit)

    @invariant()
    def look_the_same(self) -> None:
        """Compare all that can be read."""
        assert everything(self.real) == everything(self.model)


def everything(store: Store) -> list[object]:
    """Return all that can be read of a store."""
    places = [(period, name) for period in range(3) for name in ["ann", "ben", "é\x00:", "10"]]
    return [
        store.heads(BUCKETS),
        [dict(store.scan_states(bucket)) for bucket in BUCKETS],
        [store.load_orders({bucket: places}) for bucket in BUCKETS],
        store.due(BUCKETS, LARGEST_NUMBER, 100),
        store.read_outbox(dict.fromkeys(BUCKETS, 0), 1000),
        store.outbox_depth(BUCKETS),
        [store.rank_names(bucket) for bucket in BUCKETS],
        [store.rank_bins(BUCKETS, name) for name in RANKINGS],
        [store.rank_readings(BUCKETS, name, -20, 21) for name in RANKINGS],
        [store.rank_of(BUCKETS, name, 3) for name in RANKINGS],
        [store.rank_members(b, n, *EVERY, 99) for b in BUCKETS for n in RANKINGS],
        [store.load_history(bucket, name) for bucket in BUCKETS for _, name in places],
        [store.scan_orders(bucket, prefix) for bucket in BUCKETS for prefix in ["", "a", "10"]],
    ]


@pytest.mark.integration
@pytest.mark.parametrize("backend", ON_REDIS, indirect=True)
def test_redis_and_memory_cannot_be_told_apart(backend: RedisBackend) -> None:
    """Any sequence of opens, commits (good and bad), trims and reads gives the same answers."""
    real = backend.connect()

    class FreshTwins(Twins):
        def __init__(self) -> None:
            backend.clear()
            super().__init__(MemoryStore(), real)

    run_state_machine_as_test(
        FreshTwins,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
