"""What people read: sentences about changes, and what doctor makes of a server and a sample."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.cli.checks_kafka import Sample, judge_sample
from agents.cli.checks_redis import judge_clock, judge_server
from agents.cli.sentences import sentence
from stream.store import StoreFacts

GOOD_SERVER = StoreFacts(
    product="valkey",
    version="8.1.0",
    role="master",
    cluster=False,
    maxmemory_policy="noeviction",
    maxmemory_bytes=0,
    used_memory_bytes=1,
    aof=True,
    clock_ms=0,
)


def change(direction: str, cause: str, *reasons: dict[str, Any]) -> dict[str, Any]:
    return {"direction": direction, "cause": {"kind": cause}, "reasons": list(reasons)}


def moved(measure: str, unit: str, after: object, boundary: object, crossed: str | None) -> Any:
    return {
        "measure": measure,
        "unit": unit,
        "before": "bronze",
        "after": after,
        "boundary": boundary,
        "crossed": crossed,
    }


REVENUE = moved("revenue", "money", 7_999, 8_000, "below")
RECENCY = moved("recency", "days", 30, 30, "above")
TIER = moved("value", "tier", "gold", None, None)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (change("first", "order", REVENUE), "graded for the first time, with an order"),
        (
            change("down", "time", REVENUE),
            "revenue fell to 79.99 USD, below 80.00 USD, as time passed",
        ),
        (
            change("down", "time", TIER, RECENCY),
            "recency reached 30 days, at or above 30 days, as time passed",
        ),
        (change("lateral", "order", TIER), "value went from bronze to gold, with an order"),
        (change("up", "profile"), "with a change of profile"),
        (change("up", "something-new"), "something-new"),
    ],
)
def test_a_change_is_told_in_one_sentence(told: dict[str, Any], words: str) -> None:
    assert sentence(told, "USD") == words


def test_no_more_than_two_reasons_are_named() -> None:
    words = sentence(change("down", "time", REVENUE, RECENCY, REVENUE), "USD")
    assert words.count("revenue") == 1


@pytest.mark.parametrize(
    ("facts", "level", "what"),
    [
        ({}, "ok", "redis"),
        ({"product": "redis", "version": "7.0.15"}, "ok", "redis"),
        ({"product": "redis", "version": "6.2.1"}, "fail", "redis"),
        ({"product": "valkey", "version": "7.2.9"}, "fail", "redis"),
        ({"role": "slave"}, "fail", "role"),
        ({"maxmemory_policy": "allkeys-lru"}, "fail", "eviction"),
        ({"maxmemory_bytes": 100, "used_memory_bytes": 90}, "warn", "memory"),
        ({"aof": False}, "warn", "persistence"),
    ],
)
def test_a_server_that_may_forget_is_told(facts: dict[str, Any], level: str, what: str) -> None:
    findings = {f.what: f for f in judge_server(replace(GOOD_SERVER, **facts))}
    assert findings[what].level == level
    assert bool(findings[what].remedy) == (level != "ok")


@pytest.mark.parametrize(
    ("server_ms", "level"), [(1_000, "ok"), (1_700, "warn"), (9_000, "fail"), (-9_000, "fail")]
)
def test_a_clock_is_judged_by_how_far_it_is_surely_off(server_ms: int, level: str) -> None:
    assert judge_clock(server_ms, 995, 1_005).level == level


@pytest.mark.parametrize(
    ("sample", "level", "what"),
    [
        (Sample(), "ok", "partitioner"),
        (Sample(records=100), "ok", "partitioner"),
        (Sample(records=100, misplaced=87), "warn", "partitioner"),
        (Sample(records=100, strangers=1), "fail", "keys"),
        (Sample(keyless=3), "fail", "keys"),
    ],
)
def test_a_sample_of_orders_tells_who_partitions_and_keys_wrongly(
    sample: Sample, level: str, what: str
) -> None:
    findings = {f.what: f for f in judge_sample(sample, "orders")}
    assert findings[what].level == level
    if sample.misplaced:
        assert "87 %" in findings[what].text
