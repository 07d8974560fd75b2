"""`Store` in plain dicts: the contract without a server, for tests and for trying things out."""

from __future__ import annotations

import heapq
import threading
from typing import TYPE_CHECKING

from stream.adapters.checks import check
from stream.adapters.memory_bucket import MemoryBucket
from stream.population.bins import bin_of
from stream.rankings import Ranked
from stream.store import CommitResult, Outcome, StoreFacts, StoreMismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.store import BucketCommit, BucketHead


class MemoryStore:
    """The store in this process's memory, gone with it. See `stream.store.Store`.

    Several writers may share one; each call holds a lock from start to end.

    Args:
        now_ms: What `server_info` gives as the clock.
    """

    def __init__(self, *, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._lock = threading.RLock()
        self._count: int | None = None
        self._buckets: dict[int, MemoryBucket] = {}
        self._halts: dict[str, str] = {}

    def install(self, bucket_count: int) -> None:
        """See `Store.install`."""
        with self._lock:
            if self._count not in {None, bucket_count}:
                raise StoreMismatch(
                    f"{self._count} buckets are recorded, not {bucket_count}: "
                    f"start with {self._count}"
                )
            self._count = bucket_count

    def open(self, buckets: Sequence[int], source: str) -> list[BucketHead]:
        """See `Store.open`."""
        with self._lock:
            heads = []
            for number in buckets:
                bucket = self._bucket(number)
                epoch = bucket.epochs.get(source, 0) + 1
                bucket.epochs[source] = epoch
                heads.append(bucket.head(number, epoch))
            return heads

    def heads(self, buckets: Sequence[int]) -> list[BucketHead]:
        """See `Store.heads`."""
        with self._lock:
            return [self._bucket(number).head(number, 0) for number in buckets]

    def load_states(self, wanted: Mapping[int, Sequence[str]]) -> dict[str, bytes]:
        """See `Store.load_states`."""
        with self._lock:
            return {
                customer: states[customer]
                for number, customers in wanted.items()
                for states in [self._bucket(number).states]
                for customer in customers
                if customer in states
            }

    def load_orders(
        self, wanted: Mapping[int, Sequence[tuple[int, str]]]
    ) -> dict[tuple[int, str], bytes]:
        """See `Store.load_orders`."""
        with self._lock:
            return {
                (period, order): ledger[period][order]
                for number, orders in wanted.items()
                for ledger in [self._bucket(number).orders]
                for period, order in orders
                if order in ledger.get(period, {})
            }

    def commit(self, commits: Sequence[BucketCommit]) -> list[CommitResult]:
        """See `Store.commit`."""
        for commit in commits:
            check(commit)
        with self._lock:
            results = []
            for commit in commits:
                bucket = self._bucket(commit.bucket)
                outcome = bucket.judge(commit)
                if outcome is Outcome.OK:
                    bucket.write(commit)
                results.append(
                    CommitResult(commit.bucket, outcome, bucket.version, bucket.last_row)
                )
            return results

    def due(
        self, buckets: Sequence[int], upto_ms: int, limit: int, each: int | None = None
    ) -> list[tuple[int, str, int]]:
        """See `Store.due`."""
        limit = max(limit, 0)
        most = limit if each is None else max(each, 0)
        found: list[tuple[int, int, str]] = []
        with self._lock:
            for number in buckets:
                due = self._bucket(number).due.items()
                own = sorted((due_ms, customer) for customer, due_ms in due if due_ms <= upto_ms)
                found += [(due_ms, number, customer) for due_ms, customer in own[:most]]
        found.sort()
        return [(number, customer, due_ms) for due_ms, number, customer in found[:limit]]

    def soonest(self, buckets: Sequence[int]) -> dict[int, int]:
        """See `Store.soonest`."""
        with self._lock:
            found = {number: self._bucket(number).due.values() for number in buckets}
            return {number: min(due_ms) for number, due_ms in found.items() if due_ms}

    def scan_states(self, bucket: int) -> Iterator[tuple[str, bytes]]:
        """See `Store.scan_states`."""
        with self._lock:
            found = list(self._bucket(bucket).states.items())
        yield from found

    def scan_orders(self, bucket: int, prefix: str) -> list[tuple[int, str]]:
        """See `Store.scan_orders`."""
        with self._lock:
            return sorted(
                (period, key)
                for period, entries in self._bucket(bucket).orders.items()
                for key in entries
                if key.startswith(prefix)
            )

    def load_history(self, bucket: int, customer: str) -> list[bytes]:
        """See `Store.load_history`."""
        with self._lock:
            return list(self._bucket(bucket).history.get(customer, ()))

    def rank_names(self, bucket: int) -> list[str]:
        """See `Rankings.rank_names`."""
        with self._lock:
            return sorted(self._bucket(bucket).ranks)

    def rank_bins(self, buckets: Sequence[int], name: str) -> dict[int, tuple[int, int]]:
        """See `Rankings.rank_bins`."""
        bins: dict[int, tuple[int, int]] = {}
        for reading in self._readings(buckets, name):
            place = bin_of(reading)
            count, total = bins.get(place, (0, 0))
            bins[place] = (count + 1, total + reading)
        return bins

    def rank_readings(self, buckets: Sequence[int], name: str, low: int, high: int) -> list[int]:
        """See `Rankings.rank_readings`."""
        return sorted(r for r in self._readings(buckets, name) if low <= r < high)

    def rank_members(
        self, bucket: int, name: str, low: int, high: int, limit: int, after: Ranked | None = None
    ) -> list[Ranked]:
        """See `Rankings.rank_members`."""
        with self._lock:
            ranked = [
                Ranked(reading, customer)
                for customer, reading in self._bucket(bucket).ranks.get(name, {}).items()
                if low <= reading < high
            ]
        return heapq.nsmallest(limit, (r for r in ranked if after is None or r > after))

    def rank_of(self, buckets: Sequence[int], name: str, reading: int) -> int:
        """See `Rankings.rank_of`."""
        return sum(other > reading for other in self._readings(buckets, name))

    def read_outbox(
        self, wanted: Mapping[int, int], limit: int
    ) -> dict[int, list[tuple[int, bytes]]]:
        """See `Store.read_outbox`."""
        with self._lock:
            return {
                number: [
                    (row, data) for row, data in self._bucket(number).outbox.items() if row > after
                ][: max(limit, 0)]
                for number, after in wanted.items()
            }

    def trim_outbox(self, upto: Mapping[int, int]) -> None:
        """See `Store.trim_outbox`."""
        with self._lock:
            for number, last in upto.items():
                outbox = self._bucket(number).outbox
                for row in [row for row in outbox if row <= last]:
                    del outbox[row]

    def skip_rows(self, buckets: Sequence[int], upto: int) -> None:
        """See `Store.skip_rows`."""
        with self._lock:
            for number in buckets:
                bucket = self._bucket(number)
                bucket.last_row = max(bucket.last_row, upto)

    def outbox_depth(self, buckets: Sequence[int]) -> dict[int, int]:
        """See `Store.outbox_depth`."""
        with self._lock:
            return {number: len(self._bucket(number).outbox) for number in buckets}

    def halt(self, source: str, reason: str) -> None:
        """See `Store.halt`."""
        with self._lock:
            self._halts[source] = reason

    def halts(self) -> dict[str, str]:
        """See `Store.halts`."""
        with self._lock:
            return dict(self._halts)

    def release(self, source: str) -> None:
        """See `Store.release`."""
        with self._lock:
            self._halts.pop(source, None)

    def ping(self) -> None:
        """See `Store.ping`."""

    def server_info(self) -> StoreFacts:
        """See `Store.server_info`."""
        return StoreFacts(
            product="memory",
            version="1",
            role="master",
            cluster=False,
            maxmemory_policy="noeviction",
            maxmemory_bytes=0,
            used_memory_bytes=0,
            aof=False,
            clock_ms=self._now_ms,
        )

    def close(self) -> None:
        """See `Store.close`."""

    def _readings(self, buckets: Sequence[int], name: str) -> list[int]:
        with self._lock:
            return [
                reading
                for number in buckets
                for reading in self._bucket(number).ranks.get(name, {}).values()
            ]

    def _bucket(self, number: int) -> MemoryBucket:
        return self._buckets.setdefault(number, MemoryBucket())
