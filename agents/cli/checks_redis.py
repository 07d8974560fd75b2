"""What `tierstream doctor` asks of Redis."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from agents.cli.errors import CommandError, one_line
from agents.cli.findings import Finding, fail, ok, warn
from agents.cli.stores import recorded_buckets
from stream.adapters.redis_store import RedisStore
from stream.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agents.settings import Settings
    from stream.store import StoreFacts

LEAST = {"redis": 7, "valkey": 8}
_NAMES = {"redis": "Redis", "valkey": "Valkey"}
_SKEW_WARN_MS = 500
_SKEW_FAIL_MS = 5_000
_FULL = 0.8


def check_redis(settings: Settings) -> list[Finding]:
    """Look at the server behind the store, and at what is recorded in it. Blocks."""
    try:
        store = RedisStore(settings.redis, prefix=settings.key_prefix)
        try:
            refused = store.refused()
            recorded = recorded_buckets(settings)
            started_ms = time.time_ns() // 1_000_000
            facts = store.server_info()
            ended_ms = time.time_ns() // 1_000_000
            halts = store.halts()
        finally:
            store.close()
    except (StoreError, RedisError, CommandError, OSError) as exc:
        remedy = "check --redis (TIERSTREAM_REDIS: rediss:// for TLS), network, user and password"
        return [fail("redis", one_line(exc), remedy)]
    return [
        *judge_server(facts),
        _rights(refused),
        judge_clock(facts.clock_ms, started_ms, ended_ms),
        _buckets(settings, recorded),
        *_halts(halts),
    ]


def _rights(refused: Sequence[str]) -> Finding:
    if not refused:
        return ok("redis user", "may run all that a commit needs")
    said = f"this user may not run {', '.join(refused)}"
    return fail("redis user", said, "grant what docs/security.md lists")


def judge_server(facts: StoreFacts) -> Iterator[Finding]:
    """Say whether the server can be trusted with the truth."""
    name = _NAMES.get(facts.product, facts.product)
    least = LEAST.get(facts.product, 0)
    if int(facts.version.partition(".")[0]) < least:
        yield fail("redis", f"{name} {facts.version}", f"use {name} {least} or newer")
    else:
        node = " (a node of a cluster)" if facts.cluster else ""
        yield ok("redis", f"{name} {facts.version}{node}")
    if facts.role != "master":
        yield fail("role", f"the server is a {facts.role}", "name the primary in --redis")
    if facts.maxmemory_policy != "noeviction":
        yield fail(
            "eviction",
            f"maxmemory-policy is {facts.maxmemory_policy}: state may vanish without a word",
            "set maxmemory-policy noeviction",
        )
    else:
        yield ok("eviction", "maxmemory-policy is noeviction")
    if facts.maxmemory_bytes and facts.used_memory_bytes > _FULL * facts.maxmemory_bytes:
        share = 100 * facts.used_memory_bytes / facts.maxmemory_bytes
        yield warn("memory", f"{share:.0f} % of maxmemory is used", "raise maxmemory")
    if not facts.aof:
        yield warn(
            "persistence",
            "no append-only file: a crash takes the state back to the last snapshot, if any",
            "set appendonly yes; what is lost is only refolded if Kafka still has the records",
        )
    else:
        yield ok("persistence", "an append-only file is kept")


def judge_clock(server_ms: int, started_ms: int, ended_ms: int) -> Finding:
    """Compare the server's clock with ours, read just before and just after.

    >>> judge_clock(1_000, 990, 1_010).level, judge_clock(2_000, 990, 1_010).level
    ('ok', 'warn')
    """
    skew_ms = max(started_ms - server_ms, server_ms - ended_ms, 0)
    text = f"this machine and Redis differ by {skew_ms:,} ms"
    remedy = "keep both clocks with NTP: the wall clock decides when customers are downgraded"
    if skew_ms > _SKEW_FAIL_MS:
        return fail("clock", text, remedy)
    if skew_ms > _SKEW_WARN_MS:
        return warn("clock", text, remedy)
    return ok("clock", f"{text} at most" if skew_ms else "this machine and Redis agree")


def _buckets(settings: Settings, recorded: int | None) -> Finding:
    if recorded is None:
        return ok("buckets", f"nothing is installed under {settings.key_prefix} yet")
    if recorded != settings.buckets:
        return fail(
            "buckets",
            f"{recorded} are recorded under {settings.key_prefix}, but {settings.buckets} are set",
            f"set TIERSTREAM_BUCKETS={recorded}: buckets cannot be renumbered",
        )
    return ok("buckets", f"{recorded}, as recorded under {settings.key_prefix}")


def _halts(halts: dict[str, str]) -> Iterator[Finding]:
    for source, reason in sorted(halts.items()):
        yield fail(
            f"halted {source}",
            reason,
            f"look at dead-letters, repair the producer, then: tierstream topics resume {source}",
        )
    if not halts:
        yield ok("halts", "no partition is halted")
