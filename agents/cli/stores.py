"""Opening the store for commands that only look."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

from agents.cli.errors import CommandError
from agents.settings import Settings
from stream.adapters.redis_store import RedisStore

_TIMEOUT_S = 5.0
_POLL_S = 0.2


@contextmanager
def opened(settings: Settings, within_s: float = 0.0) -> Iterator[tuple[RedisStore, Settings]]:
    """Give the store, and *settings* with the number of buckets that is recorded there.

    Waits up to *within_s* for the first worker to record it.

    Raises:
        CommandError: Nothing was ever installed there, or the URL cannot be used.
        RedisError: The server does not answer.
    """
    give_up = time.monotonic() + within_s
    while (count := recorded_buckets(settings)) is None and time.monotonic() < give_up:
        time.sleep(_POLL_S)
    if count is None:
        raise CommandError(
            f"nothing is installed in Redis under {settings.key_prefix}; "
            "start a worker first, or name another --namespace"
        )
    store = RedisStore(settings.redis, prefix=settings.key_prefix)
    try:
        yield store, replace(settings, buckets=count)
    finally:
        store.close()


def recorded_buckets(settings: Settings) -> int | None:
    """Return the number of buckets recorded at install; None before the first worker."""
    with client(settings) as connection:
        count = connection.get(f"{settings.key_prefix}:buckets")
    return None if count is None else int(count)


@contextmanager
def client(settings: Settings) -> Iterator[Any]:
    """Give a plain client that does not retry."""
    arguments: dict[str, Any] = {
        "socket_timeout": _TIMEOUT_S,
        "socket_connect_timeout": _TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,  # no CLIENT SETINFO, which not every user may
    }
    kind, url = Redis, settings.redis
    if "+cluster" in url.partition("://")[0]:
        kind, url = RedisCluster, url.replace("+cluster", "", 1)  # type: ignore[assignment]
    try:
        connection: Any = kind.from_url(url, **arguments)
    except ValueError as exc:
        raise CommandError(
            "--redis: this URL is not allowed; allowed: redis://host:port/0, rediss://, unix://, "
            "redis+cluster://"
        ) from exc
    try:
        yield connection
    finally:
        connection.close()
