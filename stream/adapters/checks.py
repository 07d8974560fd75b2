"""What every adapter refuses before it sends or writes anything. No I/O here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.rankings import READING_LIMIT
from stream.store import ABSENT, LARGEST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.store import BucketCommit


def check(commit: BucketCommit) -> None:
    """Raise ValueError where *commit* breaks the contract of `Store.commit`."""
    for number in _numbers(commit):
        if not 0 <= number <= LARGEST_NUMBER:
            raise ValueError(f"bucket {commit.bucket}: {number} is not from 0 to 2**53")
    for expected, _ in commit.cursors.values():
        if not ABSENT <= expected <= LARGEST_NUMBER:
            raise ValueError(f"bucket {commit.bucket}: no cursor can be at {expected}")
    if commit.drop_periods:
        both = set(commit.drop_periods) & (commit.fresh_orders.keys() | commit.orders.keys())
        if both:
            raise ValueError(f"bucket {commit.bucket}: periods {both} are dropped and written")
    if commit.history and commit.history_limit < 1:
        raise ValueError(f"bucket {commit.bucket}: a history of {commit.history_limit} entries")
    if commit.ranks or commit.drop_ranks:
        _check_ranks(commit)


def _check_ranks(commit: BucketCommit) -> None:
    both = commit.ranks.keys() & set(commit.drop_ranks)
    if both:
        raise ValueError(f"bucket {commit.bucket}: rankings {both} are dropped and written")
    for name, readings in commit.ranks.items():
        given = [reading for reading in readings.values() if reading is not None]
        for reading in (min(given), max(given)) if given else ():
            if abs(reading) >= READING_LIMIT:
                raise ValueError(f"bucket {commit.bucket}: {name} cannot rank {reading}")


def _numbers(commit: BucketCommit) -> Iterator[int]:
    yield from (commit.version, commit.drop_marks, commit.clock_ms or 0)
    yield from commit.epochs.values()
    yield from (following for _, following in commit.cursors.values())
    due = [due_ms for due_ms in commit.due.values() if due_ms is not None]
    if due:
        yield from (min(due), max(due))
