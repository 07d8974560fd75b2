"""`tierstream explain` under a policy that follows the population: ranks, cuts, segments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cli.test_command import run
from tests.unit.replay.histories import written

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
policy: followed
version: 1
time_zone: UTC
currency: USD
measures:
  spent: {sum: revenue}
  silent: {days_since: last_order}
  region: {attribute: region, type: text}
gradings:
  abc:
    type: pareto
    measure: spent
    within: {measure: region, segments: [north]}
  recent:
    type: rfm_segments
    recency: {measure: silent, high: mean}
    frequency: {measure: spent, high_from: 1}
    monetary: {measure: spent, high: median}
population: {cadence: daily, frozen: {recent.monetary: [250.00]}}
"""
SPENT = {"ann": 800, "bob": 500, "eve": 100, "jim": 50, "kim": 40, "lea": 30}
NORTH = ["bob", "eve", "jim"]


@pytest.fixture
def common(tmp_path: Path) -> list[str]:
    """Return the options of a command that looks at the end of a small log."""
    lines = []
    for day, (name, dollars) in enumerate(SPENT.items(), start=1):
        at = {"occurred_at": f"2024-01-{day:02d}T12:00:00Z", "customer_id": name}
        region = "north" if name in NORTH else "south"
        told = {"kind": "profile.changed", "event_id": f"p{day}", "attributes": {"region": region}}
        paid = {"kind": "order.paid", "event_id": f"o{day}", "order_id": str(day)}
        money = {"amount_minor": dollars * 100, "currency": "USD"}
        lines += [json.dumps(at | told), json.dumps(at | paid | money)]
    log = written(tmp_path, "\n".join(lines), "log.jsonl")
    policy = written(tmp_path, POLICY, "policy.yaml")
    return ["--offline", str(log), "--policy", str(policy), "--at", "2024-01-10"]


def explained(customer: str, common: list[str]) -> dict[str, Any]:
    done = run("explain", customer, *common, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_machines_are_told_rank_percentile_share_and_the_cuts_in_force(common: list[str]) -> None:
    """Everyone in the log is counted; of nine censuses one has moved no cut."""
    found = explained("eve", common)
    assert found["edition"] == {
        "number": 8,
        "since": "2024-01-10T00:00:00.000Z",
        "cause": "boundary_moved",
    }
    (place,) = found["gradings"]["abc"]["places"]
    assert place == {
        "cut": "abc.measure[north]",
        "measure": "spent",
        "segment": "north",
        "unit": "money",
        "value": 100_00,
        "levels": [50_00, 100_00],
        "frozen": False,
        "next_up": None,
        "next_down": {"level": 100_00, "distance": 0},
        "rank": 2,
        "customers": 3,
        "percentile": "66.67",
        "share": "15.38",
        "cumulative_share": "92.31",
    }
    recency, monetary = found["gradings"]["recent"]["places"]
    assert (recency["segment"], recency["rank"], recency["customers"]) == (None, 4, 6)
    assert (monetary["levels"], monetary["frozen"], monetary["rank"]) == ([250_00], True, None)
    assert monetary["next_up"] == {"level": 250_00, "distance": 150_00}


def test_people_are_told_the_same_in_words(common: list[str]) -> None:
    told = " ".join(run("explain", "ann", *common).stdout.split())
    assert "spent among the rest: rank 1 of 3, percentile 100.00; 91.95 % of the total" in told
    assert "spent among the rest: next cut down" in told
    assert "silent: rank 6 of 6, percentile 16.67" in told
    assert "spent: next cut down 250.00 USD, 550.00 USD away (frozen)" in told
    assert "in force since 2024-01-10 (edition 8)" in told
    chinese = run("explain", "ann", *common, "--lang", "zh").stdout
    assert "第 1 名" in chinese
