"""Buckets are opened in the store's thread while the event loop looks at those there are."""

from __future__ import annotations

from aiokafka.structs import TopicPartition

from agents.ownership import Ownership
from agents.settings import Settings
from schemas.policy import load_policy
from stream.adapters.memory_store import MemoryStore
from stream.fold import Scorer
from stream.plan import compile_policy
from tests.bench.workload import POLICY

MINE, OTHERS = TopicPartition("orders", 0), TopicPartition("orders", 1)


def owned() -> Ownership:
    settings = Settings(buckets=8)
    store = MemoryStore()
    store.install(settings.buckets)
    return Ownership(settings, store, Scorer(compile_policy(load_policy(str(POLICY)))))


def test_who_goes_through_the_buckets_is_not_disturbed_by_those_that_come() -> None:
    """One that a foreign source feeds is opened meanwhile, then all of another assignment."""
    ownership = owned()
    ownership.open([MINE], 2)
    seen = iter(ownership.buckets.values())
    first = next(seen)
    ownership.open_foreign([(1, "orders/0")])
    assert [first.number, *(bucket.number for bucket in seen)] == [0, 2, 4, 6]
    assert ownership.is_open(1, "orders/0")
    seen = iter(ownership.buckets.values())
    first = next(seen)
    ownership.open([OTHERS], 2)
    assert sorted([first.number, *(bucket.number for bucket in seen)]) == [0, 1, 2, 4, 6]
    assert [bucket.number for bucket in ownership.at_home()] == [1, 3, 5, 7]


def test_of_too_many_cached_those_go_who_came_first() -> None:
    """From the fullest bucket, a batch of them at once, and nobody where there is room."""
    ownership = owned()
    ownership.open([MINE], 2)
    full, small = ownership.buckets[0], ownership.buckets[2]
    for number in range(900):
        full.adopt(f"c{number}", None)
    small.adopt("x", None)
    assert ownership.trim(901) == 901
    assert ownership.trim(900) == 401
    assert list(full.customers) == [f"c{number}" for number in range(500, 900)]
    assert list(small.customers) == ["x"]
    assert ownership.trim(100) == 0
    assert not full.customers
    assert not small.customers
