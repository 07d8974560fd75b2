"""Key names, and how a commit travels to its script; `answers` reads what comes back. No I/O here.

A commit is two arguments, its names and numbers as one msgpack blob and its values end to end: an
argument for each value would cost more than three times the Python time.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import msgspec

from stream.adapters.checks import check
from stream.adapters.redis_store import scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.store import BucketCommit

_T = TypeVar("_T", bytes, int)
_Placed = tuple[int, list[str], list[int]]
_Ranking = tuple[int, str, list[str], list[int], list[str]]
Argument = str | bytes | int
Command = tuple[Argument, ...]

_encode = msgspec.msgpack.Encoder().encode
SIZE_BYTES = 4
"""Each entry of a history stands after its length in so many bytes, the highest first."""


class Keys:
    """Names of everything under one prefix. A bucket's keys share a hash tag, so a slot."""

    __slots__ = ("_buckets", "channel", "count", "halts", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.count = f"{prefix}:buckets"
        self.halts = f"{prefix}:halts"
        self.channel = f"{prefix}:outbox"
        self._buckets: dict[int, tuple[str, str, str, str, str]] = {}

    def bucket(self, bucket: int) -> tuple[str, str, str, str, str]:
        """Return meta hash, states hash, deadlines, outbox stream and marks list of *bucket*."""
        names = self._buckets.get(bucket)
        if names is None:
            tag = f"{self.prefix}:{{b{bucket}}}"
            names = (f"{tag}:meta", f"{tag}:states", f"{tag}:due", f"{tag}:outbox", f"{tag}:marks")
            self._buckets[bucket] = names
        return names

    def period(self, bucket: int, period: int) -> str:
        """Return the hash that holds the ledger entries of *period*."""
        return f"{self.prefix}:{{b{bucket}}}:orders:{period}"

    def rank(self, bucket: int, name: str) -> str:
        """Return the sorted set of customers by their reading in a ranking."""
        return f"{self.prefix}:{{b{bucket}}}:rank:{name}"

    def bins(self, bucket: int, name: str) -> str:
        """Return the hash that holds the log bins of a ranking."""
        return f"{self.prefix}:{{b{bucket}}}:bins:{name}"

    def history(self, bucket: int) -> str:
        """Return the hash that holds the history of each customer."""
        return f"{self.prefix}:{{b{bucket}}}:history"


def commit_command(keys: Keys, commit: BucketCommit, rankings: Iterable[str] = ()) -> Command:
    """Return the command that runs the commit script on *commit*.

    Args:
        keys: Names of the keys.
        commit: What to write.
        rankings: All rankings of the bucket, where customers are erased; else not looked at.

    Raises:
        ValueError: The commit breaks the contract; see `Store.commit`.
    """
    check(commit)
    names: list[str] = list(keys.bucket(commit.bucket))
    blocks = [_framed(entries) for entries in commit.history.values()]
    body: list[bytes] = [*blocks, *commit.outbox]

    states, gone_states = _split(commit.states, commit.erased)
    body += states.values()
    due, gone_due = _split(commit.due, commit.erased)
    placed: list[list[_Placed]] = []
    for ledger in (commit.fresh_orders, commit.orders):
        placed.append([])
        for period, entries in ledger.items():
            names.append(keys.period(commit.bucket, period))
            placed[-1].append((len(names), list(entries), _lengths(entries.values())))
            body += entries.values()
    dropped = []
    for period in commit.drop_periods:
        names.append(keys.period(commit.bucket, period))
        dropped.append(len(names))
    gone_orders = []
    for period, gone in commit.gone_orders.items():
        names.append(keys.period(commit.bucket, period))
        gone_orders.append((len(names), gone))
    body += (commit.marks, commit.editions or b"", *commit.erasures.values())

    blob = _encode(
        (
            commit.version,
            list(chain.from_iterable(commit.epochs.items())),
            [part for source, span in commit.cursors.items() for part in (source, *span)],
            (list(states), _lengths(states.values())),
            gone_states,
            (list(due), list(due.values())),
            gone_due,
            *placed,
            dropped,
            commit.drop_marks,
            _lengths(commit.outbox),
            -1 if commit.clock_ms is None else commit.clock_ms,
            len(commit.marks),
            -1 if commit.editions is None else len(commit.editions),
            _place_ranks(keys, commit, rankings, names),
            _place_dropped_ranks(keys, commit, names),
            _place_history(keys, commit, names),
            (commit.history_limit, list(commit.history), _lengths(blocks)),
            commit.erased,
            gone_orders,
            (list(commit.erasures), _lengths(commit.erasures.values())),
        )
    )
    return (
        "EVALSHA",
        scripts.COMMIT.sha,
        len(names),
        *names,
        blob,
        b"".join(body),
        keys.channel,
        commit.bucket,
    )


def _place_ranks(
    keys: Keys, commit: BucketCommit, rankings: Iterable[str], names: list[str]
) -> list[_Ranking]:
    """Name the keys of every ranking that changes; the bins come right after the sorted set."""
    ranks = commit.ranks
    if commit.erased:
        others = set(rankings) - ranks.keys() - set(commit.drop_ranks)
        ranks = ranks | {name: {} for name in sorted(others)}
    placed = []
    for name, changes in ranks.items():
        names += (keys.rank(commit.bucket, name), keys.bins(commit.bucket, name))
        readings, gone = _split(changes, commit.erased)
        placed.append((len(names) - 1, name, list(readings), list(readings.values()), gone))
    return placed


def _place_dropped_ranks(
    keys: Keys, commit: BucketCommit, names: list[str]
) -> list[tuple[int, str]]:
    placed = []
    for name in commit.drop_ranks:
        names += (keys.rank(commit.bucket, name), keys.bins(commit.bucket, name))
        placed.append((len(names) - 1, name))
    return placed


def _place_history(keys: Keys, commit: BucketCommit, names: list[str]) -> int:
    """Return the place of the history, 0 where the commit leaves it alone."""
    if not commit.history and not commit.erased:
        return 0
    names.append(keys.history(commit.bucket))
    return len(names)


def _framed(entries: Iterable[bytes]) -> bytes:
    """Return entries end to end, each after its length; `answers.unframed` is the inverse."""
    return b"".join(len(entry).to_bytes(SIZE_BYTES) + entry for entry in entries)


def _lengths(values: Iterable[bytes]) -> list[int]:
    return list(map(len, values))


def _split(changes: dict[str, _T | None], erased: Sequence[str]) -> tuple[dict[str, _T], list[str]]:
    """Return what is written, and the names of what is removed: those *erased* among them."""
    if erased:
        changes = {**dict.fromkeys(erased), **changes}
    kept = {name: value for name, value in changes.items() if value is not None}
    if len(kept) == len(changes):
        return kept, []
    return kept, [name for name, value in changes.items() if value is None]


def literal(text: str) -> str:
    r"""Return the glob pattern that matches *text* and nothing else.

    >>> print(literal("a*[b]"))
    a\*\[b\]
    """
    return re.sub(r"[*?\[\]\\]", r"\\\g<0>", text)
