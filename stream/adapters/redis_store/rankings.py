"""`Rankings` on Redis: which commands a read becomes, and what the replies mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream.adapters.redis_store import answers, scripts, wire
from stream.adapters.redis_store.errors import translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.adapters.redis_store.link import Link
    from stream.adapters.redis_store.wire import Command
    from stream.rankings import Ranked


class RedisRankings:
    """The reads of `stream.rankings.Rankings`, and how a call reaches the server.

    Args:
        keys: Names of the keys.
        link: To the server or the cluster.
    """

    def __init__(self, keys: wire.Keys, link: Link) -> None:
        self._keys = keys
        self._link = link

    def rank_names(self, bucket: int) -> list[str]:
        """See `Rankings.rank_names`."""
        (fields,) = self._call([("HKEYS", self._keys.bucket(bucket)[0])])
        return answers.rank_names(fields)

    def rank_bins(self, buckets: Sequence[int], name: str) -> dict[int, tuple[int, int]]:
        """See `Rankings.rank_bins`."""
        bins: dict[int, tuple[int, int]] = {}
        for reply in self._call([("HGETALL", self._keys.bins(bucket, name)) for bucket in buckets]):
            answers.add_bins(bins, reply)
        return bins

    def rank_readings(self, buckets: Sequence[int], name: str, low: int, high: int) -> list[int]:
        """See `Rankings.rank_readings`."""
        replies = self._call(
            [
                ("ZRANGEBYSCORE", self._keys.rank(bucket, name), low, f"({high}", "WITHSCORES")
                for bucket in buckets
            ]
        )
        return sorted(ranked.reading for reply in replies for ranked in answers.ranked(reply))

    def rank_members(
        self, bucket: int, name: str, low: int, high: int, limit: int, after: Ranked | None = None
    ) -> list[Ranked]:
        """See `Rankings.rank_members`."""
        if limit <= 0:
            return []
        key = self._keys.rank(bucket, name)
        command: Command = ("EVALSHA", scripts.MEMBERS.sha, 1, key, low, high, limit)
        (reply,) = self._call([command if after is None else (*command, *after)])
        return answers.ranked(reply)

    def rank_of(self, buckets: Sequence[int], name: str, reading: int) -> int:
        """See `Rankings.rank_of`."""
        counts: list[int] = self._call(
            [("ZCOUNT", self._keys.rank(bucket, name), f"({reading}", "+inf") for bucket in buckets]
        )
        return sum(counts)

    def _call(self, commands: Sequence[Command], *, writes: bool = False) -> list[Any]:
        """Return the replies, or raise for the first error among them."""
        if not commands:
            return []
        replies = self._link.call(commands, writes=writes)
        for reply in replies:
            if isinstance(reply, Exception):
                raise translate(reply) from reply
        return replies
