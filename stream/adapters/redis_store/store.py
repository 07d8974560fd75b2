"""`Store` on Redis: which commands a call becomes, and what the replies mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream.adapters.redis_store import answers, link, scripts, wire
from stream.adapters.redis_store.errors import translate
from stream.adapters.redis_store.rankings import RedisRankings
from stream.store import CommitResult, Outcome, StoreMismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.adapters.redis_store.wire import Command
    from stream.store import BucketCommit, BucketHead, StoreFacts

_OUTCOMES: Final = tuple(sorted(Outcome, key=lambda outcome: outcome.value))
_SCAN_COUNT: Final = 500


class RedisStore(RedisRankings):
    """The store on one Redis or Valkey server, or on a cluster. See `stream.store.Store`.

    Args:
        url: ``redis://``, ``rediss://`` (TLS), ``unix://``, or ``redis+cluster://`` and
            ``rediss+cluster://`` for a cluster; user and password as usual in URLs.
        prefix: First part of every key.
        timeout_s: Longest wait for a connection and for each reply.

    On a single server all commands of a call share one round trip.
    """

    def __init__(self, url: str, *, prefix: str = "ts", timeout_s: float = 10.0) -> None:
        super().__init__(wire.Keys(prefix), link.connect(url, timeout_s=timeout_s))

    def install(self, bucket_count: int) -> None:
        """See `Store.install`. Also fails if the user lacks a right that a commit needs."""
        key = self._keys.count
        meta = self._keys.bucket(0)[0]
        refused, _, recorded = self._call(
            [
                ("EVALSHA", scripts.RIGHTS.sha, 1, meta),
                ("SET", key, bucket_count, "NX"),
                ("GET", key),
            ],
            writes=True,
        )
        if refused:
            names = b", ".join(refused).decode()
            raise StoreMismatch(f"the Redis user may not run {names}: see docs/security.md")
        if int(recorded) != bucket_count:
            raise StoreMismatch(
                f"{key} records {int(recorded)} buckets, not {bucket_count}: "
                f"start with {int(recorded)}, or under another prefix"
            )

    def refused(self) -> list[str]:
        """Return the commands that a commit needs and this user may not run; writes nothing."""
        (names,) = self._call([("EVALSHA", scripts.RIGHTS.sha, 1, self._keys.bucket(0)[0])])
        return [name.decode() for name in names]

    def open(self, buckets: Sequence[int], source: str) -> list[BucketHead]:
        """See `Store.open`."""
        return self._heads(buckets, scripts.OPEN, f"epoch:{source}")

    def heads(self, buckets: Sequence[int]) -> list[BucketHead]:
        """See `Store.heads`."""
        return self._heads(buckets, scripts.HEAD)

    def load_states(self, wanted: Mapping[int, Sequence[str]]) -> dict[str, bytes]:
        """See `Store.load_states`."""
        asked = [(bucket, customers) for bucket, customers in wanted.items() if customers]
        replies = self._call(
            [("HMGET", self._keys.bucket(bucket)[1], *customers) for bucket, customers in asked]
        )
        return {
            customer: state
            for (_, customers), reply in zip(asked, replies, strict=True)
            for customer, state in zip(customers, reply, strict=True)
            if state is not None
        }

    def load_orders(
        self, wanted: Mapping[int, Sequence[tuple[int, str]]]
    ) -> dict[tuple[int, str], bytes]:
        """See `Store.load_orders`."""
        asked: dict[tuple[int, int], list[str]] = {}
        for bucket, orders in wanted.items():
            for period, order in orders:
                asked.setdefault((bucket, period), []).append(order)
        replies = self._call(
            [("HMGET", self._keys.period(*place), *orders) for place, orders in asked.items()]
        )
        return {
            (period, order): entry
            for ((_, period), orders), reply in zip(asked.items(), replies, strict=True)
            for order, entry in zip(orders, reply, strict=True)
            if entry is not None
        }

    def commit(self, commits: Sequence[BucketCommit]) -> list[CommitResult]:
        """See `Store.commit`."""
        rankings = self._rankings_to_erase_from(commits)
        commands = [
            wire.commit_command(self._keys, commit, rankings.get(commit.bucket, ()))
            for commit in commits
        ]
        replies = self._link.call(commands, writes=True) if commands else []
        results: list[CommitResult] = []
        failure: Exception | None = None
        for commit, reply in zip(commits, replies, strict=True):
            if isinstance(reply, Exception):
                failure = failure or reply
                continue
            outcome, version, last_row = reply
            results.append(CommitResult(commit.bucket, _OUTCOMES[outcome], version, last_row))
        if failure is not None:
            written = any(result.outcome is Outcome.OK for result in results)
            raise translate(failure, outcome_unknown=written) from failure
        return results

    def due(
        self, buckets: Sequence[int], upto_ms: int, limit: int, each: int | None = None
    ) -> list[tuple[int, str, int]]:
        """See `Store.due`."""
        most = limit if each is None else min(limit, each)
        if most <= 0:
            return []
        replies = self._call(
            [
                (
                    "ZRANGEBYSCORE",
                    self._keys.bucket(bucket)[2],
                    "-inf",
                    upto_ms,
                    "WITHSCORES",
                    "LIMIT",
                    0,
                    most,
                )
                for bucket in buckets
            ]
        )
        found = [
            (int(float(due_ms)), bucket, customer.decode())
            for bucket, reply in zip(buckets, replies, strict=True)
            for customer, due_ms in answers.pairs(reply).items()
        ]
        found.sort()
        return [(bucket, customer, due_ms) for due_ms, bucket, customer in found[:limit]]

    def soonest(self, buckets: Sequence[int]) -> dict[int, int]:
        """See `Store.soonest`."""
        replies = self._call(
            [("ZRANGE", self._keys.bucket(bucket)[2], 0, 0, "WITHSCORES") for bucket in buckets]
        )
        return {
            bucket: int(float(due_ms))
            for bucket, reply in zip(buckets, replies, strict=True)
            for due_ms in answers.pairs(reply).values()
        }

    def scan_states(self, bucket: int) -> Iterator[tuple[str, bytes]]:
        """See `Store.scan_states`."""
        for customer, state in self._scan(self._keys.bucket(bucket)[1]):
            yield customer.decode(), state

    def scan_orders(self, bucket: int, prefix: str) -> list[tuple[int, str]]:
        """See `Store.scan_orders`."""
        (fields,) = self._call([("HKEYS", self._keys.bucket(bucket)[0])])
        match = ("MATCH", wire.literal(prefix) + "*")
        return sorted(
            {
                (period, key.decode())
                for period in answers.periods(fields)
                for key, _ in self._scan(self._keys.period(bucket, period), *match)
            }
        )

    def load_history(self, bucket: int, customer: str) -> list[bytes]:
        """See `Store.load_history`."""
        (block,) = self._call([("HGET", self._keys.history(bucket), customer)])
        return answers.unframed(block or b"")

    def read_outbox(
        self, wanted: Mapping[int, int], limit: int
    ) -> dict[int, list[tuple[int, bytes]]]:
        """See `Store.read_outbox`."""
        if limit <= 0:
            return {bucket: [] for bucket in wanted}
        replies = self._call(
            [
                ("XRANGE", self._keys.bucket(bucket)[3], f"({after}-0", "+", "COUNT", limit)
                for bucket, after in wanted.items()
            ]
        )
        return {
            bucket: [
                (int(row.partition(b"-")[0]), answers.pairs(body)[b"r"]) for row, body in reply
            ]
            for bucket, reply in zip(wanted, replies, strict=True)
        }

    def trim_outbox(self, upto: Mapping[int, int]) -> None:
        """See `Store.trim_outbox`."""
        self._call(
            [
                ("XTRIM", self._keys.bucket(bucket)[3], "MINID", f"{row + 1}-0")
                for bucket, row in upto.items()
            ],
            writes=True,
        )

    def skip_rows(self, buckets: Sequence[int], upto: int) -> None:
        """See `Store.skip_rows`."""
        self._call(
            [("EVALSHA", scripts.SKIP.sha, 1, self._keys.bucket(b)[0], upto) for b in buckets],
            writes=True,
        )

    def outbox_depth(self, buckets: Sequence[int]) -> dict[int, int]:
        """See `Store.outbox_depth`."""
        replies = self._call([("XLEN", self._keys.bucket(bucket)[3]) for bucket in buckets])
        return dict(zip(buckets, replies, strict=True))

    def halt(self, source: str, reason: str) -> None:
        """See `Store.halt`."""
        self._call([("HSET", self._keys.halts, source, reason)], writes=True)

    def halts(self) -> dict[str, str]:
        """See `Store.halts`."""
        (reply,) = self._call([("HGETALL", self._keys.halts)])
        return {source.decode(): reason.decode() for source, reason in answers.pairs(reply).items()}

    def release(self, source: str) -> None:
        """See `Store.release`."""
        self._call([("HDEL", self._keys.halts, source)], writes=True)

    def ping(self) -> None:
        """See `Store.ping`."""
        self._call([("GET", self._keys.count)])

    def server_info(self) -> StoreFacts:
        """See `Store.server_info`."""
        (reply,) = self._call([("EVALSHA", scripts.FACTS.sha, 1, self._keys.count)])
        return answers.facts(*reply)

    def close(self) -> None:
        """See `Store.close`."""
        self._link.close()

    def _rankings_to_erase_from(self, commits: Sequence[BucketCommit]) -> dict[int, set[str]]:
        """Return the rankings that a bucket has or is given by *commits*, where any erases."""
        buckets = sorted({commit.bucket for commit in commits if commit.erased})
        fields = self._call([("HKEYS", self._keys.bucket(bucket)[0]) for bucket in buckets])
        rankings = {
            bucket: set(answers.rank_names(reply))
            for bucket, reply in zip(buckets, fields, strict=True)
        }
        for commit in commits:
            if commit.bucket in rankings:
                rankings[commit.bucket].update(commit.ranks)
        return rankings

    def _scan(self, key: str, *options: str) -> Iterator[tuple[bytes, bytes]]:
        """Walk the fields and values of a hash; some may come twice."""
        cursor: int | bytes = 0
        while True:
            ((cursor, page),) = self._call([("HSCAN", key, cursor, "COUNT", _SCAN_COUNT, *options)])
            yield from answers.pairs(page).items()
            if int(cursor) == 0:
                return

    def _heads(
        self, buckets: Sequence[int], script: scripts.Script, *arguments: str
    ) -> list[BucketHead]:
        commands: list[Command] = []
        for bucket in buckets:
            names = self._keys.bucket(bucket)
            commands.append(("EVALSHA", script.sha, 2, names[0], names[4], *arguments))
        replies = self._call(commands, writes=script is scripts.OPEN)
        return [answers.head(bucket, reply) for bucket, reply in zip(buckets, replies, strict=True)]
