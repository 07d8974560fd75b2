"""A durable queue of messages to the outside, on Redis: nothing is lost, some may come twice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from stream.adapters.redis_store import link, scripts
from stream.adapters.redis_store.errors import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stream.adapters.redis_store.wire import Command

Outcome = Literal["done", "retry", "park", "again", "drop"]
_MOST_PARKED: Final = 1_000
_SCAN: Final = 500


class Claimed(NamedTuple):
    """A message that this process may deliver until its lease is over.

    Attributes:
        tries: How often it was claimed, this time included.
    """

    id: str
    message: bytes
    tries: int


class Parked(NamedTuple):
    """A message that is not tried any more.

    Attributes:
        at_ms: Since when.
        why: Why the last try failed.
    """

    id: str
    message: bytes
    at_ms: int
    why: str


class Backlog(NamedTuple):
    """What waits for one target.

    Attributes:
        waiting: Messages in its queue.
        due_ms: When the first of them is due; None without any.
    """

    waiting: int
    due_ms: int | None


class Entry(NamedTuple):
    """A message to put into a queue.

    Attributes:
        id: The same for the same message: while it waits, putting it again does nothing.
        subject: Pseudonym of the customer that it tells of: it is not put where that was erased
            (see `RedisQueue.erase`). "": put in any case.
        instant_ms: When what it tells became true.
    """

    target: str
    id: str
    message: bytes
    due_ms: int
    subject: str = ""
    instant_ms: int = 0


class Rest(NamedTuple):
    """What is left of a message without those who were erased.

    Attributes:
        target: Whose queue it is in.
        message: None where nothing is left.
    """

    target: str
    message: bytes | None


class Compare(NamedTuple):
    """A remembered value as it was, and as it has to become; None: not there."""

    place: Literal["threads", "paces", "erased"]
    field: str
    before: bytes | None
    after: bytes | None


class RedisQueue(ABC):
    """Messages by target, each due at an instant, until they are delivered, dropped or parked.

    Who claims a message has a lease on it. Who dies with it lets it fall due again at the end of
    the lease: a message is delivered at least once. Everything shares one hash tag, so that what
    is remembered and what is to be sent because of it are written in one step.

    Args:
        url: See `RedisStore`.
        prefix: First part of every key.
        area: What the queue is for: ``alerts`` or ``webhooks``.
        timeout_s: Longest wait for a connection and for each reply.
    """

    def __init__(self, url: str, *, prefix: str, area: str, timeout_s: float = 10.0) -> None:
        self._tag = f"{prefix}:{{{area}}}"
        self._link = link.connect(url, timeout_s=timeout_s)

    def key(self, name: str) -> str:
        """Return the full name of a key."""
        return f"{self._tag}:{name}"

    def close(self) -> None:
        """Give up the connections."""
        self._link.close()

    def post(
        self,
        entries: Sequence[Entry],
        compares: Iterable[Compare] = (),
        due: Mapping[str, int | None] | None = None,
    ) -> bool:
        """Put *entries*, and remember what they come from, in one step.

        Args:
            entries: Messages to put.
            compares: What is remembered, as it was and as it becomes.
            due: When each thread has to be looked at again; None: never.

        Returns whether it was written: not where something remembered is another by now.

        Raises:
            StoreUnavailable: It may or may not have been written; doing it again is safe.
        """
        known = list(compares)
        targets = list(dict.fromkeys(entry.target for entry in entries))
        names = ["threads", "paces", "due", "erased", "messages", *map(_queue, targets)]
        places = {"threads": 1, "paces": 2, "erased": 4}
        arguments: list[str | bytes | int] = [len(known)]
        for one in known:
            arguments += [places[one.place], one.field, one.before or b""]
        arguments.append(len(known))
        for one in known:
            arguments += [places[one.place], one.field, one.after or b""]
        arguments.append(len(due or {}))
        for thread, due_ms in (due or {}).items():
            arguments += [thread, "" if due_ms is None else due_ms]
        arguments.append(len(entries))
        for entry in entries:
            place = 6 + targets.index(entry.target)
            arguments += [place, entry.id, entry.message, entry.due_ms]
            arguments += [entry.subject, entry.instant_ms]
        return bool(self._script(scripts.POST, names, *arguments))

    def claim(self, target: str, now_ms: int, lease_ms: int, limit: int = 1) -> list[Claimed]:
        """Return up to *limit* messages of *target* that are due, the one longest due first."""
        names = (_queue(target), "messages", "tries")
        flat = self._script(scripts.CLAIM, names, now_ms, now_ms + lease_ms, limit)
        return [
            Claimed(flat[i].decode(), flat[i + 1], int(flat[i + 2])) for i in range(0, len(flat), 3)
        ]

    def settle(
        self, target: str, message_id: str, outcome: Outcome, *, at_ms: int = 0, why: str = ""
    ) -> bool:
        """Say what became of a message (see `settle.lua`); return whether it was there."""
        names = (_queue(target), "messages", "tries", "errors", "parked")
        return bool(self._script(scripts.SETTLE, names, outcome, message_id, at_ms, why))

    def backlog(self, targets: Sequence[str]) -> dict[str, Backlog]:
        """Return what waits for each of *targets*."""
        commands: list[Command] = []
        for target in targets:
            key = self.key(_queue(target))
            commands += [
                ("ZCARD", key),
                ("ZRANGEBYSCORE", key, "-inf", "+inf", "WITHSCORES", "LIMIT", 0, 1),
            ]
        replies = self._call(commands)
        return {
            target: Backlog(int(count), int(first[1]) if first else None)
            for target, count, first in zip(targets, replies[::2], replies[1::2], strict=True)
        }

    def parked(self) -> list[Parked]:
        """Return what was parked, first what was so first; no more than a thousand."""
        (flat,) = self._call([("ZRANGE", self.key("parked"), 0, _MOST_PARKED - 1, "WITHSCORES")])
        ids = flat[::2]
        if not ids:
            return []
        messages, errors = self._call(
            [("HMGET", self.key("messages"), *ids), ("HMGET", self.key("errors"), *ids)]
        )
        return [
            Parked(name.decode(), message or b"", int(at_ms), (why or b"").decode())
            for name, at_ms, message, why in zip(ids, flat[1::2], messages, errors, strict=True)
        ]

    def parked_count(self) -> int:
        """Return how many messages are parked."""
        (count,) = self._call([("ZCARD", self.key("parked"))])
        return int(count)

    def began_ms(self, now_ms: int) -> int:
        """Return when this was asked for the first time: *now_ms*, or earlier."""
        key = self.key("began")
        _, began = self._call([("SET", key, now_ms, "NX"), ("GET", key)], writes=True)
        return int(began)

    # -- erasing --------------------------------------------------------------

    def erase(self, ended: Mapping[str, int]) -> int:
        """Take out what was said of customers who were erased, wherever it waits.

        Nothing that tells of what was true of them by then is put again, also not by another
        process that is about to: the mark comes first, and stays for good. Doing it again is
        safe, and necessary where it was not done to the end. Takes as long as walking through
        everything that waits.

        Args:
            ended: By pseudonym, up to when they were told of (see `stream.erasure.Receipt`).

        Returns how much was forgotten or cut.

        Raises:
            StoreUnavailable: Part of it may have been done; do it again.
        """
        if not ended:
            return 0
        marks = [part for mark in ended.items() for part in mark]
        self._script(scripts.ERASE, ("erased",), *marks)
        return self._forget(ended)

    def _forget(self, ended: Mapping[str, int]) -> int:
        return sum(self._cut(*one, ended) for one in self._scan("messages"))

    @abstractmethod
    def _rest(self, message_id: str, message: bytes, ended: Mapping[str, int]) -> Rest:
        """Return what is left of *message*, the very same where that is all of it."""

    def _cut(self, message_id: str, message: bytes, ended: Mapping[str, int]) -> bool:
        """Cut one message down to what is left of it; return whether there was anything to cut."""
        target, left = self._rest(message_id, message, ended)
        if left == message:
            return False
        if left is None:
            return self.settle(target, message_id, "drop")
        if self._script(scripts.AMEND, ("messages",), message_id, message, left):
            return True
        ((found,),) = self._call([("HMGET", self.key("messages"), message_id)])
        return found is not None and self._cut(message_id, found, ended)

    def _scan(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Yield the fields of a hash; one that changes meanwhile may come twice."""
        cursor: int | bytes = 0
        while True:
            ((cursor, flat),) = self._call([("HSCAN", self.key(name), cursor, "COUNT", _SCAN)])
            for field, value in zip(flat[::2], flat[1::2], strict=True):
                yield field.decode(), value
            if int(cursor) == 0:
                return

    def _script(self, script: scripts.Script, names: Sequence[str], *arguments: Any) -> Any:  # noqa: ANN401
        keys = map(self.key, names)
        command = ("EVALSHA", script.sha, len(names), *keys, *arguments)
        (reply,) = self._call([command], writes=True)
        return reply

    def _call(self, commands: Sequence[Command], *, writes: bool = False) -> list[Any]:
        replies = self._link.call(commands, writes=writes) if commands else []
        for reply in replies:
            if isinstance(reply, Exception):
                raise translate(reply, outcome_unknown=writes) from reply
        return replies


def _queue(target: str) -> str:
    return f"queue:{target}"
