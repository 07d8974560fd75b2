"""Whose deadlines are fired with a batch, and when it is known that there are no more."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from aiokafka.structs import TopicPartition

from agents.deadlines import Deadlines
from agents.ownership import Ownership
from agents.pacing import ROWS_EACH, Pacing
from agents.settings import Settings
from agents.store_thread import StoreThread
from schemas.policy import load_policy
from stream.adapters.memory_store import MemoryStore
from stream.fold import Scorer
from stream.plan import compile_policy
from stream.store import BucketCommit
from tests.bench.workload import POLICY

if TYPE_CHECKING:
    from collections.abc import Iterable

BUCKETS, NOW_MS = 8, 1_000


class Time:
    """Two partition numbers whose watermarks a test sets."""

    def __init__(self) -> None:
        self.watermarks = {0: NOW_MS, 1: NOW_MS}

    def numbers(self) -> Iterable[int]:
        """See `agents.folding.Watermarks`."""
        return self.watermarks

    def watermark_ms(self, number: int) -> int | None:
        """See `agents.folding.Watermarks`."""
        return self.watermarks[number]


class Site:
    """A worker's deadlines over a store in memory."""

    def __init__(self, due: dict[int, int], limit: int) -> None:
        """Let so many customers of each bucket in *due* be due at 1, 2, 3 … ms."""
        settings = Settings(buckets=BUCKETS, sweep_limit=limit)
        self.store = MemoryStore()
        self.store.install(BUCKETS)
        for bucket, count in due.items():
            names: dict[str, int | None] = {f"b{bucket}-{n}": n + 1 for n in range(count)}
            self.store.commit([BucketCommit(bucket, 0, due=names)])
        ownership = Ownership(
            settings, self.store, Scorer(compile_policy(load_policy(str(POLICY))))
        )
        ownership.open([TopicPartition("orders", n) for n in (0, 1)], 2)
        self.time, self.versions = Time(), Counter(due.keys())
        thread = StoreThread(self.store, "deadlines")
        self.deadlines = Deadlines(settings, thread, ownership, Pacing(0.0))  # always looks

    async def turn(self, room: int = 1_000_000) -> tuple[list[str], bool]:
        """Return who is fired in one turn, and whether that was all; they are due no more."""
        found, swept = await self.deadlines.due(self.time, room, live=False, settled=True)
        for bucket, customers in found.items():
            gone: dict[str, int | None] = dict.fromkeys(name for name, _ in customers)
            self.store.commit([BucketCommit(bucket, self.versions[bucket], due=gone)])
            self.versions[bucket] += 1
        return [name for customers in found.values() for name, _ in customers], swept


@pytest.mark.parametrize("due", [{2: 300}, {0: 3, 1: 40, 2: 40, 5: 1, 7: 200}, {}])
async def test_everyone_is_fired_once_and_the_last_turn_says_so(due: dict[int, int]) -> None:
    """However they lie in the buckets; before that it is never said."""
    site, fired = Site(due, limit=32), Counter[str]()
    for _ in range(100):
        names, swept = await site.turn()
        assert len(names) <= 32
        fired.update(names)
        assert site.deadlines.pressing == (not swept)
        assert swept == (fired.total() == sum(due.values()))
        if swept:
            break
    assert len(fired) == fired.total() == sum(due.values())


async def test_one_bucket_may_have_more_than_is_asked_of_each() -> None:
    """The limit is not reached then, and still the clock must not move past those left."""
    site = Site({4: 30}, limit=16)
    found = []
    for _ in range(3):
        names, swept = await site.turn()
        found.append((len(names), swept, site.deadlines.pressing))
    assert found == [(12, False, True), (12, False, True), (6, True, False)]


async def test_without_room_nobody_is_fired_and_nothing_is_said() -> None:
    """Nor more than there is room for."""
    site = Site({4: 30}, limit=20)
    assert await site.turn(0) == ([], False)
    names, swept = await site.turn(5 * ROWS_EACH)
    assert (len(names), swept) == (5, False)


async def test_what_comes_after_the_watermark_is_not_looked_for() -> None:
    """Each partition number has its own."""
    site = Site({2: 10, 3: 10}, limit=100)
    site.time.watermarks = {0: 4, 1: 7}
    names, swept = await site.turn()
    assert swept
    assert Counter(name[:2] for name in names) == {"b2": 4, "b3": 7}
