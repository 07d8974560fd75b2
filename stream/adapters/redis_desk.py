"""What alerts remember, on Redis: threads, paces, and when which thread is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.adapters.redis_queue import Compare, Entry, RedisQueue, Rest
from stream.alerting.message import decode, encode
from stream.alerting.threads import Pace, Step, Thread
from stream.erasure import has_ended, pseudonym

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stream.alerting.notices import Notice

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
        about: Notice | None = None,
    ) -> Step:
        """Fold the threads *keys* of *channel*, and write what follows; return it.

        Nothing follows where it is *about* a customer who was erased since that was true.

        Raises:
            StoreUnavailable: It may or may not have been written; doing it again is safe.
        """
        subject = "" if about is None else pseudonym(about.customer_id)
        while True:
            stored, paces, (erased,) = self._call(
                [
                    ("HMGET", self.key("threads"), *keys),
                    ("HMGET", self.key("paces"), channel),
                    ("HMGET", self.key("erased"), subject),
                ]
            )
            if about is not None and erased is not None and about.instant_ms <= int(erased):
                return Step({}, Pace(), ())
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
            if not (compares or entries):
                return step
            if about is not None:
                # And nobody may erase it meanwhile.
                compares.append(Compare("erased", subject, erased, erased))
            if self.post(entries, compares, due):
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
        for key, stored in self._scan("threads"):
            yield key, _thread(stored)

    def _forget(self, ended: Mapping[str, int]) -> int:
        # Threads first: what one of them becomes a message of meanwhile is found as such.
        gone = sum(self._end(*one, ended) for one in self._scan("threads"))
        return gone + super()._forget(ended)

    def _end(self, key: str, stored: bytes | None, ended: Mapping[str, int]) -> bool:
        """Forget one thread if it is of who was erased; return whether it was."""
        while stored is not None:
            thread = _thread(stored)
            if not has_ended(ended, thread.customer_id, thread.instant_ms):
                return False
            if self.post((), [Compare("threads", key, stored, None)], {key: None}):
                return True
            ((stored,),) = self._call([("HMGET", self.key("threads"), key)])
        return False

    def _rest(self, message_id: str, message: bytes, ended: Mapping[str, int]) -> Rest:
        del message_id
        try:
            known = decode(message)
        except msgspec.MsgspecError:
            return Rest("", message)
        left = known.without(ended)
        if left is known:
            return Rest(known.channel, message)
        return Rest(known.channel, None if left is None else encode(left))
