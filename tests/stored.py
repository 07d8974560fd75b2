"""Everything that an installation keeps in Redis, to look for what must not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from collections.abc import Iterator


def stored(url: str, prefix: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield every key under *prefix* with each of its values, names of fields included."""
    with redis.Redis.from_url(url) as client:
        found: Any = client
        for key in found.scan_iter(f"{prefix}:*", count=1_000):
            kind = found.type(key)
            if kind == b"hash":
                values = [part for pair in found.hgetall(key).items() for part in pair]
            elif kind == b"zset":
                values = found.zrange(key, 0, -1)
            elif kind == b"list":
                values = found.lrange(key, 0, -1)
            elif kind == b"stream":
                values = [part for _, row in found.xrange(key) for part in row.values()]
            else:
                values = [found.get(key)]
            yield from ((key, value) for value in values)
