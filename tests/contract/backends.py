"""The stores the contract is proved on, each with a way to see everything it holds."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

import redis

from stream.adapters.memory_store import MemoryStore
from stream.adapters.redis_store import RedisStore
from stream.store import BucketCommit, CommitResult, Outcome, Store

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "contract"
ON_ONE_SERVER = ["valkey-9", "redis-7"]
ON_REDIS = [*ON_ONE_SERVER, "cluster"]
EVERYWHERE = ["memory", *ON_REDIS]


class Backend(Protocol):
    """One place that stores may share."""

    name: str

    def connect(self) -> Store:
        """Return another store on the same data."""

    def contents(self) -> Any:
        """Return all that is stored, in a form that differs when one byte does."""


class MemoryBackend:
    """One store shared by all writers."""

    name = "memory"

    def __init__(self) -> None:
        self._store = MemoryStore()

    def connect(self) -> Store:
        """Return the one store there is."""
        return self._store

    def contents(self) -> dict[int, dict[str, Any]]:
        """Return a copy of everything."""
        buckets = self._store._buckets
        held = {number: dataclasses.asdict(bucket) for number, bucket in buckets.items()}
        return copy.deepcopy({number: body for number, body in held.items() if any(body.values())})


class RedisBackend:
    """A server or a cluster; *clients* reach every node that holds keys."""

    def __init__(self, name: str, url: str, nodes: Sequence[str]) -> None:
        self.name = name
        self.url = url
        # Any: redis-py leaves several of the calls made here without types.
        self.clients: list[Any] = [redis.Redis.from_url(node) for node in nodes]
        self._stores: list[RedisStore] = []

    def connect(self) -> RedisStore:
        """Return a store with connections of its own."""
        self._stores.append(RedisStore(self.url, prefix=PREFIX, timeout_s=10.0))
        return self._stores[-1]

    def contents(self) -> dict[bytes, bytes]:
        """Return the DUMP of every key."""
        return {
            key: client.dump(key) for client in self.clients for key in client.scan_iter(count=1000)
        }

    def clear(self) -> None:
        """Delete everything."""
        for client in self.clients:
            client.flushall()

    def close(self) -> list[bytes]:
        """Close what was opened and return the keys outside the prefix."""
        for store in self._stores:
            store.close()
        leaked = [key for key in self.contents() if not key.startswith(PREFIX.encode() + b":")]
        for client in self.clients:
            client.close()
        return leaked


def cluster_is_ready(url: str, nodes: int) -> bool:
    """Tell whether the node at *url* knows all nodes and, like them, owners for all slots."""
    with redis.Redis.from_url(url) as client:
        node: Any = client
        state = node.execute_command("CLUSTER INFO")
        return bool(
            state["cluster_state"] == "ok"
            and int(state["cluster_known_nodes"]) == nodes
            and int(state["cluster_size"]) == nodes
        )


def commit_one(store: Store, commit: BucketCommit) -> CommitResult:
    """Commit to one bucket."""
    (result,) = store.commit([commit])
    return result


def must(store: Store, commit: BucketCommit) -> CommitResult:
    """Commit to one bucket and insist that it is written."""
    result = commit_one(store, commit)
    assert result.outcome is Outcome.OK
    return result
