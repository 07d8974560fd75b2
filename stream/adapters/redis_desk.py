"""What alerts remember, on Redis: threads, paces, and when which thread is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from stream.adapters.redis_queue import Compare, Entry, RedisQueue
from stream.alerting.threads import Pace, Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stream.alerting.threads import Step

_SCAN: Final = 500
_encode = msgspec.msgpack.Encoder().encode
_thread = msgspec.msgpack.Decoder(Thread).decode
_pace = msgspec.msgpack.Decoder(Pace).decode


class RedisDesk(RedisQueue):
    """Threads and paces of every channel, beside the queue of what is to be sent.

    A step reads, folds, and writes what became of it if nobody else has written meanwhile; else
    it is done over.
    """

    def step(
        self,
        channel: str,
        keys: Sequence[str],
        fold: Callable[[dict[str, Thread], Pace], tuple[Step, Sequence[Entry]]],
    ) -> Step:
        """Fold the threads *keys* of *channel*, and write what follows; return it.

        Raises:
            StoreUnavailable: It may or may not have been written; doing it again is safe.
        """
        while True:
            stored, paces = self._call(
                [
                    ("HMGET", self.key("threads"), *keys),
                    ("HMGET", self.key("paces"), channel),
                ]
            )
            before = dict(zip(keys, stored, strict=True))
            threads = {key: _thread(known) for key, known in before.items() if known is not None}
            pace = Pace() if paces[0] is None else _pace(paces[0])
            step, entries = fold(threads, pace)
            compares = [
                Compare("threads", key, before[key], None if one is None else _encode(one))
                for key, one in step.threads.items()
            ]
            if step.pace != pace:
                compares.append(Compare("paces", channel, paces[0], _encode(step.pace)))
            due = {key: None if one is None else one.due_ms for key, one in step.threads.items()}
            if not (compares or entries) or self.post(entries, compares, due):
                return step

    def due(self, now_ms: int, limit: int) -> list[str]:
        """Return the keys of up to *limit* threads that are due, the one longest due first."""
        (keys,) = self._call(
            [("ZRANGEBYSCORE", self.key("due"), "-inf", now_ms, "LIMIT", 0, limit)]
        )
        return [key.decode() for key in keys]

    def drop_thread(self, key: str) -> None:
        """Forget a thread."""
        self._call(
            [("HDEL", self.key("threads"), key), ("ZREM", self.key("due"), key)], writes=True
        )

    def threads(self) -> Iterator[tuple[str, Thread]]:
        """Yield every thread with its key; one that changes meanwhile may come twice."""
        cursor: int | bytes = 0
        while True:
            ((cursor, flat),) = self._call([("HSCAN", self.key("threads"), cursor, "COUNT", _SCAN)])
            for key, known in zip(flat[::2], flat[1::2], strict=True):
                yield key.decode(), _thread(known)
            if int(cursor) == 0:
                return
