"""What `MemoryStore` keeps of one bucket, and how a commit is checked and written to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from stream.store import ABSENT, BucketHead, Outcome

if TYPE_CHECKING:
    from stream.store import BucketCommit


_T = TypeVar("_T", bytes, int)


def _update(kept: dict[str, _T], changes: dict[str, _T | None]) -> None:
    for name, value in changes.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value


@dataclass(slots=True)
class MemoryBucket:
    """One bucket; its fields are named as in `stream.store.BucketHead` and `BucketCommit`."""

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
    editions: bytes = b""
    ranks: dict[str, dict[str, int]] = field(default_factory=dict)
    history: dict[str, list[bytes]] = field(default_factory=dict)
    erasures: dict[str, bytes] = field(default_factory=dict)

    def head(self, bucket: int, epoch: int) -> BucketHead:
        """Return what a writer needs to know; *bucket* and *epoch* are the caller's."""
        return BucketHead(
            bucket=bucket,
            version=self.version,
            epoch=epoch,
            cursors=dict(self.cursors),
            marks=list(self.marks),
            clock_ms=self.clock_ms,
            last_row=self.last_row,
            editions=self.editions,
            erasures=dict(self.erasures),
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
        """Write all of a commit that `judge` finds nothing wrong with."""
        self._erase(commit)
        _update(self.states, commit.states)
        _update(self.due, commit.due)
        for periods in (commit.fresh_orders, commit.orders):
            for period, entries in periods.items():
                self.orders.setdefault(period, {}).update(entries)
        for period in commit.drop_periods:
            self.orders.pop(period, None)
        self._rank_and_remember(commit)
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
        if commit.editions is not None:
            self.editions = commit.editions
        self.version += 1

    def _rank_and_remember(self, commit: BucketCommit) -> None:
        for name, readings in commit.ranks.items():
            _update(self.ranks.setdefault(name, {}), readings)
        for customer, entries in commit.history.items():
            kept = self.history.get(customer, []) + entries
            self.history[customer] = kept[-commit.history_limit :]

    def _erase(self, commit: BucketCommit) -> None:
        for customer in commit.erased:
            self.states.pop(customer, None)
            self.due.pop(customer, None)
            self.history.pop(customer, None)
            for readings in self.ranks.values():
                readings.pop(customer, None)
        self.erasures.update(commit.erasures)
        for name in commit.drop_ranks:
            self.ranks.pop(name, None)
        for period, keys in commit.gone_orders.items():
            for key in keys:
                self.orders.get(period, {}).pop(key, None)
