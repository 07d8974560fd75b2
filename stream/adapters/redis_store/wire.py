"""Key names, and how a commit travels to its script. No I/O here.

A commit is two arguments, its names and numbers as one msgpack blob and its values end to end: an
argument for each value would cost more than three times the Python time.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import msgspec

from stream.adapters.checks import check
from stream.adapters.redis_store import scripts
from stream.store import BucketHead, StoreFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.store import BucketCommit

_T = TypeVar("_T", bytes, int)
_Placed = tuple[int, list[str], list[int]]
Argument = str | bytes | int
Command = tuple[Argument, ...]

_encode = msgspec.msgpack.Encoder().encode


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


def commit_command(keys: Keys, commit: BucketCommit) -> Command:
    """Return the command that runs the commit script on *commit*.

    Raises:
        ValueError: The commit breaks the contract; see `Store.commit`.
    """
    check(commit)
    names: list[str] = list(keys.bucket(commit.bucket))
    body: list[bytes] = list(commit.outbox)

    states, gone_states = _split(commit.states)
    body += states.values()
    due, gone_due = _split(commit.due)
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
    body.append(commit.marks)

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


def _lengths(values: Iterable[bytes]) -> list[int]:
    return list(map(len, values))


def _split(changes: dict[str, _T | None]) -> tuple[dict[str, _T], list[str]]:
    """Return what is written, and the names of what is removed."""
    kept = {name: value for name, value in changes.items() if value is not None}
    if len(kept) == len(changes):
        return kept, []
    return kept, [name for name, value in changes.items() if value is None]


def head(bucket: int, reply: tuple[int, list[bytes], list[bytes]]) -> BucketHead:
    """Return the head that the scripts ``open`` and ``head`` answer with."""
    epoch, flat, marks = reply
    meta = pairs(flat)
    clock = meta.get(b"clock")
    return BucketHead(
        bucket=bucket,
        version=int(meta.get(b"version", 0)),
        epoch=epoch,
        cursors={
            name[len(b"cursor:") :].decode(): int(offset)
            for name, offset in meta.items()
            if name.startswith(b"cursor:")
        },
        marks=marks,
        clock_ms=None if clock is None else int(clock),
        last_row=int(meta.get(b"row", 0)),
    )


def pairs(reply: dict[bytes, bytes] | Iterable[bytes]) -> dict[bytes, bytes]:
    """Return field to value, from a flat reply or from one the cluster client has parsed."""
    if isinstance(reply, dict):
        return reply
    flat = iter(reply)
    return dict(zip(flat, flat, strict=True))


def facts(info: bytes, time: list[bytes]) -> StoreFacts:
    """Return what the script ``facts`` answers with."""
    told = dict(line.split(":", 1) for line in info.decode().splitlines() if ":" in line)
    valkey = told.get("valkey_version")
    return StoreFacts(
        product="valkey" if valkey else "redis",
        version=valkey or told["redis_version"],
        role=told["role"],
        cluster=told["cluster_enabled"] == "1",
        maxmemory_policy=told["maxmemory_policy"],
        maxmemory_bytes=int(told["maxmemory"]),
        used_memory_bytes=int(told["used_memory"]),
        aof=told["aof_enabled"] == "1",
        clock_ms=int(time[0]) * 1000 + int(time[1]) // 1000,
    )
