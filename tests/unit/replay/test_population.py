"""The population, live, on the CDNOW sample: cuts, grades and visits against brute force."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agents.replay.offline import replay_offline
from agents.replay.snapshots import snapshots
from agents.replay.source import load_log
from schemas.policy import PolicyDocument, parse_policy
from stream.customer import Grade, decode
from stream.partition import bucket_of
from stream.plan import compile_policy
from stream.population.cadence import next_of
from stream.population.census import census
from stream.regrade import regrade
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.replay.log import LogRecord
    from agents.replay.offline import OfflineResult

DAY = 86_400_000
GRADINGS = {
    "segment": {
        "type": "rfm_segments",
        "recency": {"measure": "recency", "high": "mean"},
        "frequency": {"measure": "orders", "high": "mean"},
        "monetary": {"measure": "spent", "high": "median"},
    },
    "cells": {
        "type": "rfm_cells",
        "recency": {"measure": "recency", "cuts": "quintiles"},
        "frequency": {"measure": "orders", "cuts": [1, 2, 3, 4]},
        "monetary": {"measure": "spent", "cuts": "quintiles"},
    },
    "abc": {
        "type": "pareto",
        "measure": "spent",
        "minimum_evidence": {"measure": "orders", "at_least": 1},
    },
}


def document(**population: str) -> PolicyDocument:
    """Return a policy that follows the population."""
    data = {
        "policy": "followed",
        "version": 1,
        "time_zone": "America/New_York",
        "currency": "USD",
        "measures": {
            "recency": {"days_since": "last_order"},
            "orders": {"count": "orders", "window": "180d"},
            "spent": {"sum": "revenue", "window": "180d"},
        },
        "gradings": GRADINGS,
        "population": {"cadence": "monthly"} | population,
    }
    return parse_policy(json.dumps(data), "followed.yaml")


@lru_cache
def log() -> Sequence[LogRecord]:
    """Return one customer in four of the CDNOW sample."""
    return [one for one in load_log("cdnow-sample") if bucket_of(one.key.decode(), 4) == 0]


def censuses(policy: PolicyDocument, upto_ms: int) -> list[int]:
    """Return the instants of the censuses up to one."""
    plan, found = compile_policy(policy), []
    now_ms = next_of(plan, log()[0].record_ms)
    while now_ms <= upto_ms:
        found.append(now_ms)
        now_ms = next_of(plan, now_ms)
    return found


def replayed(policy: PolicyDocument, as_of_ms: int) -> OfflineResult:
    """Replay the log up to an instant."""
    known = [record for record in log() if record.record_ms <= as_of_ms]
    return replay_offline(known, compile_policy(policy), as_of_ms=as_of_ms, buckets=16)


@pytest.mark.parametrize("days", [40, 130, 600])
def test_everyone_stands_where_the_last_census_puts_them(days: int) -> None:
    """Between two censuses the cuts are those of the last; numpy finds the same ones."""
    policy = document()
    as_of_ms = log()[0].record_ms + days * DAY + 12_345
    rows = [one.values for one in snapshots(log(), policy, censuses(policy, as_of_ms)[-1])]
    cuts = census(policy, rows)
    see_that_numpy_agrees(cuts, rows)
    result = replayed(policy, as_of_ms)
    assert {grading.name: grading.cuts for grading in result.plan.gradings} == {
        grading.name: grading.cuts for grading in compile_policy(policy, cuts).gradings
    }
    for customer_id, state in result.states.items():
        customer = decode(customer_id, state, result.plan.shape)
        customer.roll(as_of_ms)
        values = result.plan.read(customer, as_of_ms)
        tiers = [grade.tier for grade in customer.grades]
        fresh = [Grade() for _ in tiers]
        assert tiers == regrade(result.plan, values, fresh, as_of_ms, result.plan.all_gradings)


def see_that_numpy_agrees(cuts: Any, rows: Sequence[Sequence[Any]]) -> None:
    """Cuts are the next integer of what numpy finds in all readings."""
    recency, orders, spent = (np.array([row[i] for row in rows]) for i in range(3))
    assert (recency != MISSING).all()
    shares = [0.2, 0.4, 0.6, 0.8]
    assert cuts["segment.recency"] == (int(np.ceil(recency.mean())),)
    assert cuts["segment.frequency"] == (int(np.ceil(orders.mean())),)
    assert cuts["segment.monetary"] == (int(np.ceil(np.median(spent))),)
    for name, readings in (("cells.recency", recency), ("cells.monetary", spent)):
        exact = np.quantile(readings, shares)
        assert cuts[name] == tuple(int(np.ceil(np.round(level, 6))) for level in exact)
    earning = np.sort(spent[orders >= 1])[::-1]
    reached = np.cumsum(earning) / earning.sum()
    a, b = (earning[np.searchsorted(reached, share)] for share in (0.8, 0.95))
    assert cuts["abc.measure"] == (b, a)


def test_a_moved_boundary_is_told_from_a_moved_customer() -> None:
    """With the cut as it was and as it is, both in the reasons, and the chain unbroken."""
    result = replayed(document(), log()[0].record_ms + 300 * DAY)
    changes = [json.loads(change) for change in result.changes]
    causes = Counter(change["cause"]["kind"] for change in changes)
    assert causes["boundary_moved"] > 500
    assert causes["time"] > 50
    chains: dict[tuple[str, str], Any] = {}
    for change in sorted(changes, key=lambda change: change["sequence"]):
        place = change["customer_id"], change["grading"]
        sequence, tier = chains.get(place, (0, None))
        assert (change["sequence"], change["from"]) == (sequence + 1, tier)
        chains[place] = change["sequence"], change["to"]
        if change["cause"]["kind"] == "boundary_moved" and change["from"] is not None:
            assert change["cause"]["event_id"].startswith("cuts:followed:1:")
            (moved, *_) = change["reasons"]
            low, high = sorted([moved["boundary_before"], moved["boundary"]])
            assert moved["before"] == moved["after"]
            assert low <= moved["after"] < high


def test_a_wide_dead_band_keeps_the_first_cuts() -> None:
    """Only the first census makes cuts; nothing moves them by more than their whole value."""
    policy = document(dead_band="100%", cadence="weekly")
    as_of_ms = log()[0].record_ms + 60 * DAY
    result = replayed(policy, as_of_ms)
    moved = [json.loads(change) for change in result.changes]
    instants = {one["instant"] for one in moved if one["cause"]["kind"] == "boundary_moved"}
    assert len(instants) < len(censuses(policy, as_of_ms))
