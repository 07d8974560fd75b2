"""A Redis Cluster on this machine: primaries that share the slots, and a replica of the first."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Self

import redis

from agents.embedded import EmbeddedRedis
from agents.embedded.server import HOST
from tests.waiting import wait_for

if TYPE_CHECKING:
    from types import TracebackType

    from agents.embedded.redis_server import RedisSource

SLOTS = 16_384
PRIMARIES = 3
# Long enough for a busy machine, short enough for a failover within a test.
SETTINGS = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": "2000",
    "cluster-replica-validity-factor": "0",
}


class RedisCluster:
    """Use it as a context manager."""

    def __init__(self, source: RedisSource) -> None:
        self._servers = [
            EmbeddedRedis(source=source, settings=SETTINGS) for _ in range(PRIMARIES + 1)
        ]

    @property
    def url(self) -> str:
        """``redis+cluster://`` and one of the nodes, not the one that `fail_over` ends."""
        return f"redis+cluster://{self._servers[1].address}"

    def everywhere(self, *command: str) -> list[Any]:
        """Return what each node answers to *command*."""
        return [self._ask(number, *command) for number in range(len(self._servers))]

    def keys(self) -> list[int]:
        """Return how many keys each primary holds."""
        return [self._ask(number, "DBSIZE") for number in range(PRIMARIES)]

    def fail_over(self) -> None:
        """Kill the first primary, and return when its replica has taken its place."""
        self._servers[0].kill()
        wait_for(lambda: self._role(PRIMARIES) == "master", "the replica's promotion")
        for number in range(1, PRIMARIES + 1):
            wait_for(functools.partial(self._is_whole, number), "a whole cluster")

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def _start(self) -> None:
        for server in self._servers:
            server.start()
        for number in range(PRIMARIES):
            first, end = (SLOTS * n // PRIMARIES for n in (number, number + 1))
            self._ask(number, "CLUSTER ADDSLOTSRANGE", first, end - 1)
        for server in self._servers[1:]:
            self._ask(0, "CLUSTER MEET", HOST, server.port)
        nodes = len(self._servers)
        for number in range(nodes):
            wait_for(functools.partial(self._knows, number, nodes), "the nodes to have met")
        self._ask(PRIMARIES, "CLUSTER REPLICATE", self._ask(0, "CLUSTER MYID"))
        for number in range(nodes):
            wait_for(functools.partial(self._is_whole, number), "a whole cluster")
        wait_for(self._is_in_step, "the replica to be in step")

    def _stop(self) -> None:
        for server in self._servers:
            server.stop()

    def _ask(self, number: int, *command: str | int) -> Any:
        with redis.Redis.from_url(self._servers[number].url, decode_responses=True) as node:
            return node.execute_command(*command)

    def _knows(self, number: int, nodes: int) -> bool:
        return int(self._ask(number, "CLUSTER INFO")["cluster_known_nodes"]) == nodes

    def _is_whole(self, number: int) -> bool:
        return bool(self._ask(number, "CLUSTER INFO")["cluster_state"] == "ok")

    def _role(self, number: int) -> str:
        return str(self._ask(number, "ROLE")[0])

    def _is_in_step(self) -> bool:
        return bool(self._ask(PRIMARIES, "INFO", "replication")["master_link_status"] == "up")
