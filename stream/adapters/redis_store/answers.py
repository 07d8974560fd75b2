"""What the server's replies mean. No I/O here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.adapters.redis_store.wire import SIZE_BYTES
from stream.rankings import Ranked
from stream.store import BucketHead, StoreFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

_RANK = "rank:"
_PERIOD = "period:"
_ERASED = "erased:"
_HALF = 2**26  # what the high half of a sum of readings counts; see commit.lua


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
        editions=meta.get(b"editions", b""),
        erasures={
            name[len(_ERASED) :].decode(): known
            for name, known in meta.items()
            if name.startswith(_ERASED.encode())
        },
    )


def pairs(reply: dict[bytes, bytes] | Iterable[bytes]) -> dict[bytes, bytes]:
    """Return field to value, from a flat reply or from one the cluster client has parsed."""
    if isinstance(reply, dict):
        return reply
    flat = iter(reply)
    return dict(zip(flat, flat, strict=True))


def rank_names(fields: Iterable[bytes]) -> list[str]:
    """Return the rankings that the fields of a meta hash name."""
    return sorted(_after(_RANK, fields))


def periods(fields: Iterable[bytes]) -> list[int]:
    """Return the ledger periods that the fields of a meta hash name."""
    return sorted(map(int, _after(_PERIOD, fields)))


def _after(prefix: str, fields: Iterable[bytes]) -> list[str]:
    texts = [field.decode() for field in fields]
    return [text.removeprefix(prefix) for text in texts if text.startswith(prefix)]


def add_bins(bins: dict[int, tuple[int, int]], reply: dict[bytes, bytes] | Iterable[bytes]) -> None:
    """Add a bucket's bins, as the commit script keeps them, to *bins*."""
    for place, body in pairs(reply).items():
        count, high, low = map(int, body.split())
        known, total = bins.get(int(place), (0, 0))
        bins[int(place)] = (known + count, total + high * _HALF + low)


def ranked(reply: Iterable[bytes]) -> list[Ranked]:
    """Return the customers of a flat reply of customers and readings, in its order."""
    flat = iter(reply)
    return [
        Ranked(int(float(reading)), customer.decode())
        for customer, reading in zip(flat, flat, strict=True)
    ]


def unframed(block: bytes) -> list[bytes]:
    r"""Return the entries of a history.

    >>> unframed(b"\0\0\0\3one\0\0\0\0\0\0\0\5three")
    [b'one', b'', b'three']
    """
    entries, at = [], 0
    while at < len(block):
        first = at + SIZE_BYTES
        at = first + int.from_bytes(block[at:first])
        entries.append(block[first:at])
    return entries


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
