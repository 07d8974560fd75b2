"""`Store` in plain dicts: the contract without a server, for tests and for trying things out."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from stream.adapters.checks import check
from stream.store import (
    ABSENT,
    BucketHead,
    CommitResult,
    Outcome,
    StoreFacts,
    StoreMismatch,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.store import BucketCommit

_T = TypeVar("_T", bytes, int)


def _update(kept: dict[str, _T], changes: dict[str, _T | None]) -> None:
    for name, value in changes.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value


@dataclass(slots=True)
class _Bucket:
    version: int = 0
    epochs: dict[str, int] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    orders: dict[int, dict[str, bytes]] = field(default_factory=dict)
    marks: list[bytes] = field(default_factory=list)
    outbox: dict[int, bytes] = field(default_factory=dict)
    clock_ms: int | None = None
    last_row: int = 0

    def head(self, bucket: int, epoch: int) -> BucketHead:
        return BucketHead(
            bucket=bucket,
            version=self.version,
            epoch=epoch,
            cursors=dict(self.cursors),
            marks=list(self.marks),
            clock_ms=self.clock_ms,
            last_row=self.last_row,
        )

    def judge(self, commit: BucketCommit) -> Outcome:
        """Return the first check that *commit* fails, or OK."""
        if any(self.epochs.get(source, 0) != epoch for source, epoch in commit.epochs.items()):
            return Outcome.FENCED
        if self.version != commit.version:
            return Outcome.STALE
        for source, (expected, _) in commit.cursors.items():
            if self.cursors.get(source, ABSENT) != expected:
                return Outcome.OFFSET
        for period, entries in commit.fresh_orders.items():
            if not entries.keys().isdisjoint(self.orders.get(period, {})):
                return Outcome.KNOWN_ORDER
        return Outcome.OK

    def write(self, commit: BucketCommit) -> None:
        _update(self.states, commit.states)
        _update(self.due, commit.due)
        for periods in (commit.fresh_orders, commit.orders):
            for period, entries in periods.items():
                self.orders.setdefault(period, {}).update(entries)
        for period in commit.drop_periods:
            self.orders.pop(period, None)
        del self.marks[: commit.drop_marks]
        if commit.marks:
            self.marks.append(commit.marks)
        for row in commit.outbox:
            self.last_row += 1
            self.outbox[self.last_row] = row
        for source, (_, following) in commit.cursors.items():
            self.cursors[source] = following
        if commit.clock_ms is not None:
            self.clock_ms = max(self.clock_ms or 0, commit.clock_ms)
        self.version += 1


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
        self._buckets: dict[int, _Bucket] = {}
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

    def due(self, buckets: Sequence[int], upto_ms: int, limit: int) -> list[tuple[int, str, int]]:
        """See `Store.due`."""
        with self._lock:
            found = sorted(
                (due_ms, number, customer)
                for number in buckets
                for customer, due_ms in self._bucket(number).due.items()
                if due_ms <= upto_ms
            )
        return [(number, customer, due_ms) for due_ms, number, customer in found[: max(limit, 0)]]

    def scan_states(self, bucket: int) -> Iterator[tuple[str, bytes]]:
        """See `Store.scan_states`."""
        with self._lock:
            found = list(self._bucket(bucket).states.items())
        yield from found

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

    def _bucket(self, number: int) -> _Bucket:
        return self._buckets.setdefault(number, _Bucket())
